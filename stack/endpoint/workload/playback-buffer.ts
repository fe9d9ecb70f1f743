export interface Stall {
  readonly at: number;
  readonly microseconds: number;
}

export type PlaybackState = "buffering" | "playing" | "stalled" | "finished";

export interface PlaybackOptions {
  readonly rateBitsPerSecond: number;
  /** Playback begins, and resumes after a stall, when this much is buffered or nothing more will come. */
  readonly thresholdMicroseconds: number;
  /** Length of the whole stream: running empty at its end is no stall. */
  readonly totalBytes: number;
}

/**
 * The buffer of a player of a constant-rate stream: filled by what arrives, drained in real time. A stall begins when it runs empty before the end
 * of the stream and lasts until the threshold is reached again. All times in microseconds of the caller's clock; `now` never goes back.
 */
export class PlaybackBuffer {
  readonly #options: PlaybackOptions;
  #state: PlaybackState = "buffering";
  #receivedBytes = 0;
  #ended = false;
  /** While playing: the time at which the buffer will be empty. */
  #emptyAt = 0;
  /** While not playing: microseconds of media that wait. */
  #waiting = 0;
  #startedAt: number | undefined;
  #stallBegan = 0;
  readonly #stalls: Stall[] = [];

  constructor(options: PlaybackOptions) {
    this.#options = options;
  }

  get state(): PlaybackState {
    return this.#state;
  }

  get startedAt(): number | undefined {
    return this.#startedAt;
  }

  /** Stalls that are over. */
  get stalls(): readonly Stall[] {
    return this.#stalls;
  }

  /** While stalled: since when. */
  get stalledSince(): number | undefined {
    return this.#state === "stalled" ? this.#stallBegan : undefined;
  }

  levelMicroseconds(now: number): number {
    if (this.#state === "playing") return Math.max(0, this.#emptyAt - now);
    return this.#state === "finished" ? 0 : this.#waiting;
  }

  /** When `handleTimeout` has something to do, `Infinity` for never. */
  pollTimeout(): number {
    return this.#state === "playing" ? this.#emptyAt : Infinity;
  }

  /** Bytes that come in the very microsecond in which the buffer runs empty prevent the stall. */
  arrived(bytes: number, now: number): void {
    if (now > this.pollTimeout()) this.handleTimeout(now);
    const media = (bytes * 8_000_000) / this.#options.rateBitsPerSecond;
    this.#receivedBytes += bytes;
    if (this.#receivedBytes >= this.#options.totalBytes) this.#ended = true;
    if (this.#state === "playing") this.#emptyAt += media;
    else this.#waiting += media;
    this.#playIfReady(now);
  }

  /** Nothing more will come. */
  end(now: number): void {
    if (now > this.pollTimeout()) this.handleTimeout(now);
    this.#ended = true;
    this.#playIfReady(now);
  }

  handleTimeout(now: number): void {
    if (this.#state !== "playing" || now < this.#emptyAt) return;
    this.#waiting = 0;
    if (this.#ended) {
      this.#state = "finished";
    } else {
      this.#state = "stalled";
      this.#stallBegan = this.#emptyAt;
    }
  }

  #playIfReady(now: number): void {
    if (this.#state !== "buffering" && this.#state !== "stalled") return;
    if (this.#waiting < this.#options.thresholdMicroseconds && !this.#ended) return;
    if (this.#state === "stalled") this.#stalls.push({ at: this.#stallBegan, microseconds: now - this.#stallBegan });
    this.#startedAt ??= now;
    this.#state = "playing";
    this.#emptyAt = now + this.#waiting;
    this.#waiting = 0;
  }
}
