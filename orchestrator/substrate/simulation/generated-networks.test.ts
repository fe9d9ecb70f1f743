import { expect } from "chai";
import { payloadSha256 } from "../../../stack/endpoint/workload/payload.ts";
import { writtenPlan } from "../../plan/simulation-plans.fixture.ts";
import { observe } from "./simulation.fixture.ts";

const networks = {
  "fat-tree": "{ k: 4, rate: 10mbit, delay: 100us }",
  "leaf-spine": "{ leaves: 3, spines: 2, hostsPerLeaf: 2, rate: 10mbit, delay: 100us }",
  vl2: "{ aggregationPorts: 4, intermediatePorts: 4, hostsPerRack: 2, rate: 10mbit, delay: 100us }",
  bcube: "{ ports: 3, levels: 2, rate: 10mbit, delay: 100us }",
  "bcube-disjoint": "{ ports: 3, levels: 2, rate: 10mbit, delay: 100us, paths: disjoint }",
  dumbbell: "{ pairs: 3, rate: 10mbit, delay: 100us, accessRate: 20mbit }",
  "parking-lot": "{ bottlenecks: 3, rate: 10mbit, delay: 100us }",
  torus: "{ bottlenecks: 5, rate: 10mbit, delay: 100us }",
  "multi-homed-cloud": "{ servers: 2, providers: 3, clients: 3, rate: 10mbit, delay: 100us }",
};

/** Pairs over which nothing takes time are refused, and so left out. */
const hosts: Readonly<Record<string, string>> = {
  torus: "hosts: [sender-0, receiver-0], ",
  "parking-lot": "hosts: [long-source, long-sink], ",
  "multi-homed-cloud": "hosts: [server-0, client-0], ",
};

describe("generated networks", function () {
  this.timeout(120_000);

  const cases = [
    ...Object.keys(networks).map((name) => ({ name, addressing: "ipv4" })),
    { name: "fat-tree", addressing: "ipv6" },
    { name: "bcube-disjoint", addressing: "dual" },
  ] as const;
  for (const { name, addressing } of cases) {
    it(`${name} (${addressing}): carries a permutation of its hosts, every byte`, async () => {
      const generate = `{ ${name.replace("-disjoint", "")}: ${networks[name as keyof typeof networks]} }`;
      const plan = writtenPlan(
        `addressing: ${addressing}\ngenerate: ${generate}`,
        `traffic: { all: { pattern: permutation, ${hosts[name] ?? ""}size: 50kB } }\ncapture: { enabled: false }`,
      );
      const { results, failures, events } = await observe(plan);
      expect(failures).to.deep.equal([]);
      expect(events.filter(({ name: event }) => event === "lab:problem")).to.deep.equal([]);
      const received = Object.values(results).flatMap((result) => (result.kind === "receiver" ? [result] : []));
      const sent = plan.workloads.map(({ payloadSeed }) => payloadSha256(payloadSeed, 50_000));
      expect(received.map(({ sha256 }) => sha256).toSorted()).to.deep.equal(sent.toSorted());
    });
  }
});
