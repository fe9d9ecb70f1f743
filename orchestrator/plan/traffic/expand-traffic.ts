/** Traffic patterns of an experiment as the transfers that they stand for, each a workload of its own. */
import { defaultHostSettings } from "../../model/endpoint-abilities.ts";
import type { BulkWorkload, Experiment, HostSettings } from "../../model/experiment.ts";
import type { Topology } from "../../model/topology.ts";
import type { Traffic } from "../../model/traffic.ts";
import { RandomStream } from "../../path/random.ts";
import { derivedSeed } from "../derived-seed.ts";
import { allToAll } from "./all-to-all.ts";
import type { Flow } from "./flow.ts";
import { onOff } from "./on-off.ts";
import { oneToMany } from "./one-to-many.ts";
import { permutation } from "./permutation.ts";
import { poisson } from "./poisson.ts";
import { sparse } from "./sparse.ts";

/**
 * Of hosts whose applications send for a while and are silent for a while, unless the experiment says what: a send buffer that is filled at once would go on sending long after they have
 * stopped.
 */
const onOffNotSentLowat = 128 * 1024;

/** The experiment with a bulk workload for each flow: `NAME-0`, `NAME-1` … in the order of their starts. The sender opens the connection. */
export function expandTraffic(experiment: Experiment, topology: Topology, seed: number): Experiment {
  const workload = { ...experiment.workload };
  const hosts = { ...experiment.hosts };
  for (const [name, traffic] of Object.entries(experiment.traffic)) {
    const flows = flowsOf(name, traffic, topology, seed).sort((a, b) => a.startMicroseconds - b.startMicroseconds);
    flows.forEach((flow, index) => {
      workload[`${name}-${index}`] = { kind: "bulk", client: flow.from, traffic: name, ...flow } satisfies BulkWorkload;
    });
    if (traffic.pattern === "on-off")
      for (const { from } of flows) hosts[from] = withNotSentLowat(hosts[from] ?? defaultHostSettings("pathlab"));
  }
  return { ...experiment, workload, hosts };
}

function withNotSentLowat(settings: HostSettings): HostSettings {
  return { ...settings, options: { notSentLowatBytes: onOffNotSentLowat, ...settings.options } };
}

function flowsOf(name: string, traffic: Traffic, topology: Topology, seed: number): Flow[] {
  const hosts = traffic.hosts ?? Object.keys(topology.hosts);
  const random = new RandomStream(derivedSeed(seed, "traffic", name));
  const streamOf = (host: string): RandomStream => new RandomStream(derivedSeed(seed, "traffic", name, host));
  switch (traffic.pattern) {
    case "poisson":
      return poisson(traffic, hosts, streamOf);
    case "on-off":
      return onOff(traffic, permutation(hosts, random), streamOf);
    default: {
      const { startMicroseconds, sizeBytes, durationMicroseconds } = traffic;
      const each = {
        startMicroseconds,
        ...(sizeBytes !== undefined && { sizeBytes }),
        ...(durationMicroseconds !== undefined && { durationMicroseconds }),
      };
      const pairs = {
        permutation: () => permutation(hosts, random),
        "one-to-many": () => oneToMany(traffic.from ?? hosts[0]!, hosts, traffic.count, random),
        "all-to-all": () => allToAll(hosts),
        sparse: () => sparse(hosts, traffic.share ?? 1, streamOf),
      };
      return pairs[traffic.pattern]().map((pair) => ({ ...pair, ...each }));
    }
  }
}
