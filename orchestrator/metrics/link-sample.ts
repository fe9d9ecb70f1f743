/** Counters are totals since the link came up. `time` is CLOCK_MONOTONIC microseconds. */
export interface LinkSample {
  readonly time: number;
  readonly link: string;
  readonly direction: "forward" | "backward";
  readonly packets: number;
  readonly bytes: number;
  readonly dropsQueue: number;
  readonly dropsLoss: number;
  readonly dropsBlackhole: number;
  readonly queueBytes: number;
}
