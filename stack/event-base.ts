/** What every event has: `time` is in microseconds of the host's clock; `connection` and `subflow` are the ids that `Connection.info()` shows. */

export interface EventBase {
  /** Microseconds. */
  time: number;
  connection: number;
  /** The document and section that decides, e.g. "RFC 8684 §3.7". */
  section: string;
}

export interface SubflowEventBase extends EventBase {
  subflow: number;
}
