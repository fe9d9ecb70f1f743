/**
 * What the path takes: by ICMP (RFC 1191, with the checks of RFC 5927 §7), and by experience where ICMP is filtered (a black hole, RFC 2923 §2.1; RFC 4821 §7.7).
 */

/** A router that claims less than this is not believed: it would only make us send headers (RFC 5927 §7.2). */
const smallestSegment = 512;
/** What a black hole is taken to let pass (RFC 4821 §7.2), tried after so many timeouts in a row. */
const trialSegment = 1024;
const trialTimeouts = 2;
/** So many times in a row a small segment has to arrive where large ones did not: once may be an outage that has just ended. */
const proofs = 2;

export class PathMtu {
  /** Payload and options of the largest segment that the path takes, as far as is known. */
  segmentSize: number = Number.POSITIVE_INFINITY;
  #proofs = 0;

  /** A router had to fragment: true when its word changes anything. `claimed`: MTU less the fixed headers; `present`: what was sent. */
  onFragmentationNeeded(claimed: number, present: number): boolean {
    const believed = Math.max(smallestSegment, claimed);
    if (believed >= present) return false;
    this.segmentSize = believed;
    return true;
  }

  /** What a timeout's retransmission is cut to after `timeouts` in a row. */
  trialSize(size: number, timeouts: number): number {
    return timeouts >= trialTimeouts ? Math.min(size, trialSegment) : size;
  }

  /** After `timeouts` in a row a segment has arrived. True: only small ones do, so that the path is known now. */
  onAnswer(size: number, timeouts: number): boolean {
    const trial = this.trialSize(size, timeouts);
    if (trial >= size || ++this.#proofs < proofs) return false;
    this.segmentSize = trial;
    this.#proofs = 0;
    return true;
  }

  /** A segment of full size has arrived. */
  onFullSegment(): void {
    this.#proofs = 0;
  }
}
