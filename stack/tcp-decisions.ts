/**
 * What one subflow's TCP decides: what counts as lost and why, how recovery goes on and ends, how fast it sends. Offsets are of the subflow's stream, sizes are
 * bytes; each is told only where its category was asked for.
 */

import type { SubflowEventBase } from "./event-base.ts";
import type { RecoveryPhase, RecoveryTrigger } from "./tcp/loss-recovery.ts";

interface Offsets {
  start: number;
  end: number;
}

/** `reordering-window`: RFC 8985 §6.2; `duplicate-acknowledgements`, `partial-acknowledgement`: without SACK; `path-mtu`, `syn-data`: no congestion. */
export type LossCause =
  | "reordering-window"
  | "duplicate-acknowledgements"
  | "partial-acknowledgement"
  | "timeout"
  | "path-mtu"
  | "syn-data";

/** What changed the congestion window at once, beside its growth with acknowledgements. */
export type WindowChangeCause =
  | "loss"
  | "repaired-loss"
  | "congestion-mark"
  | "timeout"
  | "repeated-timeout"
  | "penalised"
  | "undone"
  | "idle"
  | "lost-syn"
  | "outage";

export type RecoveryDecision =
  | (SubflowEventBase & {
      name: "recovery:state-changed";
      from: RecoveryPhase;
      to: RecoveryPhase;
      trigger: RecoveryTrigger;
      /** What is acknowledged beyond ends the phase. */
      recoveryPoint: number;
      lostBytes: number;
      sackedBytes: number;
      bytesInFlight: number;
      congestionWindow: number;
      slowStartThreshold: number;
      smoothedRttMicroseconds: number;
    })
  | (SubflowEventBase &
      Offsets & {
        name: "recovery:range-lost";
        cause: LossCause;
        transmissions: number;
        /** Since it was last sent. */
        ageMicroseconds: number;
        /** Of the latest delivery (RACK.rtt), and what reordering may take beside it. */
        rackRttMicroseconds: number;
        reorderingWindowMicroseconds: number;
        duplicateAcknowledgements: number;
      })
  /** RFC 8985 §6.2 step 4: RACK.reo_wnd_mult and what it is a multiple of. */
  | (SubflowEventBase & {
      name: "recovery:reordering-window-changed";
      trigger: "duplicate-reported" | "late-arrival" | "recoveries-without-duplicate";
      multiplier: number;
      /** So many recoveries without a duplicate make it narrow again. */
      persistence: number;
      reorderingSeen: boolean;
      minimumRttMicroseconds: number;
      smoothedRttMicroseconds: number;
      reorderingWindowMicroseconds: number;
    })
  | (SubflowEventBase & {
      name: "recovery:reordering-timer-set";
      delayMicroseconds: number;
      rackRttMicroseconds: number;
      reorderingWindowMicroseconds: number;
      reorderingSeen: boolean;
      lossIsLikely: boolean;
      sackedBytes: number;
    })
  /** RecoverFS, and to what it is to come down. */
  | (SubflowEventBase & {
      name: "recovery:rate-reduction-begun";
      flightSize: number;
      recoveryPoint: number;
      slowStartThreshold: number;
    })
  /** With each acknowledgement in recovery: DeliveredData, prr_delivered, prr_out, pipe, and sndcnt. */
  | (SubflowEventBase & {
      name: "recovery:rate-reduced";
      bound: "proportional" | "slow-start";
      deliveredBytes: number;
      totalDeliveredBytes: number;
      totalSentBytes: number;
      bytesInFlight: number;
      slowStartThreshold: number;
      allowance: number;
    })
  | (SubflowEventBase & { name: "recovery:forward-rto-begun"; outstandingBytes: number; timeoutMicroseconds: number })
  /** `conventional`: what is lost is sent again; `no-new-data`: the same, since there were none to send; `waits`: the next acknowledgement tells. */
  | (SubflowEventBase & {
      name: "recovery:forward-rto-judged";
      step: "first-retransmitted" | "new-data";
      verdict: ForwardRtoVerdict;
      progress: boolean;
      recovered: boolean;
      newlySacked: boolean;
      sackPermitted: boolean;
    })
  /** D-SACK. `counts`: of what this recovery had sent again. */
  | (SubflowEventBase &
      Offsets & {
        name: "recovery:duplicate-reported";
        counts: boolean;
        duplicatedBytes: number;
        retransmittedBytes: number;
      })
  | (SubflowEventBase & {
      name: "recovery:probe-scheduled";
      verdict: "set" | "timeout-comes-first";
      delayMicroseconds: number;
      smoothedRttMicroseconds: number;
      timeoutMicroseconds: number;
      outstandingBytes: number;
    })
  | (SubflowEventBase & Offsets & { name: "recovery:probe-sent"; newData: boolean })
  | (SubflowEventBase & {
      name: "recovery:probe-answered";
      outcome: ProbeOutcome;
      end: number;
      duplicateReported: boolean;
    })
  | (SubflowEventBase & {
      name: "recovery:timeout-backed-off";
      of: "handshake" | "data";
      timeoutMicroseconds: number;
      nextTimeoutMicroseconds: number;
      backoff: number;
      smoothedRttMicroseconds: number;
      rttVariationMicroseconds: number;
      /** Of the timeout, while others stand in for this subflow. */
      limitMicroseconds: number;
    })
  /** Karn: which transmission was acknowledged is not known, so it tells no round trip. */
  | (SubflowEventBase & { name: "recovery:round-trip-ambiguous"; acknowledged: number })
  /** New data go out although something has arrived out of order. */
  | (SubflowEventBase &
      Offsets & {
        name: "recovery:limited-transmit";
        deliveredBeyondBytes: number;
        bytesInFlight: number;
        congestionWindow: number;
      });

