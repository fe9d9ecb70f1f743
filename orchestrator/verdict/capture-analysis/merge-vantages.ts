/** Puts together what client and server saw of one connection: arrivals and progress as the receiver saw them, retransmissions as the sender did. */
import type { ConnectionTrace, TracedSubflow } from "./connection-trace.ts";
import { goodputOf } from "../goodput.ts";
import type { StreamTrace } from "./stream-trace.ts";
import type { SubflowDirectionTrace, SubflowTrace } from "./subflow-trace.ts";
import type { Vantage } from "./vantage.ts";
import type { WireConnection, WireStream, WireSubflow, WireSubflowDirection } from "./wire-analysis.ts";

export interface WorkloadOnTheWire {
  readonly name: string;
  readonly port: number;
  readonly client: string;
  readonly server: string;
}

type Side = "client" | "server";

interface Seen<T> {
  readonly client?: T;
  readonly server?: T;
}

/** Connections of the workload in the order of their opening. `pathOf`: the user-side link of a subflow, by its id. */
export function mergeVantages(
  workload: WorkloadOnTheWire,
  vantages: ReadonlyMap<string, Vantage>,
  pathOf: (subflow: string) => string,
): WireConnection[] {
  const tracesAt = (host: string): ConnectionTrace[] =>
    (vantages.get(host)?.connections ?? []).filter(({ port }) => port === workload.port).map(({ trace }) => trace);
  return pair(tracesAt(workload.client), tracesAt(workload.server), sameConnection).map((seen) =>
    mergeConnection(workload, seen, pathOf),
  );
}

/** A key names a connection through any middlebox, its addresses only where none rewrites them. */
function sameConnection(one: ConnectionTrace, other: ConnectionTrace): boolean {
  if (one.serverKey !== undefined && other.serverKey !== undefined) return one.serverKey.equals(other.serverKey);
  return one.initial.id === other.initial.id && one.initial.initialSequence === other.initial.initialSequence;
}

function sameSubflow(one: TracedSubflow, other: TracedSubflow): boolean {
  if (one.initial || other.initial) return one.initial && other.initial;
  const [here, there] = [one.trace.handshake.syn, other.trace.handshake.syn];
  if (here?.subtype !== "MP_JOIN" || here.form !== "syn" || there?.subtype !== "MP_JOIN" || there.form !== "syn")
    return false;
  return here.token === there.token && here.nonce.equals(there.nonce);
}

function pair<T>(atClient: readonly T[], atServer: readonly T[], same: (one: T, other: T) => boolean): Seen<T>[] {
  const left = [...atServer];
  const pairs: Seen<T>[] = atClient.map((client) => {
    const index = left.findIndex((server) => same(client, server));
    return index < 0 ? { client } : { client, server: left.splice(index, 1)[0]! };
  });
  return [...pairs, ...left.map((server) => ({ server }))];
}

function either<T>(seen: Seen<T>, preferred: Side): T {
  return (preferred === "client" ? (seen.client ?? seen.server) : (seen.server ?? seen.client))!;
}

function mergeConnection(
  workload: WorkloadOnTheWire,
  seen: Seen<ConnectionTrace>,
  pathOf: (subflow: string) => string,
): WireConnection {
  const traces = [seen.client, seen.server].filter((trace) => trace !== undefined);
  const offered = traces.some((trace) => trace.offered);
  const negotiated = traces.every((trace) => trace.multipath);
  const subflows = pair(seen.client?.subflows ?? [], seen.server?.subflows ?? [], sameSubflow);
  return {
    workload: workload.name,
    multipath: negotiated ? "negotiated" : offered ? "fell-back" : "not-offered",
    ...mergeFallback(workload, seen, offered),
    subflows: subflows.map((subflow) => mergeSubflow(subflow, seen, pathOf)),
    toServer: streamOf(either(seen, "server").toServer, either(seen, "server").initial.acknowledgedAt),
    toClient: streamOf(either(seen, "client").toClient, either(seen, "client").initial.synAckAt),
  };
}

