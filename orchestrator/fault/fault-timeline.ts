import type { TimelineEvent } from "../metrics/timeline-event.ts";
import type { PlannedFault, PlannedRoute } from "../plan/plan.ts";
import type { LinkDirectionConfig } from "../path/link-direction.ts";

/** CLOCK_MONOTONIC in microseconds, or virtual time in tests. */
export interface FaultClock {
  now(): number;
  /** Resolves at `time` or just after; rejects with the signal's reason when it aborts. */
  waitUntil(time: number, signal: AbortSignal): Promise<void>;
}

/** The parts of a lab that faults act on. */
export interface FaultTarget {
  readonly links: LinkFaults;
  /** An interface event that the host sees, as when a cable is pulled: `ip link set dev I down|up` with routes restored on up. */
  setInterface(node: string, interfaceName: string, state: "up" | "down"): Promise<void>;
  /** All routes of a router from now on; `gone`: destinations that it had routes to. */
  setRoutes(node: string, routes: readonly PlannedRoute[], gone: readonly string[]): Promise<void>;
}

export interface LinkFaults {
  /** Drops every packet of the link in both directions, silently. */
  blackhole(link: string): Promise<void>;
  restore(link: string): Promise<void>;
  /** Changes one direction while it carries packets; the queue stays. */
  set(link: string, direction: "forward" | "backward", config: LinkDirectionConfig): Promise<void>;
}

export interface FaultTimelineOptions {
  readonly faults: readonly PlannedFault[];
  readonly lab: FaultTarget;
  readonly clock: FaultClock;
  /** The run's zero on the clock. */
  readonly zero: number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: TimelineEvent) => void;
}

/** A fault could not be done, so that the run is not the one that was planned. */
export class FaultError extends Error {
  readonly fault: PlannedFault;

  constructor(fault: PlannedFault, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`cannot ${fault.action} ${fault.link} at ${fault.atMicroseconds / 1e6} s: ${reason}`, { cause });
    this.name = "FaultError";
    this.fault = fault;
  }
}

/**
 * Does each fault at its time, whether those before are still under way or not, and tells when each began and how long it took. Resolves after the
 * last; rejects with the signal's reason, or with the first `FaultError`, having given up the rest.
 */
export async function runFaults(options: FaultTimelineOptions): Promise<void> {
  const { faults, clock, zero, onEvent } = options;
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const one = async (fault: PlannedFault): Promise<void> => {
    await clock.waitUntil(zero + fault.atMicroseconds, signal);
    const begun = clock.now();
    try {
      await inject(fault, options.lab);
    } catch (error) {
      const problem = new FaultError(fault, error);
      failure.abort(problem);
      throw problem;
    }
    onEvent(faultEvent(fault, begun - zero, clock.now() - zero));
  };
  const outcomes = await Promise.allSettled(faults.map(one));
  options.signal.throwIfAborted();
  failure.signal.throwIfAborted();
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

async function inject(fault: PlannedFault, lab: FaultTarget): Promise<void> {
  switch (fault.action) {
    case "blackhole":
      return lab.links.blackhole(fault.link);
    case "restore":
      return lab.links.restore(fault.link);
    case "down":
    case "up": {
      const { action, interfaces = [] } = fault;
      await Promise.all(interfaces.map(({ node, interface: name }) => lab.setInterface(node, name, action)));
      return;
    }
    case "reroute":
      await Promise.all((fault.routes ?? []).map(({ node, routes, gone }) => lab.setRoutes(node, routes, gone)));
      return;
    case "set":
      if (fault.forward !== undefined) await lab.links.set(fault.link, "forward", fault.forward);
      if (fault.backward !== undefined) await lab.links.set(fault.link, "backward", fault.backward);
  }
}

/** `time`: when it began to be done. */
function faultEvent(fault: PlannedFault, begun: number, done: number): TimelineEvent {
  const { atMicroseconds: requested, link, action, interfaces } = fault;
  return {
    time: begun,
    source: "fault",
    subject: link,
    name: `fault:${action}`,
    message: sentence(fault),
    detail: {
      requestedMicroseconds: requested,
      begunMicroseconds: begun,
      doneMicroseconds: done,
      ...(interfaces && { interfaces }),
    },
  };
}

function sentence({ action, link, interfaces = [], routes = [], reason }: PlannedFault): string {
  const ends = interfaces.map((end) => `${end.node}'s ${end.interface}`).join(" and ");
  switch (action) {
    case "blackhole":
      return `${link} drops every packet, silently`;
    case "restore":
      return `${link} carries packets again`;
    case "down":
      return `${link} goes down: ${ends} ${interfaces.length > 1 ? "lose" : "loses"} the link`;
    case "up":
      return `${link} is up again at ${ends}`;
    case "reroute":
      return `${routes.length} routers take other routes: ${reason}`;
    case "set":
      return `${link} changes its shape`;
  }
}
