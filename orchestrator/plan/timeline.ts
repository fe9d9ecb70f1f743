/** Workloads and faults on the run's clock. */
import type { Experiment, LinkFault, Workload } from "../model/experiment.ts";
import type { Topology } from "../model/topology.ts";
import { planApplication } from "./application.ts";
import { derivedSeed } from "./derived-seed.ts";
import { serverOf } from "./endpoint-settings.ts";
import { FailedLinks } from "./failed-links.ts";
import { linkConfigs, shapeAfter } from "./link-realisation.ts";
import type { PlannedFault, PlannedWorkload } from "./plan.ts";

const firstPort = 5001;

export function planWorkloads(
  experiment: Experiment,
  seed: number,
  addressOf: (workload: Workload, server: string) => string,
  lab: string,
): PlannedWorkload[] {
  const given = new Set(Object.values(experiment.workload).flatMap(({ port }) => port ?? []));
  let next = firstPort;
  const freePort = (): number => {
    while (given.has(next)) next++;
    return next++;
  };
  return Object.entries(experiment.workload).map(([name, workload]): PlannedWorkload => {
    const server = serverOf(workload);
    const base = {
      name,
      client: workload.client,
      server,
      serverAddress: addressOf(workload, server),
      port: workload.port ?? freePort(),
      startMicroseconds: workload.startMicroseconds,
      payloadSeed: derivedSeed(seed, "payload", name),
      ...(workload.noDelay !== undefined && { noDelay: workload.noDelay }),
    };
    if (workload.kind === "application") return planApplication(workload, base, lab);
    if (workload.kind !== "request-response") {
      const { family: _chosen, ...transfer } = workload;
      return { ...transfer, ...base };
    }
    const { kind, requestBytes, responseBytes, intervalMicroseconds } = workload;
    const count = workload.count ?? Math.max(1, Math.floor(workload.durationMicroseconds! / intervalMicroseconds));
    return { ...base, kind, requestBytes, responseBytes, intervalMicroseconds, count };
  });
}

/** In the order of their times; those of one time in the order of the file. What leaves a link as dead as it was is none. */
export function planFaults(
  given: readonly LinkFault[],
  topology: Topology,
  seed: number,
  interfaceOf: (link: string, side: 0 | 1) => string,
): PlannedFault[] {
  const failed = new FailedLinks();
  const faults = given
    .toSorted((a, b) => a.atMicroseconds - b.atMicroseconds)
    .filter((fault) => !isSilence(fault) || failed.apply(fault));
  return faults.map((fault, index) => {
    const link = topology.links[fault.link]!;
    const base = { atMicroseconds: fault.atMicroseconds, link: fault.link, action: fault.action };
    if (fault.action === "down" || fault.action === "up") {
      const sides = ([0, 1] as const).filter((side) => Object.hasOwn(topology.hosts, link.ends[side].node));
      const interfaces = (sides.length > 0 ? sides : ([0, 1] as const)).map((side) => ({
        node: link.ends[side].node,
        interface: interfaceOf(fault.link, side),
      }));
      const names = interfaces.map((end) => `${end.node}:${end.interface}`).join(" and ");
      return {
        ...base,
        interfaces,
        reason: `interface event: ${names} ${fault.action === "down" ? "goes down" : "comes up"}`,
      };
    }
    if (fault.action === "set") {
      const shape = shapeAfter(link, fault.link, faults.slice(0, index + 1));
      return {
        ...base,
        ...linkConfigs(fault.link, shape, seed),
        reason: `link ${fault.link} changes while it carries packets; its queue stays`,
      };
    }
    return { ...base, reason: describeSilence(fault) };
  });
}

const isSilence = ({ action }: LinkFault): boolean => action === "blackhole" || action === "restore";

function describeSilence({ link, action }: LinkFault): string {
  return action === "blackhole"
    ? `link ${link} drops every packet both ways; no interface tells`
    : `link ${link} carries packets again`;
}
