/** How much one subflow may have in flight. One instance a subflow; algorithms that couple subflows share a `CoupledGroup`. */

export interface CongestionControl {
  readonly name: string;
  /** Bytes. */
  readonly congestionWindow: number;
  /** Bytes; `Infinity` before the first loss. */
  readonly slowStartThreshold: number;
  /** Once the MSS is known, and when it changes. */
  setMaximumSegmentSize(bytes: number): void;
  /**
   * `bytes` were newly acknowledged outside of fast recovery. `windowLimited`: the window was the limit, not the application; only then does it
   * grow (RFC 7661 §4.3). `smoothedRttMicroseconds` 0: not measured.
   */
  onAcknowledged(bytes: number, windowLimited: boolean, smoothedRttMicroseconds: number, now: number): void;
  /** A round trip was measured by the acknowledgement of offset `acknowledged`, when `sendNext` was the next to be sent. */
  onRttSample(rttMicroseconds: number, acknowledged: number, sendNext: number): void;
  /** Loss found by acknowledgements: once for each recovery episode (RFC 5681 §3.2), from what was in flight (equation 4). */
  onLoss(flightSize: number): void;
  /** The retransmission timer expired; `repeated`: for what was sent again already, which holds the threshold (RFC 5681 §3.1, equation 4). */
  onRetransmissionTimeout(flightSize: number, repeated: boolean): void;
  /** The latest reduction was for nothing: back to the window and threshold before it, if they were larger (RFC 4015 §3.2). */
  undo(): void;
  /** Nothing was sent for longer than a window stays valid (RFC 7661 §4.2). */
  onIdle(): void;
  /** The path answers again after an outage: what its timeouts left of the window says nothing of the path, so it begins as a new subflow would. */
  restart(): void;
  /** Not more than `bytes`, and no slow start beyond it: penalisation and window capping of Raiciu et al., NSDI'12 §4.2. */
  limit(bytes: number): void;
  /** The subflow carries nothing for now, or again: it does not, or does, count in the coupling. */
  setActive(active: boolean): void;
  /** The subflow is gone. */
  release(): void;
}

/** RFC 6928 §2. */
export function initialWindow(maximumSegmentSize: number): number {
  return Math.min(10 * maximumSegmentSize, Math.max(2 * maximumSegmentSize, 14600));
}
