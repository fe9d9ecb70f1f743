/** When data arrived at the application: total, first and last arrival, the longest silence between two arrivals. Times in microseconds, any clock. */
export class ArrivalMeter {
  #bytes = 0;
  #reportedBytes = 0;
  #firstAt: number | undefined;
  #lastAt: number | undefined;
  #longestGap = 0;
  #longestGapAt = 0;

  arrived(bytes: number, now: number): void {
    this.#bytes += bytes;
    this.#firstAt ??= now;
    const gap = now - (this.#lastAt ?? now);
    if (gap > this.#longestGap) {
      this.#longestGap = gap;
      this.#longestGapAt = now - gap;
    }
    this.#lastAt = now;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get firstAt(): number | undefined {
    return this.#firstAt;
  }

  get lastAt(): number | undefined {
    return this.#lastAt;
  }

  get longestGapMicroseconds(): number {
    return this.#longestGap;
  }

  /** When the longest gap began; the first arrival where there was no gap. */
  get longestGapAt(): number {
    return this.#longestGap > 0 ? this.#longestGapAt : (this.#firstAt ?? 0);
  }

  /** Bytes since the last call. */
  takeProgress(): number {
    const progress = this.#bytes - this.#reportedBytes;
    this.#reportedBytes = this.#bytes;
    return progress;
  }
}
