/** At most so many challenge acknowledgements in a second (RFC 5961 §7), so that two hosts cannot keep each other busy with them. */
const limitPerSecond = 10;

export class ChallengeAckLimit {
  #second = -1;
  #sent = 0;

  allow(now: number): boolean {
    const second = Math.floor(now / 1_000_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#sent = 0;
    }
    return this.#sent++ < limitPerSecond;
  }
}
