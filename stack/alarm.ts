import type { Scheduled } from "./deadline-queue.ts";

/** An application's timer on the clock of its host, so that it runs where that clock is virtual as well. */
export interface Alarm extends Scheduled {
  /** When it rings; `Infinity`: it does not. */
  at: number;
  /** Told by `Host.deliverNotifications`, once. */
  readonly ring: () => void;
}
