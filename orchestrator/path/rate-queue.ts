import { PacketRing } from "./packet-ring.ts";
import type { Deliver, Drop, PathElement, PathPacket } from "./path-element.ts";

import type { DeliveryTrace } from "./delivery-trace.ts";
import type { QueueManagement } from "./queue-management.ts";

/** Limits of what waits, the packet being sent not counted; the tightest holds. */
export type QueueLimits = {
  bytes?: number;
  packets?: number;
  /** A packet that would wait longer than this for its first bit is dropped. */
  timeMicroseconds?: number;
};

/**
 * A serializer with a queue, drop-tail unless a discipline drops earlier: a packet leaves when its last bit is sent. Without a rate it lets everything
 * pass at once. A new rate holds from its time on, also for the rest of the packet being sent; the queue stays.
 */
export class RateQueue<Packet extends PathPacket> implements PathElement<Packet> {
  readonly #deliver: Deliver<Packet>;
  readonly #drop: Drop<Packet>;
  readonly #waiting = new PacketRing<Packet>();
  /** When those that wait came; kept only where somebody asks. */
  readonly #arrivals = new PacketRing<number>();
  #management: QueueManagement | undefined;
  readonly #trace: DeliveryTrace | undefined;
  /** Time of the trace's own zero; before it there is the rate. */
  #traceBegins = 0;
  #sending: Packet | undefined;
  #finishTime = Infinity;
  #rateBitsPerSecond: number;
  #limits: QueueLimits;
  #queueBytes = 0;
  #queueBytesHigh = 0;

  /**
   * @param rateBitsPerSecond above 0; Infinity for no rate
   * @param trace in the place of a rate, once it has begun; it stays when the rate changes
   */
  constructor(
    rateBitsPerSecond: number,
    limits: QueueLimits,
    deliver: Deliver<Packet>,
    drop: Drop<Packet>,
    trace?: DeliveryTrace,
  ) {
    this.#trace = trace;
    this.#rateBitsPerSecond = rateBitsPerSecond;
    this.#limits = limits;
    this.#deliver = deliver;
    this.#drop = drop;
  }

  /** Bytes that wait, the packet being sent not counted. */
  get queueBytes(): number {
    return this.#queueBytes;
  }

  get queuePackets(): number {
    return this.#waiting.length;
  }

  /** The most that ever waited. */
  get queueBytesHigh(): number {
    return this.#queueBytesHigh;
  }

  get heldPackets(): number {
    return this.#waiting.length + (this.#sending === undefined ? 0 : 1);
  }

  get rateBitsPerSecond(): number {
    return this.#rateBitsPerSecond;
  }

  configure(rateBitsPerSecond: number, limits: QueueLimits, now: number): void {
    this.advance(now);
    // The same rate leaves the time as it is, to the last bit, which the division might not.
    if (this.#sending !== undefined && this.#trace === undefined && rateBitsPerSecond !== this.#rateBitsPerSecond) {
      const remaining = Math.max(0, this.#finishTime - now);
      this.#finishTime = now + (remaining * this.#rateBitsPerSecond) / rateBitsPerSecond;
    }
    this.#rateBitsPerSecond = rateBitsPerSecond;
    this.#limits = limits;
    this.advance(now);
  }

  /** For packets that come from now on; those that wait already have waited no time. */
  manageBy(management: QueueManagement | undefined, now: number): void {
    this.#management = management;
    while (this.#arrivals.length > 0) this.#arrivals.shift();
    if (management !== undefined) for (let held = this.#waiting.length; held > 0; held--) this.#arrivals.push(now);
  }

  /** From this time on, which is its zero, the trace says what may leave; Infinity: not yet. Without a call it is 0. */
  beginTrace(time: number): void {
    this.#traceBegins = time;
  }

  push(packet: Packet, now: number): void {
    this.advance(now);
    if (this.#management?.dropsArrival(this.#queueBytes, now) === true) {
      this.#drop(packet, "queue", now);
    } else if (this.#sending === undefined) {
      this.#management?.dropsDeparture(0, 0, now);
      if (this.#rateBitsPerSecond === Infinity && this.#trace === undefined) this.#deliver(packet, now);
      else this.#begin(packet, now);
    } else if (this.#fits(packet, now)) {
      this.#waiting.push(packet);
      if (this.#management !== undefined) this.#arrivals.push(now);
      this.#queueBytes += packet.bytes;
      if (this.#queueBytes > this.#queueBytesHigh) this.#queueBytesHigh = this.#queueBytes;
    } else {
      this.#drop(packet, "queue", now);
    }
  }

  /** Takes a packet over that another queue had admitted, in the order in which that would have sent them; the first is sent by `finishTime`. */
  resume(packet: Packet, finishTime: number): void {
    if (this.#sending === undefined) {
      this.#sending = packet;
      this.#finishTime = finishTime;
    } else {
      this.#waiting.push(packet);
      this.#queueBytes += packet.bytes;
    }
  }

  nextTime(): number {
    return this.#finishTime;
  }

  advance(now: number): void {
    while (this.#sending !== undefined && this.#finishTime <= now) {
      const sent = this.#sending;
      const time = this.#finishTime;
      this.#sending = undefined;
      this.#finishTime = Infinity;
      const next = this.#take(time);
      if (next !== undefined) this.#begin(next, time);
      this.#deliver(sent, time);
    }
  }

  /** The next that is sent: the first of those that wait which is not dropped at its turn. */
  #take(now: number): Packet | undefined {
    for (;;) {
      const next = this.#waiting.shift();
      if (next === undefined) return undefined;
      this.#queueBytes -= next.bytes;
      if (this.#management === undefined) return next;
      const waited = now - this.#arrivals.shift()!;
      if (!this.#management.dropsDeparture(this.#queueBytes, waited, now)) return next;
      this.#drop(next, "queue", now);
    }
  }

  #begin(packet: Packet, now: number): void {
    this.#sending = packet;
    const since = now - this.#traceBegins;
    this.#finishTime =
      this.#trace !== undefined && since >= 0
        ? this.#traceBegins + this.#trace.finish(since, packet.bytes)
        : now + this.#transmissionTime(packet.bytes);
  }

  #transmissionTime(bytes: number): number {
    return (bytes * 8e6) / this.#rateBitsPerSecond;
  }

  #fits(packet: Packet, now: number): boolean {
    const { bytes, packets, timeMicroseconds } = this.#limits;
    if (bytes !== undefined && this.#queueBytes + packet.bytes > bytes) return false;
    if (packets !== undefined && this.#waiting.length + 1 > packets) return false;
    if (timeMicroseconds === undefined) return true;
    return this.#finishTime - now + this.#transmissionTime(this.#queueBytes) <= timeMicroseconds;
  }
}
