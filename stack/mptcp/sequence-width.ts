/** How many octets a data sequence number needs: 4 as long as they cannot wrap while an old segment may still arrive, else 8 (RFC 8684 §3.3.1). */

/** RFC 9293 §3.4.1. */
const maximumSegmentLifetime = 120_000_000;
/** A receiver takes a number of 4 octets as the nearest to what it awaits: this far to either side. */
const reach = 2 ** 31;

export class SequenceWidth {
  isLong = false;
  /** What had been sent when the present span began, and the one before. */
  #spanStart = 0;
  #earlierStart = 0;
  #spanBegan: number | undefined;

  /** Data have been sent up to offset `next`. */
  note(next: number, now: number): void {
    this.#spanBegan ??= now;
    if (now - this.#spanBegan >= maximumSegmentLifetime) {
      this.#earlierStart = this.#spanStart;
      this.#spanStart = next;
      this.#spanBegan = now;
    }
    // From the earlier mark on it has been at least one lifetime, and at most two.
    this.isLong = next - this.#earlierStart > reach;
  }
}
