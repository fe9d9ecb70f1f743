/** Hosts on one virtual clock, joined by pipes with rate, delay, queue, loss, reordering and duplication: the bench of the stack's tests. */

import { checksumState, type FrameSink, type OutgoingFrame } from "../frame.ts";
import type { Host } from "../host.ts";
import type { StackEvent } from "../events.ts";
import { etherType } from "../wire/ethernet.ts";
import { type IpAddress, ipv4FromNumber, parseIpAddress } from "../wire/ip-address.ts";
import { readIpv6 } from "../wire/ipv6-address.ts";
import { answerNeighbour } from "./neighbour-answers.ts";
import { seededRandom } from "./random.ts";

/** Of the test network's devices, all with an MTU of 1500. */
const largestFrame = 1514;

export interface PipeOptions {
  /** Bits per second; default unlimited. Ethernet frame bytes count. */
  rate?: number;
  /** One way, microseconds. */
  delay?: number;
  /** Bytes of frames that may wait; default unlimited. */
  queueBytes?: number;
  /** Probabilities of each frame. */
  loss?: number;
  duplicate?: number;
  /** Probability that a frame is held back by up to `reorderDelay` microseconds. */
  reorder?: number;
  reorderDelay?: number;
}

/** Changes a frame in place (true), drops it (false), or puts others in its place: a middlebox. */
export type Middlebox = (frame: Uint8Array, now: number) => boolean | Uint8Array[];

interface Departure {
  time: number;
  frame: Uint8Array;
}

/** One direction between an interface and the core of the network. */
export class Pipe {
  options: PipeOptions;
  blackhole = false;
  middlebox: Middlebox | undefined;
  frames = 0;
  dropped = 0;
  #freeAt = 0;
  readonly #random: () => number;

  constructor(options: PipeOptions, seed: number) {
    this.options = options;
    this.#random = seededRandom(seed);
  }

  /** What comes out of the pipe, and when. */
  push(frame: Uint8Array, now: number): Departure[] {
    this.frames++;
    if (this.blackhole || this.#chance(this.options.loss ?? 0)) {
      this.dropped++;
      return [];
    }
    const verdict = this.middlebox?.(frame, now) ?? true;
    const passed = verdict === true ? [frame] : verdict === false ? [] : verdict;
    if (passed.length === 0) this.dropped++;
    return passed.flatMap((each) => this.#carry(each, now));
  }

  #carry(frame: Uint8Array, now: number): Departure[] {
    const { rate, delay = 0, queueBytes, duplicate = 0, reorder = 0, reorderDelay = 0 } = this.options;
    let leaves = now;
    if (rate !== undefined) {
      const start = Math.max(now, this.#freeAt);
      if (queueBytes !== undefined && ((start - now) * rate) / 8e6 + frame.length > queueBytes) {
        this.dropped++;
        return [];
      }
      leaves = start + (frame.length * 8e6) / rate;
      this.#freeAt = leaves;
    }
    const extra = this.#chance(reorder) ? (this.#random() / 2 ** 32) * reorderDelay : 0;
    const time = leaves + delay + extra;
    // The second copy has memory of its own: what changes frames further on does so in place.
    return this.#chance(duplicate)
      ? [
          { time, frame },
          { time: time + 1, frame: frame.slice() },
        ]
      : [{ time, frame }];
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#random() < probability * 2 ** 32;
  }
}

export interface Attachment {
  host: Host;
  interfaceIndex: number;
  /** From the host to the core, and back. */
  up: Pipe;
  down: Pipe;
}

interface Arrival {
  time: number;
  order: number;
  frame: Uint8Array;
  from: Attachment;
  to: Attachment | undefined;
  partialChecksum: boolean;
}

export class Network {
  now = 1_000_000;
  readonly events: (StackEvent & { host: string })[] = [];
  /** Called after each step of the clock. */
  onStep: (() => void) | undefined;
  readonly attachments: Attachment[] = [];
  readonly #sinks = new Map<Host, FrameSink>();
  readonly #routes = new Map<IpAddress, Attachment>();
  readonly #arrivals: Arrival[] = [];
  readonly #actions: { time: number; run: () => void }[] = [];
  #order = 0;
  readonly #hosts: Host[] = [];

  attach(host: Host, interfaceIndex: number, addresses: string[], up: PipeOptions, down: PipeOptions = up): Attachment {
    const seed = this.attachments.length * 2 + 77;
    const attachment = { host, interfaceIndex, up: new Pipe(up, seed), down: new Pipe(down, seed + 1) };
    this.attachments.push(attachment);
    for (const address of addresses) this.route(address, attachment);
    if (!this.#hosts.includes(host)) {
      this.#hosts.push(host);
      this.#sinks.set(host, this.#sinkOf(host));
    }
    return attachment;
  }

  /** What is sent to `address` goes to `attachment` from now on. */
  route(address: string, attachment: Attachment): void {
    this.#routes.set(parseIpAddress(address)!, attachment);
  }

  /** A middlebox on `attachment` sends a frame of its own to the host there. */
  inject(attachment: Attachment, frame: Uint8Array): void {
    const time = this.now;
    this.#push({ time, order: this.#order++, frame, from: attachment, to: attachment, partialChecksum: false });
  }

