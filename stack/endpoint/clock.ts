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
