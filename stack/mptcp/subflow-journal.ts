/** What the TCP of a subflow tells, with the names of subflow and connection put to it. */

import type { DecisionRecorder, TcpDecision, TcpJournal, TcpNotable } from "../tcp/tcp-journal.ts";
import type { Connection } from "./connection.ts";

export class SubflowJournal implements TcpJournal {
  readonly recovery: DecisionRecorder | undefined;
  readonly congestion: DecisionRecorder | undefined;
  readonly #connection: Connection;
  readonly #subflow: number;

  constructor(connection: Connection, subflow: number) {
    this.#connection = connection;
    this.#subflow = subflow;
    const { trace } = connection.environment;
    const record: DecisionRecorder = (decision, now) => this.#record(decision, now);
    this.recovery = trace.recovery && record;
    this.congestion = trace.congestion && record;
  }

  note(event: TcpNotable, now: number): void {
    this.#record(event, now);
  }

  #record(event: TcpNotable | TcpDecision, now: number): void {
    const { environment, id } = this.#connection;
    environment.record({ time: now, connection: id, subflow: this.#subflow, ...event });
  }
}
