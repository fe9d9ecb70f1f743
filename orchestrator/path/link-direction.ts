import { BernoulliLoss } from "./bernoulli-loss.ts";
import { Blackhole } from "./blackhole.ts";
import { CoDel } from "./codel.ts";
import { Delay } from "./delay.ts";
import { DeliveryTrace } from "./delivery-trace.ts";
import { GilbertElliottLoss } from "./gilbert-elliott-loss.ts";
import { ListedLoss } from "./listed-loss.ts";
import type { Deliver, Drop, DropReason, PathElement, PathPacket } from "./path-element.ts";
import { RandomStream, splitmix32 } from "./random.ts";
import type { QueueManagementConfig } from "./queue-management.ts";
import { RateQueue } from "./rate-queue.ts";
import { Red } from "./red.ts";

/**
 * What one direction of a link does to packets: plain data, made by the plan, checked there. An element that is left out
 * does nothing.
 */
export type LinkDirectionConfig = {
  /** Bits of Ethernet frame a second (no preamble, no FCS: what a capture shows); left out: no serialization. */
  rateBitsPerSecond?: number;
  /** In the place of the rate, which is its mean then: moments at which a full frame may leave, over and over. It cannot be changed. */
  trace?: { opportunitiesMilliseconds: readonly number[] };
  /** What may wait for the rate, the packet being sent not counted; the tightest limit holds. Left out: no limit. */
  queue?: { bytes?: number; packets?: number; timeMicroseconds?: number };
  /** What drops before the queue is full; left out: nothing does. */
  queueManagement?: QueueManagementConfig;
  delayMicroseconds?: number;
  /** Added to the delay: uniform in ±microseconds, or normal with that standard deviation; never below 0 in sum. */
  jitter?: { microseconds: number; distribution: "uniform" | "normal"; reorder: boolean };
  loss?:
    | { kind: "bernoulli"; probability: number }
    | { kind: "gilbert-elliott"; pGoodToBad: number; pBadToGood: number; lossGood: number; lossBad: number }
    /** By number, from 1, of the packets that come to it. */
    | { kind: "listed"; packets: readonly number[] };
  seed: number;
};

export type LinkDirectionCounters = {
  /** Delivered. */
  packets: number;
  bytes: number;
  dropsQueue: number;
  dropsLoss: number;
  dropsBlackhole: number;
  /** Waiting for the rate now, and the most that ever did. */
  queueBytes: number;
  queuePackets: number;
  queueBytesHigh: number;
};

/**
 * One direction of a link: blackhole switch → loss → rate with its queue → delay with jitter. Loss comes before the
 * rate, as in netem: a lost packet takes no capacity. Loss and jitter draw from streams of their own, so that changing
 * one leaves the other's packets as they were.
 */
export class LinkDirection<Packet extends PathPacket> implements PathElement<Packet> {
  readonly #countDrop: Drop<Packet>;
  readonly #lossRandom: RandomStream;
  readonly #blackhole: Blackhole<Packet>;
  readonly #rate: RateQueue<Packet>;
  readonly #delay: Delay<Packet>;
  readonly #drops: Record<DropReason, number> = { queue: 0, loss: 0, blackhole: 0 };
  readonly #queueRandom: RandomStream;
  #loss: PathElement<Packet> | undefined;
  #managedBy: string | undefined;
  #packets = 0;
  #bytes = 0;

