/** What of faults can only be judged beside each other, with the workloads and the topology. */
import { formatFound, suggestName } from "./diagnostics.ts";
import type { Experiment, Fault } from "./experiment.ts";
import type { Topology } from "./topology.ts";
import { formatDuration } from "./units.ts";
import { workloadEnd } from "./workload-checks.ts";
import type { Complain } from "./yaml-source.ts";

/** The time at which the last workload or, where it is earlier, the whole run ends; undefined when a transfer's size decides. */
function plannedEnd(experiment: Experiment): number | undefined {
  const ends = [
    ...Object.values(experiment.workload).map((workload) => workloadEnd(workload)),
    ...Object.values(experiment.traffic).map(({ startMicroseconds, durationMicroseconds: lasts, pattern }) =>
      lasts === undefined || pattern === "poisson" ? undefined : startMicroseconds + lasts,
    ),
  ];
  const last = ends.includes(undefined) ? undefined : Math.max(...ends.map((end) => end!));
  const { durationMicroseconds } = experiment;
  return durationMicroseconds === undefined ? last : Math.min(durationMicroseconds, last ?? Infinity);
}

export function checkFaults(experiment: Experiment, topology: Topology | undefined, complain: Complain): void {
  const end = plannedEnd(experiment);
  const links = topology && Object.keys(topology.links);
  for (const [index, fault] of experiment.faults.entries()) {
    if (!("link" in fault)) {
      if (topology && !Object.hasOwn(topology.routers, fault.node)) {
        complain({
          path: ["faults", index, "node"],
          found: Object.hasOwn(topology.hosts, fault.node)
            ? `host ${fault.node}`
            : `unknown node ${formatFound(fault.node)}`,
          expected: `a router or switch of topology ${topology.name}`,
          hint: Object.hasOwn(topology.hosts, fault.node)
            ? "let its links fail"
            : suggestName(fault.node, Object.keys(topology.routers)),
        });
      }
    } else if (links && !links.includes(fault.link)) {
      complain({
        path: ["faults", index, "link"],
        found: `unknown link ${formatFound(fault.link)}`,
        expected: `a link of topology ${topology.name}`,
        hint: suggestName(fault.link, links),
      });
    }
    if (end !== undefined && fault.atMicroseconds >= end) {
      complain({
        path: ["faults", index, "at"],
        found: formatDuration(fault.atMicroseconds),
        expected: `a time before the end at ${formatDuration(end)}`,
        hint: "it would never happen; let it come earlier, or the workload last longer",
      });
    }
  }
  for (const [index, fault] of experiment.faults.entries()) {
    if (!("link" in fault) || fault.shape === undefined) continue;
    const recorded = topology?.links[fault.link]?.shape;
    for (const side of ["up", "down"] as const) {
      if (!recorded?.[side].trace || fault.shape[side].rateBitsPerSecond === undefined) continue;
      complain({
        path: ["faults", index, "to"],
        at: "key",
        found: `a rate for link ${fault.link}`,
        expected: "no rate for a link with a trace",
        hint: "the trace alone says what may leave when",
      });
      break;
    }
    if (!(fault.shape.up.trace ?? fault.shape.down.trace)) continue;
    complain({
      path: ["faults", index, "to"],
      at: "key",
      found: "a trace",
      expected: "a rate",
      hint: "a link has its trace from the beginning; name it in the topology",
    });
  }
  checkPairs(experiment.faults, "blackhole", "restore", complain);
  checkPairs(experiment.faults, "down", "up", complain);
}

/** Of each link, in the order of time: what ends a fault follows it, and none begins twice. */
function checkPairs(
  faults: readonly Fault[],
  begins: "blackhole" | "down",
  ends: "restore" | "up",
  complain: Complain,
): void {
  const broken = new Set<string>();
  const timeline = faults
    .map((fault, index) => ({ fault, index }))
    .sort((a, b) => a.fault.atMicroseconds - b.fault.atMicroseconds);
  for (const { fault, index } of timeline) {
    const path = ["faults", index, "do"];
    if (fault.action === ends && !broken.delete(nameOf(fault))) {
      complain({
        path,
        found: `${ends} of ${nameOf(fault)}`,
        expected: `a ${begins} of it before`,
        hint: `there is nothing to end; add do: ${begins} at an earlier time`,
      });
    }
    if (fault.action === begins) {
      if (broken.has(nameOf(fault)))
        complain({
          path,
          found: `${begins} of ${nameOf(fault)} again`,
          expected: `${ends} in between`,
          hint: `add do: ${ends} before it, or remove it`,
        });
      broken.add(nameOf(fault));
    }
  }
}

function nameOf(fault: Fault): string {
  return "link" in fault ? `link ${fault.link}` : `node ${fault.node}`;
}
