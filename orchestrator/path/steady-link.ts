import type { Delay } from "./delay.ts";
import type { Deliver, Drop, PathElement, PathPacket } from "./path-element.ts";
import type { QueueLimits, RateQueue } from "./rate-queue.ts";

/** Packets that the ring holds at first; a power of two, as all its sizes. */
const firstCapacity = 8;

/**
 * A drop-tail queue, a constant rate and a constant delay in one. Nothing can happen to a packet between its arrival and its leaving, so that both its times are
 * known when it comes: it is written once into a ring, and there is one event for it. The times are, to the last bit, those of a `RateQueue` before a `Delay`.
 */
export class SteadyLink<Packet extends PathPacket> implements PathElement<Packet> {
  readonly rateBitsPerSecond: number;
  readonly delayMicroseconds: number;
  readonly limits: QueueLimits;
  readonly #deliver: Deliver<Packet>;
  readonly #drop: Drop<Packet>;
  /** The ring: packets in the order of their arrival, and for each, side by side, when its last bit is sent and its length. */
  #packets: (Packet | undefined)[] = emptySlots(firstCapacity);
  #numbers = new Float64Array(2 * firstCapacity);
  /** Places of the ring less one. */
  #mask = firstCapacity - 1;
  #head = 0;
  #held = 0;
  /** Of those held, from the first: sent, as of the last look. The next is being sent, the others wait. */
  #sent = 0;
  #queueBytes = 0;
  #queueBytesHigh = 0;
  #deliveredPackets = 0;
  #deliveredBytes = 0;

  /** @param rateBitsPerSecond above 0; Infinity for no rate */
  constructor(
    rateBitsPerSecond: number,
    limits: QueueLimits,
    delayMicroseconds: number,
    deliver: Deliver<Packet>,
    drop: Drop<Packet>,
  ) {
    this.rateBitsPerSecond = rateBitsPerSecond;
    this.limits = limits;
    this.delayMicroseconds = Math.max(0, delayMicroseconds);
    this.#deliver = deliver;
    this.#drop = drop;
  }

  get heldPackets(): number {
    return this.#held;
  }

  get deliveredPackets(): number {
    return this.#deliveredPackets;
  }

  get deliveredBytes(): number {
    return this.#deliveredBytes;
  }

  /** As of the last `catchUp`, `push` or `advance`, as in a RateQueue. */
  get queueBytes(): number {
    return this.#queueBytes;
  }

  get queuePackets(): number {
    return Math.max(0, this.#held - this.#sent - 1);
  }

  get queueBytesHigh(): number {
    return this.#queueBytesHigh;
  }

  push(packet: Packet, now: number): void {
    this.catchUp(now);
    const { bytes } = packet;
    let start = now;
    if (this.#sent < this.#held) {
      if (!this.#fits(bytes, now)) {
        this.#drop(packet, "queue", now);
        return;
      }
      start = this.#finishTime(this.#held - 1);
      this.#queueBytes += bytes;
      if (this.#queueBytes > this.#queueBytesHigh) this.#queueBytesHigh = this.#queueBytes;
    }
    if (this.#held > this.#mask) this.#grow();
    const at = (this.#head + this.#held++) & this.#mask;
    this.#packets[at] = packet;
    this.#numbers[2 * at] = start + this.#transmissionTime(bytes);
    this.#numbers[2 * at + 1] = bytes;
  }

  nextTime(): number {
    return this.#held === 0 ? Infinity : this.#finishTime(0) + this.delayMicroseconds;
  }

  advance(now: number): void {
    this.catchUp(now);
    while (this.#held > 0) {
      const at = this.#head;
      const time = this.#numbers[2 * at]! + this.delayMicroseconds;
      if (time > now) return;
      const packet = this.#packets[at]!;
      this.#packets[at] = undefined;
      this.#head = (at + 1) & this.#mask;
      this.#held--;
      this.#sent--;
      this.#deliveredPackets++;
      this.#deliveredBytes += this.#numbers[2 * at + 1]!;
      this.#deliver(packet, time);
    }
  }

  /** Counts as sent what has been sent by `now`; delivers nothing. */
  catchUp(now: number): void {
    while (this.#sent < this.#held && this.#finishTime(this.#sent) <= now) {
      this.#sent++;
      if (this.#sent < this.#held) this.#queueBytes -= this.#numbers[2 * ((this.#head + this.#sent) & this.#mask) + 1]!;
    }
  }

  /** Gives all that is held to elements that can do more, which are empty yet and of the same rate and delay. */
  handOver(rate: RateQueue<Packet>, delay: Delay<Packet>, now: number): void {
    this.catchUp(now);
    for (let i = 0; i < this.#held; i++) {
      const packet = this.#packets[(this.#head + i) & this.#mask]!;
      if (i < this.#sent) delay.push(packet, this.#finishTime(i));
      else rate.resume(packet, this.#finishTime(i));
    }
    this.#held = 0;
    this.#sent = 0;
  }

  /** Of the `index`th of those held. */
  #finishTime(index: number): number {
    return this.#numbers[2 * ((this.#head + index) & this.#mask)]!;
  }

  #transmissionTime(bytes: number): number {
    return (bytes * 8e6) / this.rateBitsPerSecond;
  }

  #fits(bytes: number, now: number): boolean {
    const limits = this.limits;
    if (limits.bytes !== undefined && this.#queueBytes + bytes > limits.bytes) return false;
    if (limits.packets !== undefined && this.queuePackets + 1 > limits.packets) return false;
    if (limits.timeMicroseconds === undefined) return true;
    return this.#finishTime(this.#sent) - now + this.#transmissionTime(this.#queueBytes) <= limits.timeMicroseconds;
  }

  #grow(): void {
    const size = this.#mask + 1;
    const packets = emptySlots<Packet>(2 * size);
    const numbers = new Float64Array(4 * size);
    for (let i = 0; i < size; i++) {
      const at = (this.#head + i) & this.#mask;
      packets[i] = this.#packets[at];
      numbers[2 * i] = this.#numbers[2 * at]!;
      numbers[2 * i + 1] = this.#numbers[2 * at + 1]!;
    }
    this.#packets = packets;
    this.#numbers = numbers;
    this.#mask = 2 * size - 1;
    this.#head = 0;
  }
}

function emptySlots<Packet>(length: number): (Packet | undefined)[] {
  return Array.from<Packet | undefined>({ length }).fill(undefined);
}
