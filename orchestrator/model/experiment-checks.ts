/** What of an experiment can only be judged over several places of its file and with its topology. */
import { algorithmKeys, isModulePath } from "./algorithm-module.ts";
import { checkApplications } from "./application-checks.ts";
import { formatChoice, formatFound, suggestName } from "./diagnostics.ts";
import { endpointOptionKeys, kernelAddressLimit, optionRefusal } from "./endpoint-options.ts";
import { endpointAbilities, subflowLimits, takesModule } from "./endpoint-abilities.ts";
import type { Experiment, Fault, HostSettings, Workload } from "./experiment.ts";
import { interfacesOf } from "./interface-names.ts";
import { boundOnRate } from "./path-rates.ts";
import type { Topology } from "./topology.ts";
import { formatDuration, formatRate } from "./units.ts";
import type { Complaint } from "./yaml-source.ts";

type Complain = (complaint: Complaint) => void;

/** @param topology undefined where it could not be loaded: what needs it is left to the next time */
export function checkExperiment(experiment: Experiment, topology: Topology | undefined): Complaint[] {
  const complaints: Complaint[] = [];
  const complain: Complain = (complaint) => void complaints.push(complaint);
  checkHosts(experiment, topology, complain);
  checkWorkloads(experiment, topology, complain);
  checkApplications(experiment, complain);
  checkTraffic(experiment, topology, complain);
  checkFaults(experiment, topology, complain);
  checkExpectations(experiment, topology, complain);
  return complaints;
}

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

export function workloadEnd(workload: Workload): number | undefined {
  const { durationMicroseconds, startMicroseconds } = workload;
  if (durationMicroseconds !== undefined) return startMicroseconds + durationMicroseconds;
  if (workload.kind === "request-response") return startMicroseconds + workload.count! * workload.intervalMicroseconds;
  return undefined;
}

function checkHosts({ hosts, everyHost }: Experiment, topology: Topology | undefined, complain: Complain): void {
  if (everyHost) checkAbilities(everyHost, ["everyHost"], complain);
  for (const [name, settings] of Object.entries(hosts)) {
    if (topology && !checkHostName(name, ["hosts", name], topology, complain, "key")) continue;
    checkAbilities(settings, ["hosts", name], complain);
    if (!topology) continue;
    const interfaces = interfacesOf(name, topology.links);
    for (const [index, backup] of settings.backup.entries()) {
      if (interfaces.includes(backup)) continue;
      complain({
        path: ["hosts", name, "backup", index],
        found: `unknown interface ${formatFound(backup)}`,
        expected: `an interface of ${name}`,
        hint: suggestName(backup, interfaces),
      });
    }
  }
}

/** What the endpoint does not offer. */
function checkAbilities(settings: HostSettings, path: readonly string[], complain: Complain): void {
  const abilities = endpointAbilities[settings.endpoint];
  for (const key of algorithmKeys) {
    const offered: readonly string[] = abilities[key];
    if (isModulePath(settings[key]) && takesModule(settings.endpoint, key)) continue;
    if (offered.includes(settings[key])) continue;
    complain({
      path: [...path, key],
      found: `${settings[key]} on a ${settings.endpoint} endpoint`,
      expected: formatChoice(offered),
      hint: "choose what the endpoint offers, or leave the key out",
    });
  }
  checkOptions(settings, path, complain);
  const { most } = subflowLimits[settings.endpoint];
  if (settings.subflows <= most) return;
  complain({
    path: [...path, "subflows"],
    found: `${settings.subflows} on a ${settings.endpoint} endpoint`,
    expected: `at most ${most}`,
    hint: most === 1 ? "plain TCP has one path; leave it out" : "lower it, or leave it out",
  });
}

function checkOptions({ endpoint, options }: HostSettings, path: readonly string[], complain: Complain): void {
  for (const key of endpointOptionKeys) {
    const value = key === "closeTimeout" ? options.closeTimeoutMicroseconds : options[key];
    const refusal = value === undefined ? undefined : optionRefusal(endpoint, key);
    if (refusal === undefined) continue;
    complain({
      path: [...path, key],
      at: "key",
      found: `${key} on a ${endpoint} endpoint`,
      expected: `it on ${formatChoice(refusal.on)}`,
      hint: refusal.instead,
    });
  }
  const accepted = options.maximumAddressesAccepted ?? 0;
  if (endpoint !== "linux-mptcp" || accepted <= kernelAddressLimit) return;
  complain({
    path: [...path, "maximumAddressesAccepted"],
    found: `${accepted} on a linux-mptcp endpoint`,
    expected: `at most ${kernelAddressLimit}`,
    hint: "the kernel takes no more; lower it, or leave it out",
  });
}

/** @returns whether there is such a host */
function checkHostName(
  name: string,
  path: Complaint["path"],
  topology: Topology,
  complain: Complain,
  at: "key" | "value" = "value",
): boolean {
  if (Object.hasOwn(topology.hosts, name)) return true;
  const hosts = Object.keys(topology.hosts);
  const router = Object.hasOwn(topology.routers, name);
  complain({
    path,
    at,
    found: router ? `router ${name}` : `unknown host ${formatFound(name)}`,
    expected: `a host of topology ${topology.name}`,
    hint: router ? `routers run no endpoint; there is ${hosts.join(", ")}` : suggestName(name, hosts),
  });
  return false;
}

function checkWorkloads(
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

function checkTraffic(
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

function checkFaults(experiment: Experiment, topology: Topology | undefined, complain: Complain): void {
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

/** Which expectations each kind of workload can be held to. */
const judged: Readonly<Record<Workload["kind"], readonly string[]>> = {
  bulk: ["goodput", "subflows", "longestGap", "intact", "fallback", "completion"],
  stream: ["goodput", "subflows", "longestGap", "stalls", "intact", "fallback", "completion"],
  "request-response": ["subflows", "longestGap", "intact", "fallback", "completion", "latency"],
  application: ["goodput", "bytes", "subflows", "longestGap", "fallback", "completion", "exitCode"],
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

function checkExpectations(
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
    const changing = faults.some(
      (fault) => "link" in fault && (fault.shape?.up.rateBitsPerSecond ?? fault.shape?.down.rateBitsPerSecond),
    );
    if (topology && !changing)
      checkGoodput(name, workload, expectation.goodput?.atLeastBitsPerSecond, topology, complain);
  }
}

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
  const ends = "server" in workload ? [workload.client, workload.server] : [workload.from, workload.to];
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
