/** What of workloads and traffic can only be judged with the run's length and the topology. */
import { formatChoice, formatFound } from "./diagnostics.ts";
import type { Experiment, Workload } from "./experiment.ts";
import { checkHostName } from "./host-checks.ts";
import type { Topology } from "./topology.ts";
import { formatDuration } from "./units.ts";
import type { Complain } from "./yaml-source.ts";

/** When it ends, in microseconds; undefined when its size decides. */
export function workloadEnd(workload: Workload): number | undefined {
  const { durationMicroseconds, startMicroseconds } = workload;
  if (durationMicroseconds !== undefined) return startMicroseconds + durationMicroseconds;
  if (workload.kind === "request-response") return startMicroseconds + workload.count! * workload.intervalMicroseconds;
  return undefined;
}

export function checkWorkloads(
  { workload: workloads, durationMicroseconds }: Experiment,
  topology: Topology | undefined,
  complain: Complain,
): void {
  const ports = new Map<string, string>();
  for (const [name, workload] of Object.entries(workloads)) {
    const path = ["workload", name];
    const named = workload.kind === "request-response" || workload.kind === "application";
    const [first, second] = named ? (["client", "server"] as const) : (["from", "to"] as const);
    const ends = named ? [workload.client, workload.server] : [workload.from, workload.to];
    if (topology)
      for (const [index, key] of [first, second].entries())
        checkHostName(ends[index]!, [...path, key], topology, complain);
    if (ends[0] === ends[1]) {
      complain({
        path: [...path, second],
        found: `${ends[1]} at both ends`,
        expected: "two hosts",
        hint: `bytes that stay on a host cross no path; change ${first} or ${second}`,
      });
    } else if (!ends.includes(workload.client)) {
      complain({
        path: [...path, "client"],
        found: formatFound(workload.client),
        expected: formatChoice(ends),
        hint: "one of the two hosts of a transfer opens its connection",
      });
    }
    const server = ends.find((end) => end !== workload.client);
    if (workload.port !== undefined) {
      const key = `${server}:${workload.port}`;
      const other = ports.get(key);
      if (other !== undefined) {
        complain({
          path: [...path, "port"],
          found: `port ${workload.port} of ${server} again`,
          expected: "each port of a server once",
          hint: `workload ${other} has it already; change it or leave it out`,
        });
      }
      ports.set(key, name);
    }
    checkWithinDuration(workload, path, durationMicroseconds, complain);
  }
}

function checkWithinDuration(
  workload: Workload,
  path: string[],
  duration: number | undefined,
  complain: Complain,
): void {
  if (duration === undefined) return;
  const end = workloadEnd(workload);
  if (workload.startMicroseconds >= duration) {
    complain({
      path: [...path, "start"],
      found: formatDuration(workload.startMicroseconds),
      expected: `a start before the run's end at ${formatDuration(duration)}`,
      hint: "start it earlier, or raise duration",
    });
  } else if (end !== undefined && end > duration) {
    complain({
      path,
      at: "key",
      found: `an end at ${formatDuration(end)}`,
      expected: `one by the run's end at ${formatDuration(duration)}`,
      hint: "it would be cut off; shorten it, or raise duration",
    });
  }
}

export function checkTraffic(
  { traffic, workload, durationMicroseconds }: Experiment,
  topology: Topology | undefined,
  complain: Complain,
): void {
  for (const [name, flows] of Object.entries(traffic)) {
    const path = ["traffic", name];
    if (Object.hasOwn(workload, name)) {
      complain({
        path,
        at: "key",
        found: `the name ${name} again`,
        expected: "each name once",
        hint: "there is a workload of this name; rename one of the two",
      });
    }
    if (topology)
      for (const [index, host] of (flows.hosts ?? []).entries())
        checkHostName(host, [...path, "hosts", index], topology, complain);
    const from = "from" in flows ? flows.from : undefined;
    if (topology && from !== undefined) checkHostName(from, [...path, "from"], topology, complain);
    if (flows.hosts !== undefined && new Set(flows.hosts).size !== flows.hosts.length) {
      complain({
        path: [...path, "hosts"],
        at: "key",
        found: "a host twice",
        expected: "each host once",
        hint: "a host takes part once; remove the other",
      });
    } else if (flows.hosts !== undefined && flows.hosts.length < 2) {
      complain({
        path: [...path, "hosts"],
        at: "key",
        found: `${flows.hosts.length} hosts`,
        expected: "at least two hosts",
        hint: "bytes that stay on a host cross no path; add one, or leave hosts out for all",
      });
    }
    if (durationMicroseconds !== undefined && flows.startMicroseconds >= durationMicroseconds) {
      complain({
        path: [...path, "start"],
        found: formatDuration(flows.startMicroseconds),
        expected: `a start before the run's end at ${formatDuration(durationMicroseconds)}`,
        hint: "start it earlier, or raise duration",
      });
    }
  }
}
