/**
 * What happened and why: every decision of handshake, scheduler, path manager, recovery and fallback with its inputs and the RFC section that
 * decides. `time` is in microseconds of the host's clock; `connection` and `subflow` are the ids that `Connection.info()` shows.
 */

import type { SubflowDecision } from "./path-manager/path-manager.ts";
import type { RecoveryPhase, RecoveryTrigger } from "./tcp/loss-recovery.ts";

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

interface EventBase {
  /** Microseconds. */
  time: number;
  connection: number;
  /** The document and section that decides, e.g. "RFC 8684 §3.7". */
  section: string;
}

interface SubflowEventBase extends EventBase {
  subflow: number;
}

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
  | (EventBase & { name: "connection:established"; mptcp: boolean })
  | (EventBase & { name: "connection:closed"; error: string | undefined })
  | (EventBase & { name: "mptcp:fallback"; reason: FallbackReason })
  | (SubflowEventBase &
      SubflowAddresses & { name: "mptcp:subflow-created"; initiator: "local" | "remote"; backup: boolean })
  | (SubflowEventBase &
      SubflowAddresses & { name: "mptcp:subflow-established"; handshakeMicroseconds: number; backup: boolean })
  | (SubflowEventBase & { name: "mptcp:subflow-closed"; reason: SubflowCloseReason; unacknowledgedBytes: number })
  | (SubflowEventBase & { name: "mptcp:reset-received"; reasonCode: number; transient: boolean })
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
  | (SubflowEventBase & { name: "recovery:spurious"; congestionWindow: number })
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

/** What a host can be asked to tell beside: every decision with its inputs. Off by default, for there are many. */
export const traceCategories = ["scheduler", "path-manager", "recovery", "congestion", "fallback"] as const;
export type TraceCategory = (typeof traceCategories)[number];

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

export type TraceEvent =
  /** Which subflow carries what; `subflow` -1: none, until something changes. Of waits only the first after a choice is told. */
  | (SubflowEventBase & {
      name: "scheduler:decision";
      kind: "new" | "copy" | "reinjection";
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
  | (SubflowEventBase & {
      name: "recovery:state-changed";
      from: RecoveryPhase;
      to: RecoveryPhase;
      trigger: RecoveryTrigger;
      lostBytes: number;
      sackedBytes: number;
      bytesInFlight: number;
      congestionWindow: number;
      slowStartThreshold: number;
      smoothedRttMicroseconds: number;
    })
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
      /** Bits a second. */
      pacingRate: number | undefined;
    })
  /** Options are missing or wrong on the subflow: may its stream become the data, or is it reset? */
  | (SubflowEventBase & {
      name: "mptcp:fallback-considered";
      allowed: boolean;
      hasBeenAlone: boolean;
      isOnly: boolean;
      outOfOrderBytes: number;
      contiguous: boolean;
    });

export type StackEvent = NotableEvent | TraceEvent;

const traceNames: ReadonlySet<string> = new Set<TraceEvent["name"]>([
  "scheduler:decision",
  "path-manager:decision",
  "path-manager:address-ignored",
  "recovery:state-changed",
  "recovery:metrics-updated",
  "mptcp:fallback-considered",
]);

export function isTraceEvent(event: StackEvent): event is TraceEvent {
  return traceNames.has(event.name);
}

/** Where the rooms below the host put their events. */
export type EventRecorder = (event: StackEvent) => void;

/** One for each category that was asked for: a decision that nobody asked for costs one comparison, and makes nothing. */
export type Tracer = Readonly<Record<TraceCategory, EventRecorder | undefined>>;

export function tracerOf(categories: readonly TraceCategory[], record: EventRecorder): Tracer {
  const one = (category: TraceCategory): EventRecorder | undefined =>
    categories.includes(category) ? record : undefined;
  return {
    scheduler: one("scheduler"),
    "path-manager": one("path-manager"),
    recovery: one("recovery"),
    congestion: one("congestion"),
    fallback: one("fallback"),
  };
}
