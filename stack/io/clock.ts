import { nativeAddon } from "./native/addon.ts";

/** CLOCK_MONOTONIC in microseconds with fractions: the `now` of everything that runs on a real machine. */
export function monotonicMicroseconds(): number {
  return nativeAddon().monotonicMicroseconds();
}

/**
 * CLOCK_REALTIME minus CLOCK_MONOTONIC, microseconds: add it to a monotonic time to get the time of day. It moves when
 * the machine's clock is set or slewed, so long runs read it at both ends.
 */
export function realtimeOffsetMicroseconds(): number {
  return nativeAddon().realtimeOffsetMicroseconds();
}

/** How the kernel schedules this process; goes into the bundle beside what was measured. */
export type SchedulingReport =
  | { policy: "fifo"; priority: number; timerSlackNanoseconds: number }
  | { policy: "other"; reason: string };

/**
 * Asks for SCHED_FIFO at this priority (one higher for V8's helper threads), and a timer slack of 1 ns: without it, a busy
 * machine adds milliseconds to the tail of every timer. A refusal (no CAP_SYS_NICE, a cgroup without real-time budget) is reported, never hidden.
 * Never spin under it: real-time throttling would then stop the process for 50 ms in each second.
 */
export function requestRealtimeScheduling(priority = 10): SchedulingReport {
  try {
    nativeAddon().setRealtimePriority(priority);
    nativeAddon().setTimerSlackNanoseconds(1);
    return { policy: "fifo", priority, timerSlackNanoseconds: 1 };
  } catch (error) {
    return { policy: "other", reason: (error as Error).message };
  }
}

/** Back to what processes have from the begin: the end of {@link requestRealtimeScheduling}. */
export function leaveRealtimeScheduling(): void {
  nativeAddon().setRealtimePriority(0);
}
