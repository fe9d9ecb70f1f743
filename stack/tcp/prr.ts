/** Proportional rate reduction (RFC 6937 §3.1, with the slow-start reduction bound): how much goes out for each acknowledgement in recovery. */

import type { DecisionRecorder } from "./tcp-journal.ts";

export class ProportionalRateReduction {
  readonly #trace: DecisionRecorder | undefined;
  #delivered = 0;
  #sent = 0;
  /** RecoverFS. */
  #flightSize = 1;
  /** Bytes that may be sent now: sndcnt. */
  allowance = 0;

  constructor(trace: DecisionRecorder | undefined) {
    this.#trace = trace;
  }

  begin(flightSize: number, recoveryPoint: number, slowStartThreshold: number, now: number): void {
    this.#trace?.(
      {
        name: "recovery:rate-reduction-begun",
        section: "RFC 6937 §3.1",
        flightSize,
        recoveryPoint,
        slowStartThreshold,
      },
      now,
    );
    this.#delivered = 0;
    this.#sent = 0;
    this.#flightSize = Math.max(1, flightSize);
    this.allowance = 0;
  }

  /** `delivered` bytes were newly acknowledged, cumulatively or selectively; `pipe` bytes are in flight now. */
  onAcknowledged(delivered: number, pipe: number, slowStartThreshold: number, segmentSize: number, now: number): void {
    this.#delivered += delivered;
    let count: number;
    if (pipe > slowStartThreshold) {
      count = Math.ceil((this.#delivered * slowStartThreshold) / this.#flightSize) - this.#sent;
    } else {
      const bound = Math.max(this.#delivered - this.#sent, delivered) + segmentSize;
      count = Math.min(slowStartThreshold - pipe, bound);
    }
    // The first retransmission goes out with the acknowledgement that began the recovery (RFC 6675 §5 (4.3)).
    this.allowance = Math.max(0, count, this.#sent === 0 ? segmentSize : 0);
    this.#trace?.(
      {
        name: "recovery:rate-reduced",
        section: "RFC 6937 §3.1",
        bound: pipe > slowStartThreshold ? "proportional" : "slow-start",
        deliveredBytes: delivered,
        totalDeliveredBytes: this.#delivered,
        totalSentBytes: this.#sent,
        bytesInFlight: pipe,
        slowStartThreshold,
        allowance: this.allowance,
      },
      now,
    );
  }

  onSent(bytes: number): void {
    this.#sent += bytes;
    this.allowance = Math.max(0, this.allowance - bytes);
  }
}
