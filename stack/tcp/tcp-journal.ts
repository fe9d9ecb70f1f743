/** Where a TCP connection tells what happened and why. Who the connection is, the journal knows. */

import type { NotableEvent } from "../notable-events.ts";
import type { CongestionDecision, RecoveryDecision } from "../tcp-decisions.ts";

type ByTcp<Event> = Event extends unknown ? Omit<Event, "time" | "connection" | "subflow"> : never;

export type TcpNotable = ByTcp<
  Extract<
    NotableEvent,
    {
      name:
        | "recovery:fast-retransmit"
        | "recovery:rto"
        | "recovery:tail-loss-probe"
        | "recovery:spurious"
        | "tcp:mtu-changed"
        | "tcp:soft-error";
    }
  >
>;
export type TcpDecision = ByTcp<RecoveryDecision | CongestionDecision>;

export type DecisionRecorder = (decision: TcpDecision, now: number) => void;

export interface TcpJournal {
  note(event: TcpNotable, now: number): void;
  /** Of these categories, undefined where nobody has asked for it: then a decision costs a comparison. */
  readonly recovery: DecisionRecorder | undefined;
  readonly congestion: DecisionRecorder | undefined;
}
