/** What a substrate cannot be asked for, and what none can: told at its place in the experiment's file, before anything is planned. */
import { formatFound } from "../model/diagnostics.ts";
import { isApplication, isOfOurStack } from "../model/experiment.ts";
import type { Experiment, SubstrateName } from "../model/experiment.ts";
import { familiesOf } from "../model/ip-address.ts";
import type { Topology } from "../model/topology.ts";
import type { Complaint } from "../model/yaml-source.ts";
import { addressableLinks, addressableNetwork } from "./addressing.ts";
import { serverOf } from "./endpoint-settings.ts";
import { joinedWithoutTime } from "./timeless-paths.ts";

/** From port 5001 to where hosts take the ports of their own connections from. */
const mostTransfers = 25_000;

/** What this substrate, or any, cannot be asked for. */
export function checkSubstrate(experiment: Experiment, topology: Topology, substrate: SubstrateName): Complaint[] {
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
      hint: `give one of its links a rate: nothing else limits what passes in virtual time${pattern === undefined ? "" : "; or name the `hosts` of the traffic, which are all of the topology without it"}`,
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
      hint: `each link needs a subnet of ${familiesOf[topology.addressing].map((family) => addressableNetwork[family]).join(" and of ")}`,
    });
  }
  return complaints;
}
