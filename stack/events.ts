/** What happened and why: every decision of handshake, scheduler, path manager, recovery and fallback with its inputs and the RFC section that decides (docs/events.md). */

import type { ConnectionDecision } from "./connection-decisions.ts";
import type { NotableEvent } from "./notable-events.ts";
import type { CongestionDecision, RecoveryDecision } from "./tcp-decisions.ts";

export type { CandidateSnapshot } from "./connection-decisions.ts";
export type { FallbackReason, NotableEvent, SubflowCloseReason } from "./notable-events.ts";

/** What a host can be asked to tell beside: every decision with its inputs. Off by default, for there are many. */
export const traceCategories = [
  "scheduler",
  "path-manager",
  "recovery",
  "congestion",
  "flow-control",
  "fallback",
] as const;
export type TraceCategory = (typeof traceCategories)[number];

export type TraceEvent = ConnectionDecision | RecoveryDecision | CongestionDecision;
export type StackEvent = NotableEvent | TraceEvent;

/** To which category each traced event belongs. */
export const traceCategoryOf: Readonly<Record<TraceEvent["name"], TraceCategory>> = {
  "scheduler:decision": "scheduler",
  "scheduler:penalty-withheld": "scheduler",
  "path-manager:decision": "path-manager",
  "path-manager:address-ignored": "path-manager",
  "path-manager:advertisement-sent": "path-manager",
  "path-manager:advertisement-ended": "path-manager",
  "path-manager:join-refused": "path-manager",
  "path-manager:subflow-questioned": "path-manager",
  "recovery:state-changed": "recovery",
  "recovery:range-lost": "recovery",
  "recovery:reordering-window-changed": "recovery",
  "recovery:reordering-timer-set": "recovery",
  "recovery:rate-reduction-begun": "recovery",
  "recovery:rate-reduced": "recovery",
  "recovery:forward-rto-begun": "recovery",
  "recovery:forward-rto-judged": "recovery",
  "recovery:duplicate-reported": "recovery",
  "recovery:probe-scheduled": "recovery",
  "recovery:probe-sent": "recovery",
  "recovery:probe-answered": "recovery",
  "recovery:timeout-backed-off": "recovery",
  "recovery:round-trip-ambiguous": "recovery",
  "recovery:limited-transmit": "recovery",
  "recovery:metrics-updated": "congestion",
  "congestion:window-changed": "congestion",
  "congestion:pacing-rate-changed": "congestion",
  "congestion:burst-held": "congestion",
  "congestion:coupling-changed": "congestion",
  "congestion:base-rtt-raised": "congestion",
  "flow-control:receive-window-tuned": "flow-control",
  "flow-control:window-update-due": "flow-control",
  "flow-control:window-probed": "flow-control",
  "mptcp:fallback-considered": "fallback",
  "mptcp:mapping-refused": "fallback",
  "mptcp:retransmission-withheld": "fallback",
};

export function isTraceEvent(event: StackEvent): event is TraceEvent {
  return event.name in traceCategoryOf;
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
    "flow-control": one("flow-control"),
    fallback: one("fallback"),
  };
}
