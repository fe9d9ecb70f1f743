/** HyStart++ (RFC 9406): slow start ends when the round-trip time rises, before the queue overflows. */

/** RFC 9406 §4.3. */
const minimumRttThreshold = 4_000;
const maximumRttThreshold = 16_000;
const rttDivisor = 8;
const samplesOfRound = 8;
const conservativeGrowthDivisor = 4;
const conservativeRounds = 5;

/** What slow start does next: goes on, goes on slowly, or ends. */
export type SlowStartPhase = "standard" | "conservative" | "finished";

export class HyStart {
  phase: SlowStartPhase = "standard";
  /** Of this round, of the one before, and of the round that made slow start conservative. */
  #currentRtt = Number.POSITIVE_INFINITY;
  #lastRtt = Number.POSITIVE_INFINITY;
  #baselineRtt = Number.POSITIVE_INFINITY;
  #samples = 0;
  #roundEnd = 0;
  #conservativeRounds = 0;

  /** For an acknowledgement up to `acknowledged`, when `sendNext` is the next offset to be sent (RFC 9406 §4.2). */
  onRttSample(rttMicroseconds: number, acknowledged: number, sendNext: number): void {
    if (this.phase === "finished") return;
    if (acknowledged >= this.#roundEnd) this.#beginRound(sendNext);
    this.#samples++;
    if (rttMicroseconds < this.#currentRtt) this.#currentRtt = rttMicroseconds;
    if (this.#samples < samplesOfRound) return;
    if (this.phase === "standard") {
      if (this.#lastRtt === Number.POSITIVE_INFINITY) return;
      const threshold = Math.max(minimumRttThreshold, Math.min(this.#lastRtt / rttDivisor, maximumRttThreshold));
      if (this.#currentRtt < this.#lastRtt + threshold) return;
      this.#baselineRtt = this.#currentRtt;
      this.#conservativeRounds = 0;
      this.phase = "conservative";
    } else if (this.#currentRtt < this.#baselineRtt) {
      // The rise was not the queue's.
      this.#baselineRtt = Number.POSITIVE_INFINITY;
      this.phase = "standard";
    }
  }

  /** Bytes by which `acknowledged` bytes open the window. */
  growth(acknowledged: number): number {
    return this.phase === "conservative" ? acknowledged / conservativeGrowthDivisor : acknowledged;
  }

  /** Only the first slow start is watched: a later one has a threshold from experience (RFC 9406 §4.2). */
  finish(): void {
    this.phase = "finished";
  }

  #beginRound(sendNext: number): void {
    this.#roundEnd = sendNext;
    this.#lastRtt = this.#currentRtt;
    this.#currentRtt = Number.POSITIVE_INFINITY;
    this.#samples = 0;
    if (this.phase === "conservative" && ++this.#conservativeRounds > conservativeRounds) this.phase = "finished";
  }
}