/** The earliest that either side saw. A SYN that lost its option on the way is seen by the server only as one that never had it. */
function mergeFallback(
  workload: WorkloadOnTheWire,
  seen: Seen<ConnectionTrace>,
  offered: boolean,
): Pick<WireConnection, "fallback"> {
  const found = (["client", "server"] as const).flatMap((side) => {
    const fallback = seen[side]?.fallback;
    return fallback === undefined ? [] : [{ ...fallback, host: workload[side] }];
  });
  const [first] = found.toSorted((one, other) => one.at - other.at);
  return offered && first !== undefined ? { fallback: { at: first.at, host: first.host, reason: first.reason } } : {};
}

function mergeSubflow(
  seen: Seen<TracedSubflow>,
  connection: Seen<ConnectionTrace>,
  pathOf: (subflow: string) => string,
): WireSubflow {
  const here = either(seen, "client");
  const { initial, openedBy, trace } = here;
  const called = either(seen, openedBy === "client" ? "server" : "client");
  const establishedAt = establishmentTime(called);
  const authenticated = initial ? undefined : joinAuthenticated(seen, connection);
  const closed = called.trace.closedAt === undefined ? trace : called.trace;
  return {
    id: trace.id,
    path: pathOf(trace.id),
    initial,
    openedBy,
    established: establishedAt !== undefined,
    ...(authenticated === undefined ? {} : { authenticated }),
    backup: here.trace.backup,
    openedAt: trace.openedAt,
    ...(establishedAt === undefined ? {} : { establishedAt }),
    ...(closed.closedAt === undefined || closed.closedBy === undefined
      ? {}
      : { closedAt: closed.closedAt, closedBy: closed.closedBy }),
    toServer: mergeDirection(seen, "toServer", openedBy),
    toClient: mergeDirection(seen, "toClient", openedBy),
  };
}

/** A join is established by the ACK with the HMAC, a plain handshake by any. */
function establishmentTime({ trace, initial }: TracedSubflow): number | undefined {
  return initial || trace.handshake.ack?.subtype === "MP_JOIN" ? trace.acknowledgedAt : undefined;
}

function joinAuthenticated(seen: Seen<TracedSubflow>, connection: Seen<ConnectionTrace>): boolean | undefined {
  const answers = (["client", "server"] as const).flatMap((side) => {
    const subflow = seen[side];
    const answer = subflow === undefined ? undefined : connection[side]?.joinAuthenticated(subflow);
    return answer === undefined ? [] : [answer];
  });
  return answers.length === 0 ? undefined : answers.every(Boolean);
}

function mergeDirection(
  seen: Seen<TracedSubflow>,
  towards: "toServer" | "toClient",
  openedBy: Side,
): WireSubflowDirection {
  const directionOf = (trace: SubflowTrace): SubflowDirectionTrace =>
    trace.direction((towards === "toServer") === (openedBy === "client"));
  const receiver = directionOf(either(seen, towards === "toServer" ? "server" : "client").trace);
  const sender = directionOf(either(seen, towards === "toServer" ? "client" : "server").trace);
  return {
    payloadBytes: receiver.payloadBytes,
    retransmissions: sender.retransmissions,
    retransmittedBytes: sender.retransmittedBytes,
    reinjectedBytes: sender.reinjectedBytes,
    arrivals: receiver.arrivals.sums,
  };
}

function streamOf(trace: StreamTrace, openedAt: number | undefined): WireStream {
  const { firstAt, lastAt, longestGap } = trace;
  const goodputBitsPerSecond = goodputOf(trace.bytes, openedAt, lastAt);
  return {
    ...(openedAt === undefined ? {} : { openedAt }),
    bytes: trace.bytes,
    bytesBehindHole: trace.bytesBehindHole,
    ...(firstAt === undefined ? {} : { firstAt }),
    ...(lastAt === undefined ? {} : { lastAt }),
    ...(goodputBitsPerSecond !== undefined && { goodputBitsPerSecond }),
    longestGapMicroseconds: longestGap.microseconds,
    longestGapAt: longestGap.at,
    progress: trace.progress,
  };
}
