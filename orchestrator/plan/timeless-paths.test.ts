import { join } from "node:path";
import { expect } from "chai";
import type { LinkShape } from "../model/link-profile.ts";
import { loadExperiment } from "../model/load.ts";
import type { Topology } from "../model/topology.ts";
import { makePlan } from "./make-plan.ts";
import { joinedWithoutTime } from "./timeless-paths.ts";

/** `links`: pairs of nodes, `a` … hosts, `r` … routers. */
function topology(links: Readonly<Record<string, LinkShape | undefined>>): Topology {
  const nodes = [...new Set(Object.keys(links).flatMap((pair) => pair.split("-")))];
  return {
    version: 1,
    name: "test",
    addressing: "ipv4",
    hosts: Object.fromEntries(nodes.filter((node) => !node.startsWith("r")).map((node) => [node, {}])),
    routers: Object.fromEntries(nodes.filter((node) => node.startsWith("r")).map((node) => [node, {}])),
    links: Object.fromEntries(
      Object.entries(links).map(([pair, shape]) => {
        const [first, second] = pair.split("-");
        return [pair, { ends: [{ node: first! }, { node: second! }], ...(shape && { shape }) }];
      }),
    ),
    profiles: {},
  };
}
const slow: LinkShape = { up: {}, down: { rateBitsPerSecond: 1e6 } };
const far: LinkShape = { up: { delayMicroseconds: 10 }, down: {} };
const lossy: LinkShape = { up: { loss: { kind: "bernoulli", probability: 0.1 } }, down: { delayMicroseconds: 0 } };

describe("joinedWithoutTime", () => {
  for (const [links, expected, why] of [
    [{ "a-r1": undefined, "r1-b": undefined }, true, "plain links and a router"],
    [{ "a-r1": lossy, "b-r1": undefined }, true, "loss, which takes no time"],
    [{ "a-r1": slow, "r1-b": undefined }, false, "a rate in one direction"],
    [{ "a-r1": undefined, "r1-r2": far, "r2-b": undefined }, false, "a delay in one direction"],
    [
      { "a-r1": slow, "r1-b": undefined, "a-r2": undefined, "r2-b": undefined },
      true,
      "one path of two that takes none",
    ],
    [{ "a-c": undefined, "c-b": undefined }, false, "hosts do not forward"],
  ] as const) {
    it(`is ${expected} with ${why}`, () => {
      expect(joinedWithoutTime("a", "b", topology(links))).to.equal(expected);
      expect(joinedWithoutTime("b", "a", topology(links))).to.equal(expected);
    });
  }
});

describe("a workload over a path on which nothing takes time", () => {
  const loaded = loadExperiment(join(import.meta.dirname, "../../experiments/wifi-3g.yaml"), { settings: [] });
  if (!loaded.ok) throw new Error("wifi-3g cannot be loaded");
  const { experiment, topology } = loaded.value;
  const links = Object.fromEntries(Object.entries(topology.topology.links).map(([name, { ends }]) => [name, { ends }]));
  const plain: Topology = { ...topology.topology, links };
  const planOn = (substrate: "simulation" | "namespaces") =>
    makePlan(experiment, plain, { substrate, lab: "0000", abilities: { netem: false } });

  it("is refused on the simulation, and on no other substrate", () => {
    const refused = planOn("simulation");
    expect(refused.ok ? [] : refused.complaints.map(({ path, found }) => [path, found])).to.deep.equal([
      [["workload", "download"], "a path between phone and server on which nothing takes time"],
    ]);
    expect(planOn("namespaces").ok).to.equal(true);
  });
});
