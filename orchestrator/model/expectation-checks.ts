/** What of expectations can only be judged with what they are about: its measures, its hosts' subflows, the rates of its paths. */
import { formatChoice, formatFound, suggestName } from "./diagnostics.ts";
import type { Expectation, Experiment, Workload } from "./experiment.ts";
import { interfacesOf } from "./interface-names.ts";
import { boundOnRate } from "./path-rates.ts";
import type { Topology } from "./topology.ts";
import { formatRate } from "./units.ts";
import type { Complain } from "./yaml-source.ts";

/** Which expectations each kind of workload can be held to. */
const judged: Readonly<Record<Workload["kind"], readonly string[]>> = {
  bulk: ["goodput", "subflows", "share", "longestGap", "intact", "fallback", "completion"],
  stream: ["goodput", "subflows", "share", "longestGap", "stalls", "intact", "fallback", "completion"],
  "request-response": ["subflows", "share", "longestGap", "intact", "fallback", "completion", "latency"],
  application: ["goodput", "bytes", "subflows", "share", "longestGap", "fallback", "completion", "exitCode"],
};

function judgedOf(workload: Workload): readonly string[] {
  if (workload.kind !== "application") return judged[workload.kind];
  return [
    ...judged.application,
    ...(Object.keys(workload.run.receives).length > 0 ? ["intact"] : []),
    ...(workload.playback ? ["stalls", "frames"] : []),
  ];
}

const judgedOfTraffic: readonly string[] = ["meanGoodput", "leastGoodput", "fairness", "flowCompletion", "intact"];

export function checkExpectations(
  { workload: workloads, expect, faults, hosts, traffic }: Experiment,
  topology: Topology | undefined,
  complain: Complain,
): void {
  for (const [name, expectation] of Object.entries(expect)) {
    if (Object.hasOwn(traffic, name)) {
      checkMetrics(name, expectation, judgedOfTraffic, "traffic", complain);
      continue;
    }
    const workload = workloads[name];
    if (!workload || !Object.hasOwn(workloads, name)) {
      complain({
        path: ["expect", name],
        at: "key",
        found: `unknown workload ${formatFound(name)}`,
        expected: "a workload of this experiment",
        hint: suggestName(name, [...Object.keys(workloads), ...Object.keys(traffic)]),
      });
      continue;
    }
    checkMetrics(name, expectation, judgedOf(workload), describeKind(workload), complain);
    const least = expectation.subflows?.exactly ?? expectation.subflows?.atLeast;
    if (topology && least !== undefined) checkSubflowCount(name, workload, least, hosts, topology, complain);
    if (topology) checkShares(name, workload, expectation.share ?? {}, topology, complain);
    const changing = faults.some(
      (fault) => "link" in fault && (fault.shape?.up.rateBitsPerSecond ?? fault.shape?.down.rateBitsPerSecond),
    );
    if (topology && !changing)
      checkGoodput(name, workload, expectation.goodput?.atLeastBitsPerSecond, topology, complain);
  }
}

const hostsOf = (workload: Workload): readonly [string, string] =>
  "server" in workload ? [workload.client, workload.server] : [workload.from, workload.to];

function describeKind(workload: Workload): string {
  if (workload.kind !== "application") return `a ${workload.kind} workload`;
  const lacks = [
    ...(Object.keys(workload.run.receives).length > 0 ? [] : ["run.receives"]),
    ...(workload.playback ? [] : ["playback"]),
  ];
  return `an application${lacks.length > 0 ? ` without ${lacks.join(" and ")}` : ""}`;
}

function checkMetrics(
  name: string,
  expectation: object,
  offered: readonly string[],
  whose: string,
  complain: Complain,
): void {
  for (const metric of Object.keys(expectation)) {
    if (offered.includes(metric)) continue;
    complain({
      path: ["expect", name, metric],
      at: "key",
      found: `${metric} of ${whose}`,
      expected: formatChoice(offered),
      hint: "it has no such measure; remove it",
    });
  }
}

/** No transfer carries more payload than its paths carry frames. */
function checkGoodput(
  name: string,
  workload: Workload,
  least: number | undefined,
  topology: Topology,
  complain: Complain,
): void {
  if (least === undefined || workload.kind === "request-response") return;
  const bound = boundOnRate(workload.from, workload.to, topology);
  if (bound === 0 || least < bound) return;
  complain({
    path: ["expect", name, "goodput", "atLeast"],
    found: formatRate(least),
    expected: `less than the ${formatRate(bound)} of the paths`,
    hint: "headers take some 6 % of a full frame; lower it, or give the links more",
  });
}

/** Paths go by the names of user-side links (`subflowPaths`), and no more than all of the payload can be asked of them. */
function checkShares(
  name: string,
  workload: Workload,
  shares: NonNullable<Expectation["share"]>,
  topology: Topology,
  complain: Complain,
): void {
  const hosts = hostsOf(workload);
  const linksWith = (sides: readonly number[]): string[] =>
    Object.entries(topology.links).flatMap(([link, { ends }]) =>
      sides.some((side) => hosts.includes(ends[side]!.node)) ? [link] : [],
    );
  const userSide = linksWith([0]);
  const paths = userSide.length > 0 ? userSide : linksWith([1]);
  for (const path of Object.keys(shares)) {
    if (paths.includes(path)) continue;
    complain({
      path: ["expect", name, "share", path],
      at: "key",
      found: `${formatFound(path)}, no path between ${hosts.join(" and ")}`,
      expected: formatChoice(paths),
      hint: suggestName(path, paths),
    });
  }
  const least = Object.values(shares).reduce((sum, { atLeast = 0 }) => sum + atLeast, 0);
  if (least <= 1) return;
  complain({
    path: ["expect", name, "share"],
    at: "key",
    found: `at least ${Number((least * 100).toFixed(3))}% of the payload, over all paths together`,
    expected: "at most 100%",
    hint: "lower one of them",
  });
}

/** A full mesh has one subflow for each pair of interfaces; n different ports are as many as the client was told. */
function checkSubflowCount(
  name: string,
  workload: Workload,
  least: number,
  hosts: Experiment["hosts"],
  topology: Topology,
  complain: Complain,
): void {
  const client = hosts[workload.client];
  if (client?.pathManager === "n-different-ports") {
    if (least <= client.subflows) return;
    complain({
      path: ["expect", name, "subflows"],
      at: "key",
      found: String(least),
      expected: `at most ${client.subflows}`,
      hint: `raise hosts.${workload.client}.subflows`,
    });
    return;
  }
  const ends = hostsOf(workload);
  const counts = ends.map((end) => interfacesOf(end, topology.links).length);
  const most = counts.reduce((product, count) => product * count, 1);
  if (most === 0 || least <= most) return;
  complain({
    path: ["expect", name, "subflows"],
    at: "key",
    found: String(least),
    expected: `at most ${most}`,
    hint: `${ends[0]} has ${counts[0]} and ${ends[1]} ${counts[1]} interfaces: ${counts[0]} × ${counts[1]} paths`,
  });
}
