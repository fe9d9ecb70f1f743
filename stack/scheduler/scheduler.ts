/** Which subflow carries the next piece of new data. One instance a connection. */

export interface Schedulable {
  readonly id: number;
  /** 0: not measured. */
  readonly smoothedRttMicroseconds: number;
  readonly rttVariationMicroseconds: number;
  /** RFC 8684 §3.3.8: to be used only when there is no other. */
  readonly backup: boolean;
  /** Potentially failed (RFC 8684 §3.3.6): timeouts without an answer. */
  readonly stale: boolean;
  /** Established and not closing. */
  readonly usable: boolean;
  /** Bytes that may leave now. */
  readonly space: number;
  /** Bytes that its windows allow, but its pacer only in a moment; `space` is 0 then. */
  readonly pacedBytes: number;
  /** Bytes. */
  readonly congestionWindow: number;
  readonly bytesInFlight: number;
  /** Payload of a full segment. */
  readonly segmentSize: number;
}

export interface Demand {
  /** Bytes of new data that wait to be sent, and may be. */
  readonly pendingBytes: number;
  /** How much may be under way in the whole connection: the peer's window or the send buffer, from the first unacknowledged byte on. */
  readonly windowBytes: number;
}

export interface Scheduler {
  readonly name: string;
  /** Every subflow carries everything: asked for copies of what others have sent, too. */
  readonly sendsCopies?: boolean;
  /** undefined: nobody should send now. Whoever is chosen has space. */
  select<T extends Schedulable>(subflows: readonly T[], demand: Demand): T | undefined;
  /** Why the latest `select` chose as it did, in a few words joined by hyphens; only asked when decisions are traced. */
  readonly reason?: string;
  /** Nothing new can be sent: the first unacknowledged byte, on a slower subflow, holds up the window. */
  onWindowBlocked?(): void;
}

/** Lower is better; a class is left only when it has no usable member, not when its windows are full. */
export function preference(subflow: Schedulable): number {
  return (subflow.stale ? 2 : 0) + (subflow.backup ? 1 : 0);
}

/** The best class that has a usable member; Infinity: there is none. */
export function bestPreference(subflows: readonly Schedulable[]): number {
  let best = Number.POSITIVE_INFINITY;
  for (const subflow of subflows) if (subflow.usable) best = Math.min(best, preference(subflow));
  return best;
}

/** Its windows have room, whether its pacer lets it use it now or in a moment. */
export function hasRoom(subflow: Schedulable): boolean {
  return subflow.space > 0 || subflow.pacedBytes > 0;
}

/** The subflow of the best class with the lowest RTT, other than `except`; with `onlyWithRoom`, of those that have room. */
export function fastest<T extends Schedulable>(
  subflows: readonly T[],
  onlyWithRoom: boolean,
  except?: T,
): T | undefined {
  let best = Number.POSITIVE_INFINITY;
  let chosen: T | undefined;
  for (const subflow of subflows) {
    const own = preference(subflow);
    if (own > best || (own === best && onlyWithRoom && !hasRoom(subflow)) || !subflow.usable) continue;
    if (own < best) chosen = undefined;
    best = own;
    if (subflow === except || (onlyWithRoom && !hasRoom(subflow))) continue;
    if (chosen === undefined || subflow.smoothedRttMicroseconds < chosen.smoothedRttMicroseconds) chosen = subflow;
  }
  return chosen;
}
