/** Experiment + topology + the machine's abilities ⇒ plan. Pure: the same input gives the same plan on any machine. */
import { inFileOrder } from "../model/diagnostics.ts";
import type { Checked } from "../model/diagnostics.ts";
import { defaultHostSettings } from "../model/endpoint-abilities.ts";
import { isApplication, isOfOurStack } from "../model/experiment.ts";
import type { Experiment, HostSettings, SubstrateName } from "../model/experiment.ts";
import { bcubeNextLink } from "../model/generate/bcube-paths.ts";
import { familyName, familyOfText, type AddressFamily } from "../model/ip-address.ts";
import type { CheckedExperiment } from "../model/checked-experiment.ts";
import type { RouterNode, Topology } from "../model/topology.ts";
import type { Complaint } from "../model/yaml-source.ts";
import { planGateway } from "./application.ts";
import { addressLinks } from "./addressing.ts";
import type { AddressedEnd } from "./addressing.ts";
import { derivedSeed } from "./derived-seed.ts";
import { hostSysctls, planEndpoint, roleOf, routerSysctls, serverOf } from "./endpoint-settings.ts";
import { realiseLink } from "./link-realisation.ts";
import type { MachineAbilities } from "./link-realisation.ts";
import { describeMemory, estimateFor, gigabytes } from "./memory-estimate.ts";
import type { Plan, PlannedAddress, PlannedInterface, PlannedLink, PlannedNode, PlannedWorkload } from "./plan.ts";
import { NetworkRouting } from "./network-routing.ts";
import { linkFaults, planRerouting } from "./rerouting.ts";
import { checkSubstrate } from "./substrate-checks.ts";
import { simulatedNode } from "./simulated-node.ts";
import { expandTraffic } from "./traffic/expand-traffic.ts";
import { planDeadline } from "./deadline.ts";
import { planFaults, planWorkloads } from "./timeline.ts";

const mostListed = 8;

export interface PlanOptions {
  /** Default: the experiment's `on`. */
  readonly substrate?: SubstrateName;
  /** Four hexadecimal digits. */
  readonly lab: string;
  /** Default: the experiment's. */
  readonly seed?: number;
  readonly abilities: MachineAbilities;
}

export type PlanResult =
  | { readonly ok: true; readonly value: Plan }
  | { readonly ok: false; readonly complaints: readonly Complaint[] };

/** The plan of a loaded experiment (or of one of its baselines), what is wrong told at its place in the file. */
export function planExperiment(
  loaded: Pick<CheckedExperiment, "experiment" | "topology" | "diagnose">,
  options: PlanOptions,
): Checked<Plan> {
  const result = makePlan(loaded.experiment, loaded.topology.topology, options);
  return result.ok
    ? result
    : { ok: false, diagnostics: inFileOrder(result.complaints.map((complaint) => loaded.diagnose(complaint))) };
}

/** @throws RangeError when `lab` is not four hexadecimal digits */
export function makePlan(written: Experiment, topology: Topology, options: PlanOptions): PlanResult {
  if (!/^[0-9a-f]{4}$/.test(options.lab))
    throw new RangeError(`lab ${JSON.stringify(options.lab)} is not four hexadecimal digits`);
  const substrate = options.substrate ?? written.on;
  const seed = options.seed ?? written.seed;
  const experiment = expandTraffic(written, topology, seed);
  const complaints = checkSubstrate(experiment, topology, substrate);
  if (substrate === "simulation" && complaints.length === 0)
    complaints.push(...checkMemory(experiment, topology, seed, options.abilities));
  if (complaints.length > 0) return { ok: false, complaints };

  const addressed = addressLinks(topology, options.lab);
  const nextLink = topology.disjointPaths && bcubeNextLink(topology.disjointPaths);
  const routing = new NetworkRouting(addressed, { ...(nextLink && { nextLink }) });
  complaints.push(...checkFamilies(experiment, routing));
  if (complaints.length > 0) return { ok: false, complaints };
  const failing = linkFaults(experiment.faults, topology);
  const addressedLinks = new Map(addressed.map((link) => [link.name, link]));
  const links = Object.entries(topology.links).map(([name, link], index) =>
    realiseLink(
      link,
      addressedLinks.get(name)!,
      index,
      failing,
      seed,
      substrate === "simulation" ? substrate : options.abilities,
    ),
  );
  const workloads = planWorkloads(
    experiment,
    seed,
    ({ client, family }, server) => routing.serverAddress(client, server, family)!,
    options.lab,
  );
  const mixed = checkApplicationFamilies(workloads, experiment);
  if (mixed.length > 0) return { ok: false, complaints: mixed };
  const direct = new Set(links.filter(({ realisation }) => realisation === "direct").map(({ name }) => name));
  const hashesFlows = substrate === "simulation" || (options.abilities.seededFlowHash ?? false);
  const planned = [
    ...Object.keys(topology.hosts).map((name) => planHost(name, experiment, options.lab, routing, links, workloads)),
    ...Object.entries(topology.routers).map(([name, node]) =>
      planRouter(name, node, options.lab, seed, routing, direct, hashesFlows),
    ),
  ];
  const nodes = substrate === "simulation" ? planned.map(simulatedNode) : planned;
  const faults = [
    ...planFaults(failing, topology, seed, (link, side) => addressedLinks.get(link)!.ends[side].interface),
    ...planRerouting(failing, addressed, Object.keys(topology.routers), nextLink),
  ].sort((a, b) => a.atMicroseconds - b.atMicroseconds);
  return {
    ok: true,
    value: {
      version: 1,
      experiment: experiment.name,
      lab: options.lab,
      substrate,
      seed,
      nodes,
      links,
      workloads,
      faults,
      expectations: Object.entries(experiment.expect).map(([workload, expectation]) => ({ workload, expectation })),
      capture: experiment.capture,
      metricsIntervalMicroseconds: experiment.metrics.intervalMicroseconds,
      deadlineMicroseconds: planDeadline(experiment, { nodes, links, workloads, faults }),
    },
  };
}

