import { monotonicMicroseconds } from "../../../stack/io/clock.ts";
import { frameOffset, virtioNetHeaderBytes, type PacketSocket } from "../../../stack/io/packet-socket.ts";
import { SendBatch } from "../../../stack/io/send-batch.ts";
import { LinkDirection, type LinkDirectionConfig } from "../link-direction.ts";
import { PacketRing } from "../packet-ring.ts";
import type { Frame, FramePool } from "./frame-pool.ts";
import type { LatenessHistogram } from "./lateness-histogram.ts";

/** Frames from one end's socket through the link's elements to the other end's socket. */
export class EmulatedDirection {
  readonly link: LinkDirection<Frame>;
  readonly #pool: FramePool;
  readonly #lateness: LatenessHistogram;
  readonly #egress: PacketSocket;
  readonly #batch: SendBatch;
  /** Frames that the batch holds and the times at which they should have been sent. */
  readonly #leaving = new PacketRing<Frame>();
  readonly #due = new PacketRing<number>();
  readonly #onWarning: (message: string) => void;
  #lastArrival = -Infinity;
  #dropsOversize = 0;
  #dropsMemory = 0;

  /** @param onWarning is told the first time that a frame is lost for a reason that is not the link's */
  constructor(
    config: LinkDirectionConfig,
    egress: PacketSocket,
    pool: FramePool,
    lateness: LatenessHistogram,
    onWarning: (message: string) => void,
  ) {
    this.#onWarning = onWarning;
    this.#pool = pool;
    this.#lateness = lateness;
    this.#egress = egress;
    this.link = new LinkDirection<Frame>(
      config,
      (frame, time) => {
        this.#batch.add(
          this.#egress.memory.frameStart(frame.slot) - virtioNetHeaderBytes,
          virtioNetHeaderBytes + frame.bytes,
        );
        this.#leaving.push(frame);
        this.#due.push(time);
      },
      (frame) => pool.give(frame),
    );
    // Where zero is on a machine's clock is said when a run begins.
    this.link.beginTrace(Infinity);
    this.#batch = new SendBatch(egress, (messages) => this.#sent(messages));
  }

  get dropsOversize(): number {
    return this.#dropsOversize;
  }

  get dropsMemory(): number {
    return this.#dropsMemory;
  }

  get dropsEgress(): number {
    let drops = 0;
    for (const count of this.#batch.failures.values()) drops += count;
    return drops;
  }

  /** Takes the frames of a batch that the ingress socket has received. */
  receive(ingress: PacketSocket, count: number): void {
    const now = monotonicMicroseconds();
    const room = ingress.memory.slotBytes - frameOffset;
    for (let i = 0; i < count; i++) {
      // Frames of different processors, or a step of the day's clock: the elements want time to go forward.
      const arrival = Math.max(this.#lastArrival, Math.min(now, ingress.monotonicMicroseconds(i)));
      this.#lastArrival = arrival;
      if (ingress.originalLength(i) > room) {
        this.#loseOversize(ingress.originalLength(i));
        continue;
      }
      const spare = this.#pool.take();
      if (spare === undefined) {
        this.#loseForMemory();
        continue;
      }
      const frame = this.#pool.at(ingress.slot(i));
      ingress.refill(i, spare.slot);
      frame.bytes = ingress.length(i);
      this.link.push(frame, arrival);
    }
  }

  /** Sends what is due; returns when the next is. */
  advance(now: number): number {
    this.link.advance(now);
    this.#batch.flush();
    return this.link.nextTime();
  }

  /** The far end's socket takes frames again. */
  writable(): void {
    this.#batch.flush(true);
  }

  #loseOversize(bytes: number): void {
    if (this.#dropsOversize++ === 0)
      this.#onWarning(
        `a frame of ${bytes} bytes is longer than the MTU allows: is the sender's segmentation offload on?`,
      );
  }

  #loseForMemory(): void {
    if (this.#dropsMemory++ === 0) this.#onWarning("no memory is left for a frame: the links hold too many");
  }

  #sent(messages: number): void {
    const now = monotonicMicroseconds();
    for (let i = 0; i < messages; i++) {
      this.#pool.give(this.#leaving.shift()!);
      this.#lateness.add(now - this.#due.shift()!);
    }
  }
}
