import { monotonicMicroseconds } from "../../../stack/io/clock.ts";
import { interfaceInfo } from "../../../stack/io/link-events.ts";
import { frameOffset, PacketMemory, PacketSocket, virtioNetHeaderBytes } from "../../../stack/io/packet-socket.ts";
import { PreciseTimer } from "../../../stack/io/precise-timer.ts";
import { SendBatch } from "../../../stack/io/send-batch.ts";
import type { Arrival } from "./estimates.ts";

/** One host's end of a link. */
export type MeasuredEnd = { namespacePath?: string; interfaceName: string };

/** IEEE 802 local experimental EtherType 1: no stack answers it. */
const probeEtherType = 0x88b5;
const ethernetHeaderBytes = 14;
const batchFrames = 256;
/** Addresses, EtherType, number of the train, number in the train: the shortest frame, 64 bytes less its FCS. */
export const minimumProbeBytes = 60;

/** What became of one train of probes; indices are numbers in the train, times CLOCK_MONOTONIC microseconds. */
export type ProbeTrain = {
  /** When the kernel sent it; NaN when it was not seen leaving. */
  sent: Float64Array;
  /** When the kernel of the far end received it; NaN when it did not arrive. */
  received: Float64Array;
  /** All frames that came out of the link from the train's first to its last, those of hosts among them. */
  arrivals: Arrival[];
};

/** Sends trains of probe frames into one end of a link and sees them come out at the other. */
export class ProbePath {
  readonly mtu: number;
  readonly #memory = new PacketMemory(3 * batchFrames, 2048);
  readonly #sender: PacketSocket;
  readonly #leaving: PacketSocket;
  readonly #arriving: PacketSocket;
  readonly #batch: SendBatch;
  readonly #header: Uint8Array;
  #number = 0;
  #train: (ProbeTrain & { outstanding: number; done: () => void }) | undefined;
  #failure: string | undefined;

  /** @throws Error with a code when an interface or namespace is not there */
  constructor(from: MeasuredEnd, to: MeasuredEnd) {
    const source = interfaceInfo(from.namespacePath, from.interfaceName);
    const destination = interfaceInfo(to.namespacePath, to.interfaceName);
    this.mtu = Math.min(source.mtu, destination.mtu, 1500);
    this.#header = new Uint8Array(ethernetHeaderBytes);
    this.#header.set(destination.mac, 0);
    this.#header.set(source.mac, 6);
    this.#header.set([probeEtherType >> 8, probeEtherType & 0xff], 12);

    const open = (
      end: MeasuredEnd,
      firstSlot: number,
      etherType: number | undefined,
      onBatch: (count: number, socket: PacketSocket) => void,
    ) =>
      new PacketSocket({
        namespacePath: end.namespacePath,
        interfaceName: end.interfaceName,
        memory: this.#memory,
        receiveSlots: Array.from({ length: batchFrames }, (_, i) => firstSlot + i),
        ignoreOutgoing: false,
        ...(etherType === undefined ? {} : { etherType }),
        onBatch,
        onWritable: () => this.#batch.flush(true),
        onError: (code) => (this.#failure = `${end.interfaceName}: ${code}`),
      });
    // A socket does not hear its own frames, so that a second one listens to what leaves.
    this.#sender = open(from, 0, probeEtherType, () => {});
    this.#leaving = open(from, 0, probeEtherType, (count, socket) => this.#note(count, socket, true));
    // What hosts send takes its share of the line; a rate without it would be too low.
    this.#arriving = open(to, batchFrames, undefined, (count, socket) => this.#note(count, socket, false));
    this.#batch = new SendBatch(this.#sender, () => {});
  }

  /**
   * Sends `count` frames of `frameBytes`: the first `burst` at once, the others one every `gapMicroseconds`. Resolves
   * when all arrived, or when nothing arrived for `patienceMicroseconds` after the last was sent.
   *
   * @throws Error when an end of the link went down meanwhile
   */
  async send(train: {
    count: number;
    frameBytes: number;
    burst: number;
    gapMicroseconds: number;
    patienceMicroseconds: number;
  }): Promise<ProbeTrain> {
    const { count, frameBytes, burst, gapMicroseconds, patienceMicroseconds } = train;
    this.#number++;
    const outcome: ProbeTrain = {
      sent: new Float64Array(count).fill(NaN),
      received: new Float64Array(count).fill(NaN),
      arrivals: [],
    };
    const start = monotonicMicroseconds();
    let next = 0;
    await new Promise<void>((resolve) => {
      this.#train = { ...outcome, outstanding: count, done: resolve };
      const step = () => {
        const now = monotonicMicroseconds();
        const due = Math.min(count, burst + Math.floor((now - start) / gapMicroseconds));
        while (next < due) this.#sendChunk(next, (next = Math.min(due, next + batchFrames)), frameBytes);
        if (next < count) timer.set(Math.max(start + (next + 1 - burst) * gapMicroseconds, now + 500));
        else if (timerForPatience) resolve();
        else {
          timerForPatience = true;
          timer.set(now + patienceMicroseconds);
        }
      };
      let timerForPatience = false;
      const timer = new PreciseTimer(step);
      this.#train.done = () => {
        timer.close();
        resolve();
      };
      step();
    });
    this.#train?.done();
    this.#train = undefined;
    if (this.#failure !== undefined) throw new Error(`a link's end failed while it was measured: ${this.#failure}`);
    const probeTimes = Array.from(outcome.received).filter((time) => !Number.isNaN(time));
    const first = probeTimes.reduce((least, time) => Math.min(least, time), Infinity);
    const last = probeTimes.reduce((most, time) => Math.max(most, time), -Infinity);
    return { ...outcome, arrivals: outcome.arrivals.filter(({ time }) => first <= time && time <= last) };
  }

  close(): void {
    for (const socket of [this.#sender, this.#leaving, this.#arriving]) socket.close();
  }

  #sendChunk(from: number, to: number, frameBytes: number): void {
    const { bytes, view } = this.#memory;
    for (let i = from; i < to; i++) {
      const start = this.#memory.frameStart(2 * batchFrames + (i - from));
      bytes.fill(0, start - virtioNetHeaderBytes, start);
      bytes.set(this.#header, start);
      view.setUint32(start + ethernetHeaderBytes, this.#number);
      view.setUint32(start + ethernetHeaderBytes + 4, i);
      this.#batch.add(start - virtioNetHeaderBytes, virtioNetHeaderBytes + frameBytes);
    }
    this.#batch.flush();
  }

  #note(count: number, socket: PacketSocket, outgoing: boolean): void {
    const train = this.#train;
    if (train === undefined) return;
    const { view } = this.#memory;
    for (let i = 0; i < count; i++) {
      if (socket.isOutgoing(i) !== outgoing) continue;
      const frame = socket.slot(i) * this.#memory.slotBytes + frameOffset;
      if (!outgoing) train.arrivals.push({ time: socket.monotonicMicroseconds(i), bytes: socket.originalLength(i) });
      if (view.getUint16(frame + 12) !== probeEtherType) continue;
      const payload = frame + ethernetHeaderBytes;
      if (view.getUint32(payload) !== this.#number) continue;
      const index = view.getUint32(payload + 4);
      const times = outgoing ? train.sent : train.received;
      if (index >= times.length || !Number.isNaN(times[index]!)) continue;
      times[index] = socket.monotonicMicroseconds(i);
      if (!outgoing) train.outstanding--;
    }
    // The note of the last leaving may come after that of its arriving: look at both.
    if (train.outstanding === 0 && !Number.isNaN(train.sent.at(-1)!)) train.done();
  }
}