export type ForwardRtoVerdict =
  | "sends-new-data"
  | "no-new-data"
  | "conventional"
  | "spurious"
  | "waits"
  | "timed-out-again";
/** RFC 8985 §7.4.2. `new-data`: the probe was no retransmission; `both-arrived`: by D-SACK, or by a duplicate acknowledgement. */
export type ProbeOutcome = "new-data" | "both-arrived" | "repaired-loss" | "unanswered";

export type CongestionDecision =
  /** With every measurement of a round trip. */
  | (SubflowEventBase & {
      name: "recovery:metrics-updated";
      congestionControl: string;
      congestionWindow: number;
      slowStartThreshold: number;
      bytesInFlight: number;
      latestRttMicroseconds: number;
      smoothedRttMicroseconds: number;
      minimumRttMicroseconds: number;
      rttVariationMicroseconds: number;
      timeoutMicroseconds: number;
      /** Bits a second. */
      pacingRate: number | undefined;
    })
  | (SubflowEventBase & {
      name: "congestion:window-changed";
      cause: WindowChangeCause;
      /** What was in flight a round trip ago (RFC 5681 §3.1 (4)). */
      flightSize: number;
      formerWindow: number;
      congestionWindow: number;
      slowStartThreshold: number;
    })
  /** Told when it differs from what was told last by an eighth, or its gain does. */
  | (SubflowEventBase & {
      name: "congestion:pacing-rate-changed";
      /** Bits a second. */
      pacingRate: number;
      gain: number;
      congestionWindow: number;
      slowStartThreshold: number;
      smoothedRttMicroseconds: number;
    })
  | (SubflowEventBase & {
      name: "congestion:burst-held";
      heldBytes: number;
      delayMicroseconds: number;
      /** Bits a second. */
      pacingRate: number;
    })
  /** Does its window count beside those of the others? */
  | (SubflowEventBase & {
      name: "congestion:coupling-changed";
      coupled: boolean;
      reason: "doubted" | "timed-out-again" | "heard-again";
    })
  /** Capping did not shorten the round trip: the path itself is longer. */
  | (SubflowEventBase & {
      name: "congestion:base-rtt-raised";
      formerBaseRttMicroseconds: number;
      baseRttMicroseconds: number;
    });