  constructor(config: LinkDirectionConfig, deliver: Deliver<Packet>, drop: Drop<Packet>) {
    const nextSeed = splitmix32(config.seed);
    this.#lossRandom = new RandomStream(nextSeed());
    this.#countDrop = (packet, reason, time) => {
      this.#drops[reason]++;
      drop(packet, reason, time);
    };
    this.#delay = new Delay(
      config.delayMicroseconds ?? 0,
      config.jitter,
      new RandomStream(nextSeed()),
      (packet, time) => {
        this.#packets++;
        this.#bytes += packet.bytes;
        deliver(packet, time);
      },
    );
    this.#rate = new RateQueue(
      config.rateBitsPerSecond ?? Infinity,
      config.queue ?? {},
      (packet, time) => this.#delay.push(packet, time),
      this.#countDrop,
      config.trace && new DeliveryTrace(config.trace.opportunitiesMilliseconds),
    );
    this.#queueRandom = new RandomStream(nextSeed());
    this.#manageQueue(config, 0);
    this.#blackhole = new Blackhole((packet, time) => (this.#loss ?? this.#rate).push(packet, time), this.#countDrop);
    this.#loss = this.#makeLoss(config.loss);
  }

  /**
   * Everything but the seed may change while packets are on their way; none of them is lost by it. Random streams and the
   * numbers of listed losses go on; Gilbert-Elliott loss begins anew in its good state.
   */
  configure(config: Omit<LinkDirectionConfig, "seed">, now: number): void {
    // What the rate has let go before has the old delay.
    this.advance(now);
    this.#rate.configure(config.rateBitsPerSecond ?? Infinity, config.queue ?? {}, now);
    this.#manageQueue(config, now);
    this.#delay.configure(config.delayMicroseconds ?? 0, config.jitter);
    this.#loss = this.#makeLoss(config.loss);
  }

  set blackhole(isOn: boolean) {
    this.#blackhole.isOn = isOn;
  }

  get blackhole(): boolean {
    return this.#blackhole.isOn;
  }

  get heldPackets(): number {
    return this.#rate.heldPackets + this.#delay.heldPackets;
  }

  get rateBitsPerSecond(): number {
    return this.#rate.rateBitsPerSecond;
  }

  /** As of `now`; nothing is delivered by it. */
  counters(now: number): LinkDirectionCounters {
    this.#rate.advance(now);
    return {
      packets: this.#packets,
      bytes: this.#bytes,
      dropsQueue: this.#drops.queue,
      dropsLoss: this.#drops.loss,
      dropsBlackhole: this.#drops.blackhole,
      queueBytes: this.#rate.queueBytes,
      queuePackets: this.#rate.queuePackets,
      queueBytesHigh: this.#rate.queueBytesHigh,
    };
  }

  push(packet: Packet, now: number): void {
    this.#blackhole.push(packet, now);
  }

  /** What the rate lets go is not looked at before its delay is over: for each packet there is one time, not two. */
  nextTime(): number {
    return Math.min(this.#rate.nextTime() + this.#delay.leastMicroseconds, this.#delay.nextTime());
  }

  advance(now: number): void {
    this.#rate.advance(now);
    this.#delay.advance(now);
  }

  /** What it knows of the queue stays unless it is told otherwise. */
  #manageQueue(
    { queueManagement: given, rateBitsPerSecond = Infinity }: Omit<LinkDirectionConfig, "seed">,
    now: number,
  ): void {
    const written = JSON.stringify([given, given?.kind === "red" ? rateBitsPerSecond : 0]);
    if (written === this.#managedBy) return;
    this.#managedBy = written;
    const management =
      given === undefined
        ? undefined
        : given.kind === "codel"
          ? new CoDel(given.targetMicroseconds, given.intervalMicroseconds)
          : new Red(given, rateBitsPerSecond, this.#queueRandom);
    this.#rate.manageBy(management, now);
  }

  /** That came as far as to the loss until now. */
  #packetsBefore(): number {
    return this.#packets + this.heldPackets + this.#drops.queue + this.#drops.loss;
  }

  #makeLoss(loss: LinkDirectionConfig["loss"]): PathElement<Packet> | undefined {
    const deliver: Deliver<Packet> = (packet, time) => this.#rate.push(packet, time);
    if (loss === undefined) return undefined;
    switch (loss.kind) {
      case "bernoulli":
        return new BernoulliLoss(loss.probability, this.#lossRandom, deliver, this.#countDrop);
      case "gilbert-elliott":
        return new GilbertElliottLoss(loss, this.#lossRandom, deliver, this.#countDrop);
      case "listed":
        return new ListedLoss(loss.packets, this.#packetsBefore(), deliver, this.#countDrop);
    }
  }
}