/** Two hosts that have no family in common, or none over any path. */
function checkFamilies({ workload: workloads }: Experiment, routing: NetworkRouting): Complaint[] {
  const told = new Set<string>();
  return Object.entries(workloads).flatMap(([name, workload]): Complaint[] => {
    const server = serverOf(workload);
    const { client, family } = workload;
    const pattern = workload.kind === "bulk" ? workload.traffic : undefined;
    if (routing.serverAddress(client, server, family) !== undefined || told.has(pattern ?? "")) return [];
    if (pattern !== undefined) told.add(pattern);
    const path = pattern === undefined ? ["workload", name] : ["traffic", pattern];
    return [
      {
        path: family === undefined ? path : [...path, "family"],
        found: `no path of ${family === undefined ? "one family" : familyName[family]} between ${client} and ${server}`,
        expected: "addresses of one family at both, and on the links between",
        hint: "addressing: dual gives an interface both",
      },
    ];
  });
}

/** A gateway has one address for its host's applications. */
function checkApplicationFamilies(workloads: readonly PlannedWorkload[], { hosts }: Experiment): Complaint[] {
  const known = new Map<string, AddressFamily>();
  return workloads.filter(isApplication).flatMap(({ name, client, server, serverAddress }): Complaint[] => {
    const family = familyOfText(serverAddress);
    const ends = [client, server].filter((host) => isOfOurStack(hosts[host]?.endpoint ?? "pathlab"));
    const other = ends.find((host) => known.has(host) && known.get(host) !== family);
    for (const host of ends) known.set(host, family);
    if (other === undefined) return [];
    return [
      {
        path: ["workload", name],
        found: `an application over ${familyName[family]} at ${other}`,
        expected: "all applications of a host of our stack over one family",
        hint: "say by family which address their clients connect to",
      },
    ];
  });
}

/** Before the network is planned: of one that is too large that alone may take minutes. */
function checkMemory(
  experiment: Experiment,
  topology: Topology,
  seed: number,
  { memoryBytes = Infinity }: MachineAbilities,
): Complaint[] {
  const buffers = Object.keys(topology.hosts).map((name): [string, number] => [
    name,
    (experiment.hosts[name] ?? defaultHostSettings("pathlab")).sendBufferBytes,
  ]);
  const estimate = estimateFor(
    new Map(buffers),
    planWorkloads(experiment, seed, () => "", ""),
  );
  if (estimate.bytes <= memoryBytes) return [];
  return [
    {
      path: ["topology"],
      found: `a simulation of ${describeMemory(estimate)}`,
      expected: `at most ${gigabytes(memoryBytes)}, which are free`,
      hint: "smaller buffers (everyHost.sendBuffer), fewer hosts or fewer flows at the same time take less",
    },
  ];
}

