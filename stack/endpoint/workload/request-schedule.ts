export interface RequestScheduleOptions {
  readonly intervalMicroseconds: number;
  readonly count: number;
  readonly responseBytes: number;
}

/**
 * An open loop of requests: request k is due at start + k × interval, whatever became of those before. Responses are matched in order; a latency
 * counts from the moment at which the request was due, so that a stalled sender cannot hide what its user waited for.
 */
export class RequestSchedule {
  readonly #options: RequestScheduleOptions;
  readonly #startAt: number;
  #sent = 0;
  #responseBytes = 0;
  #responses = 0;
  #lastResponseAt: number | undefined;
  #longestGap = 0;
  #longestGapAt = 0;
  readonly #latencies: number[] = [];

  constructor(options: RequestScheduleOptions, startAt: number) {
    this.#options = options;
    this.#startAt = startAt;
  }

  get requests(): number {
    return this.#sent;
  }

  get responses(): number {
    return this.#responses;
  }

  get latenciesMicroseconds(): readonly number[] {
    return this.#latencies;
  }

  /** Longest time between two responses. */
  get longestGapMicroseconds(): number {
    return this.#longestGap;
  }

  /** When the longest gap began: the time of a response; the workload's start where there was none. */
  get longestGapAt(): number {
    return this.#longestGap > 0 ? this.#longestGapAt : this.#startAt;
  }

  get allSent(): boolean {
    return this.#sent >= this.#options.count;
  }

  /** When the next request is due, `Infinity` after the last. */
  pollTimeout(): number {
    return this.allSent ? Infinity : this.#startAt + this.#sent * this.#options.intervalMicroseconds;
  }

  /** Index of the next request that is due by `now`; it counts as sent. */
  takeRequest(now: number): number | undefined {
    return now >= this.pollTimeout() && !this.allSent ? this.#sent++ : undefined;
  }

  /** Throws RangeError when the peer answers more than it was asked. */
  responseArrived(bytes: number, now: number): void {
    this.#responseBytes += bytes;
    if (this.#responseBytes > this.#sent * this.#options.responseBytes) {
      throw new RangeError(
        `${this.#responseBytes} response bytes for ${this.#sent} requests of ${this.#options.responseBytes}`,
      );
    }
    while (this.#responses < Math.floor(this.#responseBytes / this.#options.responseBytes)) {
      this.#latencies.push(now - (this.#startAt + this.#responses * this.#options.intervalMicroseconds));
      this.#responses += 1;
      const gap = now - (this.#lastResponseAt ?? now);
      if (gap > this.#longestGap) {
        this.#longestGap = gap;
        this.#longestGapAt = now - gap;
      }
      this.#lastResponseAt = now;
    }
  }
}
