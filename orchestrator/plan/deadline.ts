/** The time by which a run must be over, because something hangs where it is not. */
import type { Experiment } from "../model/experiment.ts";
import { workloadEnd } from "../model/workload-checks.ts";
import { FlowPaths, type PathStep } from "./flow-paths.ts";
import type { Plan, PlannedWorkload } from "./plan.ts";

/** What a workload may take beyond its time: handshakes, the last retransmissions, a close. */
const graceMicroseconds = 30e6;
/** Bytes may take this many times what the links of their first path need for all that cross them. */
const patience = 4;
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

/** By workload, how long the busiest link of its first path takes for what all workloads send over it, in microseconds. Multipath makes it shorter, if it can. */
function busyTimes(experiment: Experiment, plan: Planned): Map<string, number> {
  const paths = new FlowPaths(plan);
  const rates = narrowestRates(plan);
  const narrowest = Math.min(...rates.values());
  const transfers = plan.workloads.map((workload) => transfersOf(workload, experiment, paths));
  const crossing = new Map<string, number>();
  for (const { bytes, steps = [] } of transfers.flat())
    for (const step of steps) crossing.set(nameOf(step), (crossing.get(nameOf(step)) ?? 0) + bytes);
  const timeOf = ({ bytes, steps }: Transfer): number =>
    steps === undefined
      ? (bytes * 8e6) / narrowest
      : Math.max(...steps.map(nameOf).map((name) => (crossing.get(name)! * 8e6) / rates.get(name)!));
  return new Map(plan.workloads.map(({ name }, index) => [name, Math.max(0, ...transfers[index]!.map(timeOf))]));
}

/** By link and sending node, over all that faults make of it; Infinity where nothing limits. */
function narrowestRates({ links, faults }: Planned): Map<string, number> {
  const rates = new Map<string, number>();
  for (const { name, ends, forward, backward } of links) {
    const shapes = [{ forward, backward }, ...faults.filter(({ link, action }) => link === name && action === "set")];
    ends.forEach(({ node }, side) => {
      const each = shapes.map((shape) => (side === 0 ? shape.forward : shape.backward)?.rateBitsPerSecond ?? Infinity);
      rates.set(nameOf({ link: name, from: node }), Math.min(...each));
    });
  }
  return rates;
}

const nameOf = ({ link, from }: PathStep): string => `${link} ${from}`;

function transfersOf(workload: PlannedWorkload, experiment: Experiment, paths: FlowPaths): Transfer[] {
  const { client, server, serverAddress, port } = workload;
  const source = paths.sourceOf(client, serverAddress);
  const ends = [
    source === undefined ? undefined : { address: source, port: anyPort },
    { address: serverAddress, port },
  ] as const;
  const [atClient, atServer] = ends;
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
