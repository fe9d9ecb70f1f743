import { monotonicMicroseconds } from "../../stack/endpoint/clock.ts";
import type { FaultClock } from "./fault-timeline.ts";

/** Timers count whole milliseconds and come late on a busy machine: the last stretch is waited for in turns of the event loop. */
const closeMicroseconds = 2000;

export const monotonicClock: FaultClock = {
  now: monotonicMicroseconds,
  waitUntil(time, signal) {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      let immediate: NodeJS.Immediate | undefined;
      const aborted = (): void => {
        clearTimeout(timer);
        clearImmediate(immediate);
        reject(signal.reason as Error);
      };
      const arm = (): void => {
        const remaining = time - monotonicMicroseconds();
        if (remaining <= 0) {
          signal.removeEventListener("abort", aborted);
          resolve();
        } else if (remaining <= closeMicroseconds) {
          immediate = setImmediate(arm);
        } else {
          timer = setTimeout(arm, Math.min(Math.floor((remaining - closeMicroseconds) / 1000) + 1, 2 ** 31 - 1));
        }
      };
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      signal.addEventListener("abort", aborted, { once: true });
      arm();
    });
  },
};
