/** Sums of a quantity over equal slices of the run's time, slice 0 beginning at the run's zero; what is earlier counts as slice 0. */
export class TimeBins {
  readonly widthMicroseconds: number;
  readonly #sums: number[] = [];

  constructor(widthMicroseconds: number) {
    this.widthMicroseconds = widthMicroseconds;
  }

  add(time: number, amount: number): void {
    const bin = Math.max(0, Math.floor(time / this.widthMicroseconds));
    while (this.#sums.length <= bin) this.#sums.push(0);
    this.#sums[bin] = this.#sums[bin]! + amount;
  }

  get sums(): readonly number[] {
    return this.#sums;
  }
}