  /** Runs `action` at `time`. */
  at(time: number, action: () => void): void {
    const actions = this.#actions;
    let at = actions.length;
    while (at > 0 && actions[at - 1]!.time > time) at--;
    actions.splice(at, 0, { time, run: action });
  }

  /** Lets time pass until `done` says so or `duration` microseconds have passed; whether it said so. */
  run(duration: number, done: () => boolean = () => false): boolean {
    const end = this.now + duration;
    for (;;) {
      this.flush();
      if (done()) return true;
      const next = this.#next();
      if (next > end) {
        this.now = end;
        return false;
      }
      this.now = Math.max(this.now, next);
      while (this.#actions.length > 0 && this.#actions[0]!.time <= this.now) this.#actions.shift()!.run();
      while (this.#arrivals.length > 0 && this.#arrivals[0]!.time <= this.now) this.#deliver(this.#pop());
      for (const host of this.#hosts) if (host.pollTimeout() <= this.now) host.handleTimeout(this.now);
    }
  }

  /** Transmits and notifies until nothing more happens at this instant. */
  flush(): void {
    for (let round = 0; round < 3; round++) {
      for (const host of this.#hosts) {
        host.pollTransmit(this.now, this.#sinks.get(host)!);
        host.deliverNotifications();
      }
    }
    for (const host of this.#hosts) {
      for (let event = host.pollEvent(); event !== undefined; event = host.pollEvent())
        this.events.push({ ...event, host: host.name });
    }
    this.onStep?.();
  }

  eventsNamed<N extends StackEvent["name"]>(
    name: N,
    host?: Host,
  ): (Extract<StackEvent, { name: N }> & { host: string })[] {
    return this.events.filter(
      (event) => event.name === name && (host === undefined || event.host === host.name),
    ) as never;
  }

  #sinkOf(host: Host): FrameSink {
    const ownLinks: Attachment[] = [];
    return {
      transmit: (frame) => {
        const index = frame.interfaceIndex;
        const from = (ownLinks[index] ??= this.attachments.find(
          (link) => link.host === host && link.interfaceIndex === index,
        )!);
        requireRoom(frame);
        const bytes = gather(frame);
        for (const { time, frame: passed } of from.up.push(bytes, this.now)) {
          this.#push({
            time,
            order: this.#order++,
            frame: passed,
            from,
            to: undefined,
            partialChecksum: frame.checksumStart > 0,
          });
        }
      },
    };
  }

  #deliver(arrival: Arrival): void {
    if (arrival.to !== undefined) {
      const { host, interfaceIndex } = arrival.to;
      const checksum = arrival.partialChecksum ? checksumState.partial : checksumState.unverified;
      host.handleFrame(interfaceIndex, arrival.frame, 0, arrival.frame.length, checksum, this.now);
      return;
    }
    // The core is the router of every link: it answers for every address.
    const answer = answerNeighbour(arrival.frame);
    if (answer === "none") return;
    const to = answer === undefined ? this.#routes.get(destinationOf(arrival.frame)) : arrival.from;
    if (to === undefined) return;
    const departures =
      answer === undefined ? to.down.push(arrival.frame, this.now) : [{ time: this.now, frame: answer }];
    for (const { time, frame } of departures) {
      this.#push({ ...arrival, frame, time, order: this.#order++, to });
    }
  }

  #next(): number {
    let next = Math.min(
      this.#arrivals[0]?.time ?? Number.POSITIVE_INFINITY,
      this.#actions[0]?.time ?? Number.POSITIVE_INFINITY,
    );
    for (const host of this.#hosts) next = Math.min(next, host.pollTimeout());
    return next;
  }

  #push(arrival: Arrival): void {
    const heap = this.#arrivals;
    let at = heap.push(arrival) - 1;
    while (at > 0 && before(arrival, heap[(at - 1) >> 1]!)) {
      heap[at] = heap[(at - 1) >> 1]!;
      at = (at - 1) >> 1;
    }
    heap[at] = arrival;
  }

  #pop(): Arrival {
    const heap = this.#arrivals;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function before(a: Arrival, b: Arrival): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}

/** No device takes more than its MTU, neither at once nor as one of the segments that it cuts. */
function requireRoom({ headerLength, payloadLength, gsoSize }: OutgoingFrame): void {
  const length = headerLength + (gsoSize > 0 ? gsoSize : payloadLength);
  if (length > largestFrame) throw new RangeError(`a frame of ${length} bytes, where ${largestFrame} are the most`);
}

function gather(frame: OutgoingFrame): Uint8Array {
  const bytes = new Uint8Array(frame.headerLength + frame.payloadLength);
  bytes.set(frame.header.subarray(0, frame.headerLength));
  let at = frame.headerLength;
  for (let i = 0; i < frame.payloadCount; i++) {
    const offset = frame.payloadOffsets[i]!;
    bytes.set(frame.payloadBuffers[i]!.subarray(offset, offset + frame.payloadLengths[i]!), at);
    at += frame.payloadLengths[i]!;
  }
  return bytes;
}

function destinationOf(frame: Uint8Array): IpAddress {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  return view.getUint16(12) === etherType.ipv6 ? readIpv6(view, 38) : ipv4FromNumber(view.getUint32(30));
}
