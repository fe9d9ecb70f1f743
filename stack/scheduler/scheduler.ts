/** Which subflow carries the next piece of data. */

export interface Schedulable {
  readonly id: number;
  /** 0: not measured. */
  readonly smoothedRttMicroseconds: number;
  /** RFC 8684 §3.3.8: to be used only when there is no other. */
  readonly backup: boolean;
  /** Potentially failed (RFC 8684 §3.3.6): timeouts without an answer. */
  readonly stale: boolean;
  /** Established and not closing. */
  readonly usable: boolean;
  /** Bytes that windows allow now. */
  readonly space: number;
}

export interface Scheduler {
  readonly name: string;
  /** undefined: nobody should send now. `excluded` is the id of a subflow that must not be chosen. */
  select<T extends Schedulable>(subflows: readonly T[], excluded?: number): T | undefined;
}
