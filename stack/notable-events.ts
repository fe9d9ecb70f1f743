/** What happened, of which there is little: told always, and each a sentence of the timeline. */

import type { EventBase, SubflowEventBase } from "./event-base.ts";

/** Why a connection runs (or goes on) as plain TCP (RFC 8684 §3.7). */
export type FallbackReason =
  | "disabled"
  | "peer-without-mptcp"
  | "version-not-supported"
  | "syn-options-dropped"
  | "third-ack-without-option"
  | "first-data-without-option"
  | "acknowledgement-without-option"
  | "infinite-mapping-received"
  | "checksum-failed"
  | "mapping-missing"
  | "syn-with-option-reset";

/** Why a subflow ended. `timeout`: the retransmission limit; `unreachable`: the same, after ICMP had said that the peer could not be reached. */
export type SubflowCloseReason =
  | "finished"
  | "reset-by-peer"
  | "timeout"
  | "unreachable"
  | "refused"
  | "interface-down"
  | "address-removed"
  | "authentication-failed"
  | "protocol-error"
  | "aborted";

interface SubflowAddresses {
  interfaceName: string;
  localAddress: string;
  localPort: number;
  remoteAddress: string;
  remotePort: number;
}

/** A run of segments that carried what another subflow had sent already; `subflow` carried the copy. */
interface SecondCopy {
  /** -1: the first holder is gone. */
  fromSubflow: number;
  /** Of the first byte of the run. */
  dataOffset: number;
  bytes: number;
  segments: number;
  /** From the first segment to the last. */
  durationMicroseconds: number;
}

/** Told always; there are few of them. */
export type NotableEvent =
  | (EventBase & { name: "connection:established"; mptcp: boolean; fallbackReason: FallbackReason | undefined })
  | (EventBase & { name: "connection:closed"; error: string | undefined })
  | (EventBase & { name: "mptcp:fallback"; reason: FallbackReason })
  | (SubflowEventBase &
      SubflowAddresses & { name: "mptcp:subflow-created"; initiator: "local" | "remote"; backup: boolean })
  | (SubflowEventBase &
      SubflowAddresses & { name: "mptcp:subflow-established"; handshakeMicroseconds: number; backup: boolean })
  | (SubflowEventBase & { name: "mptcp:subflow-closed"; reason: SubflowCloseReason; unacknowledgedBytes: number })
  | (SubflowEventBase & { name: "mptcp:reset-received"; reasonCode: number; transient: boolean })
  /** MP_TCPRST from us. */
  | (SubflowEventBase & { name: "mptcp:reset-sent"; reasonCode: number })
  | (SubflowEventBase & { name: "mptcp:checksum-failed"; dataOffset: number; bytes: number })
  /** MP_FAIL; `dataOffset`: up to which the receiver of the wrong checksum has the data. */
  | (SubflowEventBase & { name: "mptcp:fail"; initiator: "local" | "remote"; dataOffset: number })
  | (SubflowEventBase & { name: "mptcp:priority"; backup: boolean; initiator: "local" | "remote" })
  | (EventBase & { name: "mptcp:fast-close"; initiator: "local" | "remote" })
  | (EventBase & { name: "mptcp:data-fin"; initiator: "local" | "remote"; dataOffset: number })
  | (EventBase & { name: "mptcp:data-timeout"; unacknowledgedBytes: number; timeoutMicroseconds: number })
  | (SubflowEventBase & SecondCopy & { name: "scheduler:reinject" })
  | (SubflowEventBase & SecondCopy & { name: "scheduler:opportunistic-retransmit" })
  | (SubflowEventBase & {
      name: "scheduler:penalise";
      congestionWindow: number;
      smoothedRttMicroseconds: number;
      fasterRttMicroseconds: number;
    })
  | (SubflowEventBase & { name: "scheduler:stale"; consecutiveTimeouts: number; unacknowledgedBytes: number })
  | (SubflowEventBase & { name: "scheduler:recovered"; silentMicroseconds: number })
  | (SubflowEventBase & {
      name: "recovery:fast-retransmit";
      lostBytes: number;
      congestionWindow: number;
      slowStartThreshold: number;
    })
  | (SubflowEventBase & { name: "recovery:rto"; timeoutMicroseconds: number; backoff: number; bytesInFlight: number })
  | (SubflowEventBase & { name: "recovery:tail-loss-probe"; bytesInFlight: number })
  /** `proof`: F-RTO, D-SACK of everything that was sent again, or the timestamp of an original; `undone`: the window is given back. */
  | (SubflowEventBase & {
      name: "recovery:spurious";
      proof: "forward-rto" | "duplicates" | "timestamps";
      undone: boolean;
      congestionWindow: number;
    })
  /** What the path takes: a router says so, or only small segments have arrived. */
  | (SubflowEventBase & {
      name: "tcp:mtu-changed";
      trigger: "icmp" | "black-hole";
      formerSegmentSize: number;
      segmentSize: number;
    })
  /** A router says that the peer cannot be reached now; it may pass. */
  | (SubflowEventBase & { name: "tcp:soft-error"; state: string })
  | (SubflowEventBase & {
      name: "congestion:window-capped";
      congestionWindow: number;
      rttMicroseconds: number;
      baseRttMicroseconds: number;
    })
  | (EventBase & {
      name: "path-manager:address-advertised";
      addressId: number;
      address: string;
      initiator: "local" | "remote";
    })
  | (EventBase & { name: "path-manager:address-removed"; addressId: number; initiator: "local" | "remote" })
  | (EventBase & {
      name: "path-manager:subflow-retry";
      localAddress: string;
      remoteAddress: string;
      delayMicroseconds: number;
    });
