/**
 * Which memory the kernel is asked to put a super-packet into (`hdr_len` of virtio-net): in one piece of 64 KiB, or in pages of 32 KiB from the lists that each processor keeps of free ones.
 *
 * A piece comes from the one allocator of all processors, which gives back first what was freed last: memory that the receiver has just read. Where both processors share a cache it is still
 * there, and the packet costs a third less. Where they do not, each line has to be fetched from the other's cache, which takes three times as long as pages that no cache holds. Nothing
 * tells where two processors of a guest are, and it changes while the guest runs: so from time to time the other memory is tried, and the faster one is used.
 */

/** Of super-packets: how many leave before the first trial and between two trials, in a trial, and how many of that do not count, since memory of the other kind is still being freed. */
const untilFirstTrial = 4_096;
const betweenTrials = 65_536;
const trialLength = 512;
const settling = 128;
/** How many leave in pages after the kernel has found no piece. */
const afterRefusal = 256;
/** What is worth a change. */
const betterBy = 0.9;
/** Calls whose median is a cost: one in which the process had to wait for its processor tells nothing. */
const sampleLimit = 63;

type Kind = "piece" | "pages";

export class SuperPacketMemory {
  #kind: Kind = "piece";
  #trying = false;
  #left = untilFirstTrial;
  /** Of this phase, microseconds a byte. */
  #samples: number[] = [];
  #next = 0;
  /** What was in use before the trial. */
  #costInUse = Number.POSITIVE_INFINITY;

  get isOnePiece(): boolean {
    return this.#kind === "piece";
  }

  /** One call of the kernel took `count` super-packets of `bytes` together. */
  onSent(count: number, bytes: number, microseconds: number): void {
    this.#left -= count;
    if (!this.#trying || this.#left <= trialLength - settling) {
      this.#samples[this.#next] = microseconds / bytes;
      this.#next = (this.#next + 1) % sampleLimit;
    }
    if (this.#left <= 0) this.#judge();
  }

  /** The kernel has found no memory for a piece (ENOBUFS). */
  onRefused(): void {
    this.#use("pages", false, afterRefusal);
  }

  #judge(): void {
    const cost = median(this.#samples);
    if (!this.#trying) {
      this.#costInUse = cost;
      this.#use(this.#other, true, trialLength);
    } else this.#use(cost < this.#costInUse * betterBy ? this.#kind : this.#other, false, betweenTrials);
  }

  get #other(): Kind {
    return this.#kind === "piece" ? "pages" : "piece";
  }

  #use(kind: Kind, trying: boolean, length: number): void {
    this.#kind = kind;
    this.#trying = trying;
    this.#left = length;
    this.#samples = [];
    this.#next = 0;
  }
}

function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.POSITIVE_INFINITY;
}
