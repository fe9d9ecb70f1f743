/** Experiment + topology + the machine's abilities ⇒ plan. Pure: the same input gives the same plan on any machine. */
import { formatFound, inFileOrder } from "../model/diagnostics.ts";
import type { Checked } from "../model/diagnostics.ts";
import { defaultHostSettings } from "../model/endpoint-abilities.ts";
import { isApplication, isOfOurStack } from "../model/experiment.ts";
import type { Experiment, HostSettings, SubstrateName } from "../model/experiment.ts";
import type { AddressFamily } from "../model/ip-address.ts";
import type { CheckedExperiment } from "../model/checked-experiment.ts";
import type { RouterNode, Topology } from "../model/topology.ts";
import type { Complaint } from "../model/yaml-source.ts";
import { planGateway } from "./application.ts";
import { addressableLinks, addressableNetwork, addressLinks } from "./addressing.ts";
import type { AddressedEnd } from "./addressing.ts";
import { derivedSeed } from "./derived-seed.ts";
import { hostSysctls, planEndpoint, roleOf, routerSysctls, serverOf } from "./endpoint-settings.ts";
import { realiseLink } from "./link-realisation.ts";
import type { MachineAbilities } from "./link-realisation.ts";
import { describeMemory, estimateFor, gigabytes } from "./memory-estimate.ts";
import type { Plan, PlannedInterface, PlannedLink, PlannedNode, PlannedWorkload } from "./plan.ts";
import { linkFaults, planRerouting } from "./rerouting.ts";
import { Routing } from "./routing.ts";
import { simulatedNode } from "./simulated-node.ts";
import { joinedWithoutTime } from "./timeless-paths.ts";
import { expandTraffic } from "./traffic/expand-traffic.ts";
import { planDeadline, planFaults, planWorkloads } from "./timeline.ts";

const mostListed = 8;

/** From port 5001 to where hosts take the ports of their own connections from. */
const mostTransfers = 25_000;

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
  const routing = new Routing(addressed);
  const failing = linkFaults(experiment.faults, topology);
  const links = addressed.map((link, index) =>
    realiseLink(
      topology.links[link.name]!,
      link,
      index,
      failing,
      seed,
      substrate === "simulation" ? substrate : options.abilities,
    ),
  );
  const workloads = planWorkloads(experiment, seed, (host) => routing.interfacesOf(host)[0]!.address, options.lab);
  const direct = new Set(links.filter(({ realisation }) => realisation === "direct").map(({ name }) => name));
  const planned = [
    ...Object.keys(topology.hosts).map((name) =>
      planHost(name, experiment, topology.addressing, options.lab, routing, links, workloads),
    ),
    ...Object.entries(topology.routers).map(([name, node]) =>
      planRouter(name, node, topology.addressing, options.lab, seed, routing, direct),
    ),
  ];
  const nodes = substrate === "simulation" ? planned.map(simulatedNode) : planned;
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
      faults: [
        ...planFaults(
          failing,
          topology,
          seed,
          (link, side) => addressed.find(({ name }) => name === link)!.ends[side].interface,
        ),
        ...planRerouting(failing, addressed, Object.keys(topology.routers)),
      ].sort((a, b) => a.atMicroseconds - b.atMicroseconds),
      expectations: Object.entries(experiment.expect).map(([workload, expectation]) => ({ workload, expectation })),
      capture: experiment.capture,
      metricsIntervalMicroseconds: experiment.metrics.intervalMicroseconds,
      deadlineMicroseconds: planDeadline(experiment, topology),
    },
  };
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

/** What this substrate, or any, cannot be asked for. */
function checkSubstrate(experiment: Experiment, topology: Topology, substrate: SubstrateName): Complaint[] {
  const complaints: Complaint[] = [];
  for (const [host, { endpoint }] of Object.entries(experiment.hosts)) {
    if (substrate !== "simulation" || isOfOurStack(endpoint)) continue;
    complaints.push({
      path: ["hosts", host, "endpoint"],
      found: `${formatFound(endpoint)} on the simulation`,
      expected: "pathlab or pathlab-tcp there",
      hint: "a kernel cannot be simulated; run it --on namespaces or --on containers",
    });
  }
  for (const [name, { balance }] of Object.entries(topology.routers)) {
    if (substrate === "simulation" || balance !== "packets") continue;
    complaints.push({
      path: ["topology"],
      found: `router ${name} that balances packets on ${substrate}`,
      expected: "the simulation",
      hint: "kernels balance flows; run it --on simulation, or let the router balance flows",
    });
  }
  const shapes = [
    ...Object.entries(topology.links).map(([link, { shape }]) => ({ link, shape, path: ["topology"] })),
    ...experiment.faults.flatMap((fault, index) =>
      "link" in fault ? [{ link: fault.link, shape: fault.shape, path: ["faults", index, "to"] }] : [],
    ),
  ];
  for (const { link, shape, path } of shapes) {
    if (substrate === "simulation") continue;
    if (![shape?.up, shape?.down].some((direction) => direction?.loss?.kind === "listed")) continue;
    complaints.push({
      path,
      found: `link ${link} with losses by number on ${substrate}`,
      expected: "the simulation",
      hint: "in real time the same number is another packet in each run; run it --on simulation, or give the link a share of losses",
    });
  }
  for (const [name, workload] of Object.entries(experiment.workload)) {
    if (!isApplication(workload) || substrate !== "simulation") continue;
    complaints.push({
      path: ["workload", name, "kind"],
      found: "application on the simulation",
      expected: "bulk, stream or request-response there",
      hint: "a program that nobody changed needs a kernel and real time; run it --on namespaces, or say by one of these what it sends",
    });
  }
  const toldTraffic = new Set<string>();
  for (const [name, workload] of Object.entries(experiment.workload)) {
    const server = serverOf(workload);
    const pattern = workload.kind === "bulk" ? workload.traffic : undefined;
    if (pattern !== undefined && toldTraffic.has(pattern)) continue;
    if (isApplication(workload) || substrate !== "simulation" || !joinedWithoutTime(workload.client, server, topology))
      continue;
    if (pattern !== undefined) toldTraffic.add(pattern);
    complaints.push({
      path: pattern === undefined ? ["workload", name] : ["traffic", pattern],
      found: `a path between ${workload.client} and ${server} on which nothing takes time`,
      expected: "a rate or a delay on each path of a simulation",
      hint: "give one of its links a rate: nothing else limits what passes in virtual time",
    });
  }
  const flows = Object.keys(experiment.workload).length;
  if (flows > mostTransfers) {
    complaints.push({
      path: Object.keys(experiment.traffic).length > 0 ? ["traffic"] : ["workload"],
      at: "key",
      found: `${flows} transfers`,
      expected: `at most ${mostTransfers}`,
      hint: "each needs a port of its own",
    });
  }
  const count = Object.keys(topology.links).length;
  if (count > addressableLinks) {
    complaints.push({
      path: ["topology"],
      found: `${count} links`,
      expected: `at most ${addressableLinks}`,
      hint: `each link needs a subnet of ${addressableNetwork[topology.addressing]}`,
    });
  }
  return complaints;
}

