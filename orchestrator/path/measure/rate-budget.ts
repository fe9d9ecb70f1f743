/** Lets work begin while what all of it takes together fits; whoever does not fit waits, first come first served. */
export class RateBudget {
  #free: number;
  readonly #waiting: { weight: number; admit: () => void }[] = [];

  constructor(total: number) {
    this.#free = total;
  }

  /** @param weight at most the total */
  async acquire(weight: number): Promise<void> {
    if (this.#waiting.length === 0 && weight <= this.#free) {
      this.#free -= weight;
      return;
    }
    await new Promise<void>((admit) => this.#waiting.push({ weight, admit }));
  }

  release(weight: number): void {
    this.#free += weight;
    for (let next = this.#waiting[0]; next !== undefined && next.weight <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.weight;
      next.admit();
    }
  }
}
