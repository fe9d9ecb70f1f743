export interface SegmentScheduleOptions {
  readonly rateBitsPerSecond: number;
  readonly segmentMicroseconds: number;
  readonly durationMicroseconds: number;
}

/** Bytes of a constant-rate stream that are out after `elapsedMicroseconds`. */
function bytesAfter(rateBitsPerSecond: number, elapsedMicroseconds: number): number {
  return Math.floor((rateBitsPerSecond * elapsedMicroseconds) / 8_000_000);
}

/** Bytes of the whole stream. */
export function streamBytes(options: {
  readonly rateBitsPerSecond: number;
  readonly durationMicroseconds: number;
}): number {
  return bytesAfter(options.rateBitsPerSecond, options.durationMicroseconds);
}

/**
 * A stream that is produced in real time: segment k, the bytes of `[k, k + 1) × segment duration`, becomes available at start + k × segment
 * duration. Sizes differ by at most a byte, so that the rate is exact over any number of segments; the last one may be shorter.
 */
export class SegmentSchedule {
  readonly #options: SegmentScheduleOptions;
  readonly #startAt: number;
  readonly count: number;
  #next = 0;

  constructor(options: SegmentScheduleOptions, startAt: number) {
    this.#options = options;
    this.#startAt = startAt;
    this.count = Math.ceil(options.durationMicroseconds / options.segmentMicroseconds);
  }

  get done(): boolean {
    return this.#next >= this.count;
  }

  /** When the next segment becomes available, `Infinity` after the last. */
  pollTimeout(): number {
    return this.done ? Infinity : this.#startAt + this.#next * this.#options.segmentMicroseconds;
  }

  /** The next segment that is available by `now`. */
  take(now: number): { readonly index: number; readonly offset: number; readonly bytes: number } | undefined {
    if (now < this.pollTimeout() || this.done) return undefined;
    const index = this.#next++;
    const { rateBitsPerSecond, segmentMicroseconds, durationMicroseconds } = this.#options;
    const offset = bytesAfter(rateBitsPerSecond, index * segmentMicroseconds);
    const end = bytesAfter(rateBitsPerSecond, Math.min((index + 1) * segmentMicroseconds, durationMicroseconds));
    return { index, offset, bytes: end - offset };
  }
}
