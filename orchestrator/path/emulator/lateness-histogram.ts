const bucketMicroseconds = 5;
const buckets = 4000;

/** Counts how late releases were, in steps of 5 µs up to 20 ms; what is later is only known by the maximum. */
export class LatenessHistogram {
  readonly #counts = new Float64Array(buckets + 1);
  #total = 0;
  #max = 0;

  get total(): number {
    return this.#total;
  }

  get max(): number {
    return this.#max;
  }

  add(microseconds: number): void {
    const late = Math.max(0, microseconds);
    this.#counts[Math.min(buckets, Math.floor(late / bucketMicroseconds))]!++;
    this.#total++;
    if (late > this.#max) this.#max = late;
  }

  /** The upper edge of the step that holds this share (0…1) of all, or the maximum when that is less. */
  quantile(share: number): number {
    let seen = 0;
    for (let i = 0; i < buckets; i++) {
      seen += this.#counts[i]!;
      if (seen >= share * this.#total) return Math.min((i + 1) * bucketMicroseconds, this.#max);
    }
    return this.#max;
  }
}
