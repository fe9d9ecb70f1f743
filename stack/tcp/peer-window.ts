/** The window that the peer tells (RFC 9293 §3.10.7.4: SND.WND, SND.WL1, SND.WL2). */

export class PeerWindow {
  /** MAX.SND.WND of RFC 5961 §5.2. */
  largest = 0;
  /** The latest as it stood in its header; -1: none yet. */
  latestField = -1;
  #sequence = 0;
  #acknowledgement = 0;

  /**
   * A segment that begins at `start` acknowledges up to `acknowledged` and tells `window` bytes. Returns the first offset beyond the window, or -1: the segment
   * is older than the last one that told.
   */
  update(start: number, acknowledged: number, window: number, field: number): number {
    this.latestField = field;
    if (start < this.#sequence || (start === this.#sequence && acknowledged < this.#acknowledgement)) return -1;
    this.#sequence = start;
    this.#acknowledgement = acknowledged;
    if (window > this.largest) this.largest = window;
    return acknowledged + window;
  }
}
