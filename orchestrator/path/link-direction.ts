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
import { type QueueLimits, RateQueue } from "./rate-queue.ts";
import { Red } from "./red.ts";
import { SteadyLink } from "./steady-link.ts";

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
  /** What most links are all the time; it gives way to the elements one by one when more is asked than it can do. */
  #steady: SteadyLink<Packet> | undefined;
  #elements: { readonly rate: RateQueue<Packet>; readonly delay: Delay<Packet> } | undefined;
  /** Nothing stands before the rate. */
  #isOpen: boolean;
  readonly #deliver: Deliver<Packet>;
  readonly #countDrop: Drop<Packet>;
  readonly #blackhole: Blackhole<Packet>;
  readonly #drops: Record<DropReason, number> = { queue: 0, loss: 0, blackhole: 0 };
  readonly #lossRandom: RandomStream;
  readonly #delayRandom: RandomStream;
  readonly #queueRandom: RandomStream;
  #loss: PathElement<Packet> | undefined;
  #managedBy: string | undefined;
  /** Delivered by the elements; those that a steady link delivers it counts itself. */
  #packets = 0;
  #bytes = 0;

  constructor(config: LinkDirectionConfig, deliver: Deliver<Packet>, drop: Drop<Packet>) {
    const nextSeed = splitmix32(config.seed);
    this.#lossRandom = new RandomStream(nextSeed());
    this.#delayRandom = new RandomStream(nextSeed());
    this.#queueRandom = new RandomStream(nextSeed());
    this.#countDrop = (packet, reason, time) => {
      this.#drops[reason]++;
      drop(packet, reason, time);
    };
    this.#deliver = (packet, time) => {
      this.#packets++;
      this.#bytes += packet.bytes;
      deliver(packet, time);
    };
    const { rateBitsPerSecond = Infinity, queue = {}, delayMicroseconds = 0 } = config;
    if (config.trace === undefined && config.queueManagement === undefined && config.jitter === undefined) {
      this.#steady = new SteadyLink(rateBitsPerSecond, queue, delayMicroseconds, deliver, this.#countDrop);
    } else {
      this.#elements = this.#makeElements(rateBitsPerSecond, queue, delayMicroseconds, config);
      this.#manageQueue(config, this.#elements.rate, 0);
    }
    this.#blackhole = new Blackhole((packet, time) => (this.#loss ?? this.#queue).push(packet, time), this.#countDrop);
    this.#loss = this.#makeLoss(config.loss);
    this.#isOpen = this.#loss === undefined;
  }

  /**
   * Everything but the seed may change while packets are on their way; none of them is lost by it. Random streams and the
   * numbers of listed losses go on; Gilbert-Elliott loss begins anew in its good state.
   */
  configure(config: Omit<LinkDirectionConfig, "seed">, now: number): void {
    // What the rate has let go before has the old delay.
    this.advance(now);
    const { rate, delay } = this.#asElements(now);
    rate.configure(config.rateBitsPerSecond ?? Infinity, config.queue ?? {}, now);
    this.#manageQueue(config, rate, now);
    delay.configure(config.delayMicroseconds ?? 0, config.jitter);
    this.#loss = this.#makeLoss(config.loss);
    this.#isOpen = this.#loss === undefined && !this.blackhole;
  }

  set blackhole(isOn: boolean) {
    this.#blackhole.isOn = isOn;
    this.#isOpen = this.#loss === undefined && !isOn;
  }

  get blackhole(): boolean {
    return this.#blackhole.isOn;
  }

  /** When the round of its trace begins, if it has one; Infinity: not yet, and it has the trace's mean rate. Without a call it is 0. */
  beginTrace(time: number): void {
    this.#elements?.rate.beginTrace(time);
  }

  /**
   * What the link is for as long as it is not changed, blackholed or lossy: who pushes and advances very often may do it there, which is the same. It is another, or
   * none, after `configure` and `blackhole`.
   */
  get steady(): SteadyLink<Packet> | undefined {
    return this.#isOpen ? this.#steady : undefined;
  }

  get heldPackets(): number {
    const { rate, delay } = this.#elements ?? {};
    return this.#steady?.heldPackets ?? rate!.heldPackets + delay!.heldPackets;
  }

  get rateBitsPerSecond(): number {
    return this.#queue.rateBitsPerSecond;
  }

  /** As of `now`; nothing is delivered by it. */
  counters(now: number): LinkDirectionCounters {
    this.#steady?.catchUp(now);
    this.#elements?.rate.advance(now);
    const { queueBytes, queuePackets, queueBytesHigh } = this.#queue;
    return {
      packets: this.#packets + (this.#steady?.deliveredPackets ?? 0),
      bytes: this.#bytes + (this.#steady?.deliveredBytes ?? 0),
      dropsQueue: this.#drops.queue,
      dropsLoss: this.#drops.loss,
      dropsBlackhole: this.#drops.blackhole,
      queueBytes,
      queuePackets,
      queueBytesHigh,
    };
  }

  push(packet: Packet, now: number): void {
    if (this.#isOpen) this.#queue.push(packet, now);
    else this.#blackhole.push(packet, now);
  }

  /** What the rate lets go is not looked at before its delay is over: for each packet there is one time, not two. */
  nextTime(): number {
    if (this.#steady !== undefined) return this.#steady.nextTime();
    const { rate, delay } = this.#elements!;
    return Math.min(rate.nextTime() + delay.leastMicroseconds, delay.nextTime());
  }

  advance(now: number): void {
    if (this.#steady !== undefined) {
      this.#steady.advance(now);
      return;
    }
    const { rate, delay } = this.#elements!;
    rate.advance(now);
    delay.advance(now);
  }

  /** What packets come to behind the loss. */
  get #queue(): SteadyLink<Packet> | RateQueue<Packet> {
    return this.#steady ?? this.#elements!.rate;
  }

  #makeElements(
    rateBitsPerSecond: number,
    limits: QueueLimits,
    delayMicroseconds: number,
    { jitter, trace }: Pick<LinkDirectionConfig, "jitter" | "trace">,
  ): { rate: RateQueue<Packet>; delay: Delay<Packet> } {
    const delay = new Delay(delayMicroseconds, jitter, this.#delayRandom, this.#deliver);
    const rate = new RateQueue<Packet>(
      rateBitsPerSecond,
      limits,
      (packet, time) => delay.push(packet, time),
      this.#countDrop,
      trace && new DeliveryTrace(trace.opportunitiesMilliseconds),
    );
    return { rate, delay };
  }

  /** A link that has been changed once may be changed again. */
  #asElements(now: number): { rate: RateQueue<Packet>; delay: Delay<Packet> } {
    const steady = this.#steady;
    if (steady !== undefined) {
      const { rateBitsPerSecond, limits, delayMicroseconds } = steady;
      this.#elements = this.#makeElements(rateBitsPerSecond, limits, delayMicroseconds, {});
      steady.handOver(this.#elements.rate, this.#elements.delay, now);
      this.#packets += steady.deliveredPackets;
      this.#bytes += steady.deliveredBytes;
      this.#steady = undefined;
    }
    return this.#elements!;
  }

  /** What it knows of the queue stays unless it is told otherwise. */
  #manageQueue(
    { queueManagement: given, rateBitsPerSecond = Infinity }: Omit<LinkDirectionConfig, "seed">,
    rate: RateQueue<Packet>,
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
    rate.manageBy(management, now);
  }

  /** That came as far as to the loss until now. */
  #packetsBefore(): number {
    const delivered = this.#packets + (this.#steady?.deliveredPackets ?? 0);
    return delivered + this.heldPackets + this.#drops.queue + this.#drops.loss;
  }

  #makeLoss(loss: LinkDirectionConfig["loss"]): PathElement<Packet> | undefined {
    const deliver: Deliver<Packet> = (packet, time) => this.#queue.push(packet, time);
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