function planHost(
  name: string,
  experiment: Experiment,
  lab: string,
  routing: NetworkRouting,
  links: readonly PlannedLink[],
  workloads: readonly PlannedWorkload[],
): PlannedNode {
  const settings: HostSettings = experiment.hosts[name] ?? defaultHostSettings("pathlab");
  const ends = routing.endsOf(name);
  const kernel = !isOfOurStack(settings.endpoint);
  const shaped = shapedLinks(ends, routing, links);
  const peers = workloads
    .filter(({ client, server }) => client === name || server === name)
    .map(({ client, server }) => (client === name ? server : client));
  const gateway = planGateway(name, settings.endpoint, workloads);
  const severalPeerAddresses = peers.some((peer) => routing.endsOf(peer).length > 1);
  return {
    name,
    kind: "host",
    systemName: systemName(lab, name),
    interfaces: planInterfaces(ends, routing, () => ({ offload: shaped.length === 0, kernelAddress: kernel })),
    routes: routing.routesOf(name),
    // Our stack chooses the interface by the source address itself.
    sourceRoutes: kernel ? routing.sourceRoutesOf(name) : [],
    sysctls: hostSysctls(settings, routing.families),
    endpoint: planEndpoint(settings, ends, roleOf(name, workloads), {
      severalPeerAddresses,
      connectedAddresses: workloads.filter(({ server }) => server === name).map(({ serverAddress }) => serverAddress),
    }),
    ...(gateway !== undefined && { gateway }),
    reason: [
      kernel
        ? `${settings.endpoint} endpoint: the kernel owns the addresses`
        : `${settings.endpoint} endpoint: our stack owns the addresses, the kernel has none`,
      ...(gateway === undefined ? [] : ["a gateway carries the connections of its applications"]),
      shaped.length === 0
        ? "offload on: no link on its paths is shaped"
        : `offload off: its packets cross ${listed(shaped)}, whose queue counts single segments`,
    ].join("; "),
  };
}

/** `hashesFlows`: by a hash whose seed can be given. */
function planRouter(
  name: string,
  { kind = "router", balance = "flows" }: RouterNode,
  lab: string,
  seed: number,
  routing: NetworkRouting,
  direct: ReadonlySet<string>,
  hashesFlows: boolean,
): PlannedNode {
  const routes = routing.routesOf(name);
  const equalCost = routes.some((route) => route.equalCost !== undefined);
  // For a kernel 0 is no seed.
  const flowHashSeed =
    equalCost && hashesFlows && balance === "flows" ? Math.max(1, derivedSeed(seed, "flow-hash", name)) : undefined;
  return {
    name,
    kind,
    systemName: systemName(lab, name),
    interfaces: planInterfaces(routing.endsOf(name), routing, (link) => ({
      offload: direct.has(link),
      kernelAddress: true,
    })),
    routes,
    sourceRoutes: [],
    sysctls: routerSysctls(routing.families, { equalCost, flowHashSeed }),
    ...(flowHashSeed !== undefined && { flowHashSeed }),
    ...(equalCost && balance === "packets" && { balancesPackets: true }),
    reason: `forwards by the kernel's routing table${equalCost ? flowChoice(flowHashSeed !== undefined) : ""}`,
  };
}

function flowChoice(isSeeded: boolean): string {
  return isSeeded
    ? "; flows over next hops of equal cost by the kernel's hash of their 5-tuple, seeded"
    : "; flows over next hops of equal cost by the kernel's hash of their 5-tuple, whose choices are not known: only Linux 6.11 and later take a seed for it";
}

/** Links on the paths of a host that are not plain veth pairs. */
function shapedLinks(ends: readonly AddressedEnd[], routing: NetworkRouting, links: readonly PlannedLink[]): string[] {
  const behind = new Set(ends.flatMap((end) => [...routing.linksBehind(end)]));
  return links.filter(({ name, realisation }) => realisation !== "direct" && behind.has(name)).map(({ name }) => name);
}

/** A long list is cut: nobody reads the links of a data centre. */
function listed(names: readonly string[]): string {
  return names.length <= mostListed
    ? names.join(", ")
    : `${names.slice(0, mostListed).join(", ")} and ${names.length - mostListed} more`;
}

/** In the links' order, each with its address of each family. */
function planInterfaces(
  ends: readonly AddressedEnd[],
  routing: NetworkRouting,
  ownOf: (link: string) => { readonly offload: boolean; readonly kernelAddress: boolean },
): PlannedInterface[] {
  return [...Map.groupBy(ends, ({ link }) => link).values()].map(([first, second]) => {
    const { interface: name, link, mac, mtu } = first!;
    const { address, prefixLength, ...way } = planAddress(first!, routing);
    return {
      name,
      link,
      mac,
      address,
      prefixLength,
      mtu,
      ...way,
      ...(second !== undefined && { second: planAddress(second, routing) }),
      ...ownOf(link),
    };
  });
}

function planAddress(end: AddressedEnd, routing: NetworkRouting): PlannedAddress {
  const gateway = routing.gatewayOf(end);
  return { address: end.address, prefixLength: end.prefixLength, ...(gateway !== undefined && { gateway }) };
}

const systemName = (lab: string, node: string): string => `pl-${lab}-${node}`;
