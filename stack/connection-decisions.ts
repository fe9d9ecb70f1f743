/** What a connection decides: its scheduler, its path manager, whether it falls back, and how large a window it tells. Each is told only where its category was asked for. */

import type { EventBase, SubflowEventBase } from "./event-base.ts";
import type { SubflowDecision } from "./path-manager/path-manager.ts";

/** A subflow as the scheduler saw it when it decided; bytes, unless the name says otherwise. */
export interface CandidateSnapshot {
  subflow: number;
  usable: boolean;
  backup: boolean;
  stale: boolean;
  /** May leave now. */
  space: number;
  /** Allowed by the windows, but by the pacer only in a moment. */
  pacedBytes: number;
  congestionWindow: number;
  bytesInFlight: number;
  smoothedRttMicroseconds: number;
}

export type PenaltyWithheldReason = "in-recovery" | "reduced-already" | "window-grows";

export type ConnectionDecision =
  /** Which subflow carries what; `subflow` -1: none, until something changes. Of waits only the first after a choice is told. */
  | (SubflowEventBase & {
      name: "scheduler:decision";
      kind: "new" | "copy" | "reinjection" | "opportunistic";
      scheduler: string;
      reason: string | undefined;
      pendingBytes: number;
      windowBytes: number;
      candidates: readonly CandidateSnapshot[];
    })
  /** What became of a wish of the path manager for a subflow that is not there. */
  | (EventBase & {
      name: "path-manager:decision";
      pathManager: string;
      decision: Exclude<SubflowDecision, "exists">;
      localAddress: string;
      remoteAddress: string;
      remoteAddressId: number;
      backup: boolean;
      subflows: number;
      maximumSubflows: number;
      /** Of a back-off: how long it still lasts. */
      delayMicroseconds: number | undefined;
    })
  /** An address of the peer's that no subflow goes to, and why: flag C, a wrong HMAC, an id that stands for another, or there are too many. */
  | (EventBase & {
      name: "path-manager:address-ignored";
      addressId: number;
      address: string;
      reason: "flag-c" | "authentication-failed" | "id-in-use" | "limit";
    })
  /** Options are missing or wrong on the subflow: may its stream become the data, or is it reset? */
  | (SubflowEventBase & {
      name: "mptcp:fallback-considered";
      allowed: boolean;
      hasBeenAlone: boolean;
      isOnly: boolean;
      outOfOrderBytes: number;
      contiguous: boolean;
    })
  /** A mapping that cannot stand: it contradicts one before it, or its checksum is missing, or was not agreed on (RFC 8684 §3.3). */
  | (SubflowEventBase & {
      name: "mptcp:mapping-refused";
      reason: "contradicts-earlier" | "checksum-missing" | "checksum-unexpected";
      dataOffset: number;
      bytes: number;
    })
  /** The peer may take new bytes of the lone subflow for the data: a probe asks it first (RFC 8684 §3.7). */
  | (SubflowEventBase & { name: "mptcp:retransmission-withheld"; unacknowledgedBytes: number; timeouts: number })
  /** It held up the window, but has answered for it in this round trip already, or the window is about to be larger. */
  | (SubflowEventBase & {
      name: "scheduler:penalty-withheld";
      reason: PenaltyWithheldReason;
      congestionWindow: number;
    })
  | (EventBase & {
      name: "path-manager:advertisement-sent";
      addressId: number;
      address: string;
      attempt: number;
      /** Until it is sent again without an echo. */
      delayMicroseconds: number;
    })
  | (EventBase & {
      name: "path-manager:advertisement-ended";
      addressId: number;
      outcome: "echoed" | "unanswered" | "withdrawn";
      attempts: number;
    })
  /** MP_JOIN from the peer; reasons as in MP_TCPRST. */
  | (EventBase & {
      name: "path-manager:join-refused";
      remoteAddress: string;
      reasonCode: number;
      subflows: number;
      maximumSubflows: number;
    })
  /** A keep-alive asks whether a subflow is still in use. */
  | (SubflowEventBase & {
      name: "path-manager:subflow-questioned";
      reason: "address-removed" | "timeout";
      attempt: number;
      delayMicroseconds: number;
    })
  /** Once in a round trip in which the application reads. */
  | (EventBase & {
      name: "flow-control:receive-window-tuned";
      /** In the round trip that has passed, and at most twice as much as in the one before. */
      readBytes: number;
      sustainedBytes: number;
      elapsedMicroseconds: number;
      rttMicroseconds: number;
      formerLimit: number;
      limit: number;
      maximum: number;
    })
  /** A window update is worth a segment of its own. */
  | (SubflowEventBase & {
      name: "flow-control:window-update-due";
      /** As the peer knows the window, and what can be added. */
      knownBytes: number;
      addedBytes: number;
      limit: number;
    })
  /** The peer's window is closed. `unansweredFor`: since the first probe without an answer. */
  | (EventBase & {
      name: "flow-control:window-probed";
      pendingBytes: number;
      unansweredForMicroseconds: number;
      timeoutMicroseconds: number;
    });
