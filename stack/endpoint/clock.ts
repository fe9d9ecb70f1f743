/** The clock and the timers of the world that the endpoint program lives in: the machine's, or virtual time. */
export interface Clock {
  /** Whole microseconds; never goes back. */
  now(): number;
  /** Calls back at `time` or soon after, never before it and never at once; returns how to cancel it. */
  callAt(time: number, callback: () => void): () => void;
  /** Calls back when timers and arrivals that are due have had their turn. */
  callLater(callback: () => void): void;
}

/** CLOCK_MONOTONIC in whole microseconds: the one clock that all processes of the machine (and all namespaces) share. */
export function monotonicMicroseconds(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000_000 + Math.floor(nanoseconds / 1000);
}

/** Calls back at `time` (CLOCK_MONOTONIC microseconds) or at most a timer tick later, never before; returns how to cancel it. */
export function callAt(time: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const remaining = time - monotonicMicroseconds();
    if (remaining <= 0) callback();
    else timer = setTimeout(arm, Math.min(Math.ceil(remaining / 1000), 2 ** 31 - 1));
  };
  timer = setTimeout(arm, 0);
  return () => clearTimeout(timer);
}

export const monotonicClock: Clock = {
  now: monotonicMicroseconds,
  callAt,
  callLater: (callback) => void setImmediate(callback),
};