function planHost(
  name: string,
  experiment: Experiment,
  family: AddressFamily,
  lab: string,
  routing: Routing,
  links: readonly PlannedLink[],
  workloads: readonly PlannedWorkload[],
): PlannedNode {
  const settings: HostSettings = experiment.hosts[name] ?? defaultHostSettings("pathlab");
  const ends = routing.interfacesOf(name);
  const kernel = !isOfOurStack(settings.endpoint);
  const shaped = shapedLinks(ends, routing, links);
  const peers = workloads
    .filter(({ client, server }) => client === name || server === name)
    .map(({ client, server }) => (client === name ? server : client));
  const gateway = planGateway(name, settings.endpoint, family, workloads);
  const severalPeerAddresses = peers.some((peer) => routing.interfacesOf(peer).length > 1);
  return {
    name,
    kind: "host",
    systemName: systemName(lab, name),
    interfaces: ends.map((end) => planInterface(end, routing, { offload: shaped.length === 0, kernelAddress: kernel })),
    routes: routing.routesOf(name),
    // Our stack chooses the interface by the source address itself.
    sourceRoutes: kernel ? routing.sourceRoutesOf(name) : [],
    sysctls: hostSysctls(settings, family),
    endpoint: planEndpoint(settings, ends, roleOf(name, workloads), severalPeerAddresses),
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

function planRouter(
  name: string,
  { kind = "router", balance = "flows" }: RouterNode,
  family: AddressFamily,
  lab: string,
  seed: number,
  routing: Routing,
  direct: ReadonlySet<string>,
): PlannedNode {
  const routes = routing.routesOf(name);
  const equalCost = routes.some((route) => route.equalCost !== undefined);
  return {
    name,
    kind,
    systemName: systemName(lab, name),
    interfaces: routing
      .interfacesOf(name)
      .map((end) => planInterface(end, routing, { offload: direct.has(end.link), kernelAddress: true })),
    routes,
    sourceRoutes: [],
    sysctls: routerSysctls(equalCost, family),
    ...(equalCost && balance === "flows" && { flowHashSeed: derivedSeed(seed, "flow-hash", name) }),
    ...(equalCost && balance === "packets" && { balancesPackets: true }),
    reason: `forwards by the kernel's routing table${equalCost ? "; flows over next hops of equal cost by the kernel's hash of their 5-tuple" : ""}`,
  };
}

/** Links on the paths of a host that are not plain veth pairs. */
function shapedLinks(ends: readonly AddressedEnd[], routing: Routing, links: readonly PlannedLink[]): string[] {
  const behind = new Set(ends.flatMap((end) => [...routing.linksBehind(end)]));
  return links.filter(({ name, realisation }) => realisation !== "direct" && behind.has(name)).map(({ name }) => name);
}

/** A long list is cut: nobody reads the links of a data centre. */
function listed(names: readonly string[]): string {
  return names.length <= mostListed
    ? names.join(", ")
    : `${names.slice(0, mostListed).join(", ")} and ${names.length - mostListed} more`;
}

function planInterface(
  end: AddressedEnd,
  routing: Routing,
  own: { readonly offload: boolean; readonly kernelAddress: boolean },
): PlannedInterface {
  const gateway = routing.gatewayOf(end);
  return {
    name: end.interface,
    link: end.link,
    mac: end.mac,
    address: end.address,
    prefixLength: end.prefixLength,
    mtu: end.mtu,
    ...(gateway !== undefined && { gateway }),
    ...own,
  };
}

const systemName = (lab: string, node: string): string => `pl-${lab}-${node}`;
