/** What the scheduler saw, and what it chose: an event for each decision, where the host was told to trace them. */

import type { CandidateSnapshot, EventRecorder } from "../events.ts";
import type { Demand, Scheduler } from "../scheduler/scheduler.ts";
import type { Connection } from "./connection.ts";
import type { Subflow } from "./subflow.ts";

type Kind = "new" | "copy" | "reinjection" | "opportunistic";

const sections: Readonly<Record<Kind, string>> = {
  new: "RFC 8684 §3.3",
  copy: "RFC 8684 §3.3",
  reinjection: "RFC 8684 §3.3.6",
  opportunistic: "NSDI'12 §4.2",
};

export class SchedulerTrace {
  readonly #connection: Connection;
  readonly #scheduler: Scheduler;
  readonly #record: EventRecorder;
  /** Nobody was chosen last: it is not told again until somebody is. */
  #waits = false;

  constructor(connection: Connection, scheduler: Scheduler, record: EventRecorder) {
    this.#connection = connection;
    this.#scheduler = scheduler;
    this.#record = record;
  }

  decision(kind: Kind, chosen: Subflow | undefined, demand: Demand, now: number): void {
    const waits = chosen === undefined;
    if (waits && this.#waits) return;
    this.#waits = waits;
    this.#tell(kind, chosen, this.#scheduler.reason, demand.pendingBytes, demand.windowBytes, now);
  }

  /** Data of a subflow that is silent or gone: the fastest of the others takes them, whatever the scheduler is. */
  reinjection(chosen: Subflow, pendingBytes: number, windowBytes: number, now: number): void {
    this.#tell("reinjection", chosen, "fastest-other-than-holder", pendingBytes, windowBytes, now);
  }

  /** Nothing new may be sent, and `chosen` has room: what a slower subflow holds goes over it too (NSDI'12 §4.2, mechanism 1). */
  opportunistic(
    chosen: Subflow,
    reason: "unblocks-head" | "overtakes",
    pendingBytes: number,
    windowBytes: number,
    now: number,
  ): void {
    this.#tell("opportunistic", chosen, reason, pendingBytes, windowBytes, now);
  }

  #tell(
    kind: Kind,
    chosen: Subflow | undefined,
    reason: string | undefined,
    pendingBytes: number,
    windowBytes: number,
    now: number,
  ): void {
    const connection = this.#connection;
    this.#record({
      time: now,
      name: "scheduler:decision",
      connection: connection.id,
      subflow: chosen?.id ?? -1,
      section: sections[kind],
      kind,
      scheduler: this.#scheduler.name,
      reason,
      pendingBytes,
      windowBytes,
      candidates: connection.subflows.map(snapshot),
    });
  }
}

function snapshot(subflow: Subflow): CandidateSnapshot {
  const { id, usable, backup, stale, space, pacedBytes, congestionWindow, bytesInFlight } = subflow;
  const { smoothedRttMicroseconds } = subflow;
  return {
    subflow: id,
    usable,
    backup,
    stale,
    space,
    pacedBytes,
    congestionWindow,
    bytesInFlight,
    smoothedRttMicroseconds,
  };
}
