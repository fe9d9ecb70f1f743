/** The time by which a run must be over, because something hangs where it is not. */
import type { Experiment } from "../model/experiment.ts";
import { workloadEnd } from "../model/workload-checks.ts";
import { FlowPaths, type PathStep } from "./flow-paths.ts";
import type { LinkDirectionConfig } from "../path/link-direction.ts";
import type { Plan, PlannedWorkload } from "./plan.ts";

/** What a workload may take beyond its time: handshakes, the last retransmissions, a close. */
const graceMicroseconds = 30e6;
/** Bytes may take this many times what the links of their first path need for all that cross them. */
const patience = 4;
const segmentBytes = 1400;
/** Nobody knows the client's port yet; it only decides among paths of equal cost. */
const anyPort = 49_152;

type Planned = Pick<Plan, "nodes" | "links" | "workloads" | "faults">;

/** Microseconds since the run's zero. */
export function planDeadline(experiment: Experiment, plan: Planned): number {
  if (experiment.durationMicroseconds !== undefined) return experiment.durationMicroseconds;
  const busy = busyTimes(experiment, plan);
  const ends = plan.workloads.map((planned) => {
    const workload = experiment.workload[planned.name]!;
    const end = workloadEnd(workload) ?? workload.startMicroseconds;
    // All but bulk send by the clock: only what the path cannot carry in that time is late.
    const scheduled = workload.kind === "bulk" ? 0 : end - workload.startMicroseconds;
    const late = Math.max(0, busy.get(planned.name)! - scheduled);
    const timeout = planned.kind === "application" ? planned.timeoutMicroseconds : 0;
    return end + timeout + Math.ceil(patience * late) + graceMicroseconds;
  });
  const lastFault = Math.max(
    0,
    ...experiment.faults.map(({ atMicroseconds, rerouteMicroseconds = 0 }) => atMicroseconds + rerouteMicroseconds),
  );
  return Math.max(lastFault + graceMicroseconds, ...ends);
}

interface Transfer {
  readonly bytes: number;
  /** Undefined where the plan does not say. */
  readonly steps: readonly PathStep[] | undefined;
}

/** The worst that a link is in one direction, over all that faults make of it. */
interface Passage {
  /** Infinity where nothing limits. */
  readonly bitsPerSecond: number;
  /** Of packets, from 0 to 1. */
  readonly lost: number;
  /** Of the link both ways. */
  readonly roundTripMicroseconds: number;
}

/**
 * By workload, how long its first path takes, in microseconds: what the busiest link needs for all that workloads send over it, or what the loss of the path leaves of a
 * TCP's window. Multipath makes it shorter, if it can.
 */
function busyTimes(experiment: Experiment, plan: Planned): Map<string, number> {
  const paths = new FlowPaths(plan);
  const passages = passagesOf(plan);
  const narrowest = Math.min(...[...passages.values()].map(({ bitsPerSecond }) => bitsPerSecond));
  const transfers = plan.workloads.map((workload) => transfersOf(workload, experiment, paths));
  const crossing = new Map<string, number>();
  for (const { bytes, steps = [] } of transfers.flat())
    for (const step of steps) crossing.set(nameOf(step), (crossing.get(nameOf(step)) ?? 0) + bytes);
  const timeOf = ({ bytes, steps }: Transfer): number => {
    if (steps === undefined) return (bytes * 8e6) / narrowest;
    const path = steps.map((step) => passages.get(nameOf(step))!);
    const busy = path.map(({ bitsPerSecond }, i) => (crossing.get(nameOf(steps[i]!))! * 8e6) / bitsPerSecond);
    return Math.max(lossyTime(bytes, path), ...busy);
  };
  return new Map(plan.workloads.map(({ name }, index) => [name, Math.max(0, ...transfers[index]!.map(timeOf))]));
}

/** Microseconds of a TCP that loses as the path does: √(3/2p) segments in each round trip (Mathis et al., 1997). */
function lossyTime(bytes: number, path: readonly Passage[]): number {
  const arriving = path.reduce((share, { lost }) => share * (1 - lost), 1);
  const roundTrip = path.reduce((sum, { roundTripMicroseconds }) => sum + roundTripMicroseconds, 0);
  return (bytes / segmentBytes) * roundTrip * Math.sqrt((1 - arriving) / 1.5);
}

/** By link and sending node. */
function passagesOf({ links, faults }: Planned): Map<string, Passage> {
  const passages = new Map<string, Passage>();
  for (const { name, ends, forward, backward } of links) {
    const changes = faults.filter(({ link, action }) => link === name && action === "set");
    const shapes = [
      { forward, backward },
      ...changes.map((change) => ({ forward: change.forward!, backward: change.backward! })),
    ];
    const delays = shapes.map(
      (shape) => (shape.forward.delayMicroseconds ?? 0) + (shape.backward.delayMicroseconds ?? 0),
    );
    ends.forEach(({ node }, side) => {
      const each = shapes.map((shape) => (side === 0 ? shape.forward : shape.backward));
      passages.set(nameOf({ link: name, from: node }), {
        bitsPerSecond: Math.min(...each.map(({ rateBitsPerSecond = Infinity }) => rateBitsPerSecond)),
        lost: Math.max(...each.map(lostShare)),
        roundTripMicroseconds: Math.max(...delays),
      });
    });
  }
  return passages;
}

function lostShare({ loss }: LinkDirectionConfig): number {
  if (loss?.kind === "bernoulli") return loss.probability;
  if (loss?.kind !== "gilbert-elliott") return 0;
  const { pGoodToBad, pBadToGood, lossGood, lossBad } = loss;
  const bad = pGoodToBad === 0 ? 0 : pGoodToBad / (pGoodToBad + pBadToGood);
  return bad * lossBad + (1 - bad) * lossGood;
}

const nameOf = ({ link, from }: PathStep): string => `${link} ${from}`;

function transfersOf(workload: PlannedWorkload, experiment: Experiment, paths: FlowPaths): Transfer[] {
  const { client, server, serverAddress, port } = workload;
  const source = paths.sourceOf(client, serverAddress);
  const atClient = source === undefined ? undefined : { address: source, port: anyPort };
  const atServer = { address: serverAddress, port };
  const transfer = (from: string, bytes: number): Transfer => {
    const steps =
      atClient && (from === client ? paths.stepsBetween(atClient, atServer) : paths.stepsBetween(atServer, atClient));
    return { bytes, steps };
  };
  switch (workload.kind) {
    case "bulk":
      return [transfer(workload.from, workload.sizeBytes ?? bytesLeftAt(workload.from, experiment))];
    case "stream":
      return [transfer(workload.from, (workload.rateBitsPerSecond * workload.durationMicroseconds) / 8e6)];
    case "request-response":
      return [
        transfer(client, workload.requestBytes * workload.count),
        transfer(server, workload.responseBytes * workload.count),
      ];
    case "application":
      return [];
  }
}

/** A sender that stops by the clock has a send buffer full of bytes that were accepted before. */
function bytesLeftAt(host: string, { hosts }: Experiment): number {
  const { sendBufferBytes = 0, options } = hosts[host] ?? {};
  return Math.min(sendBufferBytes, options?.notSentLowatBytes ?? Infinity);
}
