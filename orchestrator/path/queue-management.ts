/** Active queue management: drops before the queue is full, so that senders slow down before everybody waits. A queue asks at two moments. */
export interface QueueManagement {
  /** A packet has come. `queueBytes`: what waits, itself not counted. */
  dropsArrival(queueBytes: number, now: number): boolean;
  /** A packet's turn to be sent has come. `queueBytes`: what waits behind it; `waitedMicroseconds`: how long it has. */
  dropsDeparture(queueBytes: number, waitedMicroseconds: number, now: number): boolean;
}

/** Plain data, made by the plan, checked there. */
export type QueueManagementConfig =
  | { kind: "codel"; targetMicroseconds: number; intervalMicroseconds: number }
  | { kind: "red"; leastBytes: number; mostBytes: number; probability: number; weight: number };
