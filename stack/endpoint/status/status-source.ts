/** What can be asked of a running endpoint. Nothing is counted for it: all is read when somebody asks. */
import type { Host } from "../../host.ts";
import type { DriverCounters } from "../../io/driver.ts";

/** A host of our stack and what carries it; `Driver` is one. */
export interface ObservedHost {
  readonly host: Host;
  /** Of the host's clock, microseconds. */
  now(): number;
  counters(): DriverCounters[];
}

/** Totals since the gateway began. */
export interface GatewayCounters {
  /** Connections that ended well, and those that did not. */
  readonly carried: number;
  readonly broken: number;
  /** That were asked for and did not come about. */
  readonly refused: number;
  /** Of ended connections: from the application to the server, and back. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

export interface StatusSource {
  /** `connect`, `serve`, `gateway` …: what the program has been told to do. */
  readonly role: string;
  /** Seconds since the epoch. */
  readonly startedAt: number;
  readonly hosts: readonly ObservedHost[];
  readonly gateway?: () => GatewayCounters;
}

/** More connections than these are counted, but not told one by one: an answer stays small, whatever peers do. */
export const toldConnections = 500;
