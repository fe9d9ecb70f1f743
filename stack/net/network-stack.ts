import type { Host } from "../host.ts";

/** What a driver gives to the sockets: the host, its clock, and a way to say that the application has done something. */
export interface NetworkStack {
  readonly host: Host;
  /** Microseconds; never goes back. */
  now(): number;
  /** After an application call: the driver soon runs `pollTransmit`, `deliverNotifications` and re-arms its timer for `pollTimeout`. */
  wake(): void;
  /** Somebody on the host wants the process to go on, until `release`: as many times as it was called. Where time is virtual, nothing ends by itself. */
  hold?(): void;
  release?(): void;
  /** A socket has put off with `process.nextTick` (with `setImmediate`: `turn`) what its application waits for: where time is virtual, that comes before time goes on. */
  deferred?(until?: "ticks" | "turn"): void;
}
