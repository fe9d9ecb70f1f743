import { expect } from "chai";
import * as fc from "fast-check";
import { bcube } from "./bcube.ts";
import { dumbbell } from "./dumbbell.ts";
import { fatTree } from "./fat-tree.ts";
import type { GeneratedTopology } from "./generated-topology.ts";
import { generateSchema, generateTopology } from "./generators.ts";
import { Graph } from "./graph.fixture.ts";
import { leafSpine } from "./leaf-spine.ts";
import { multiHomedCloud } from "./multi-homed-cloud.ts";
import { parkingLot } from "./parking-lot.ts";
import { torus } from "./torus.ts";
import { vl2 } from "./vl2.ts";

const link = { rate: 100e6, delay: 10, buffer: { packets: 100 } };

/** Names once, each node at a link, links between nodes that there are. */
function expectSound({ hosts, routers, switches, links }: GeneratedTopology): Graph {
  const nodes = [...hosts, ...routers, ...switches];
  expect(new Set(nodes).size).to.equal(nodes.length);
  for (const name of [...nodes, ...Object.keys(links)]) expect(name).to.match(/^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/);
  const graph = new Graph({ hosts, routers, switches, links });
  expect(graph.nodes.toSorted()).to.deep.equal(nodes.toSorted());
  return graph;
}

describe("a fat tree", () => {
  it("has k³/4 hosts, 5k²/4 switches of k ports, 3k³/4 links, and (k/2)² paths of six links between pods", () => {
    fc.assert(
      fc.property(fc.constantFrom(2, 4, 6, 8), (k) => {
        const made = fatTree.generate({ ...link, k });
        const graph = expectSound(made);
        expect([made.hosts.length, made.switches.length, Object.keys(made.links).length]).to.deep.equal([
          k ** 3 / 4,
          (5 * k ** 2) / 4,
          (3 * k ** 3) / 4,
        ]);
        for (const name of made.switches) expect(graph.degree(name), name).to.equal(k);
        const paths = graph.pathsFrom("host-0-0-0");
        for (const host of made.hosts.slice(1)) {
          const [pod, edge] = host.split("-").slice(1).map(Number);
          const expected =
            pod !== 0
              ? { length: 6, count: (k / 2) ** 2 }
              : edge !== 0
                ? { length: 4, count: k / 2 }
                : { length: 2, count: 1 };
          expect(paths.get(host), host).to.deep.equal(expected);
        }
        expect(graph.diameter()).to.equal(6);
      }),
      { numRuns: 4 },
    );
  });

  it("of 8 ports has 128 hosts and 80 switches, of 16 ports 1,024 hosts", () => {
    expect(fatTree.generate({ ...link, k: 8 })).to.satisfy(
      ({ hosts, switches }: GeneratedTopology) => hosts.length === 128 && switches.length === 80,
    );
    expect(fatTree.generate({ ...link, k: 16 }).hosts).to.have.length(1024);
  });
});

describe("leaves and spines", () => {
  it("have as many paths of four links between leaves as spines", () => {
    const sizes = fc.record({
      leaves: fc.integer({ min: 2, max: 6 }),
      spines: fc.integer({ min: 1, max: 5 }),
      hostsPerLeaf: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(sizes, ({ leaves, spines, hostsPerLeaf }) => {
        const made = leafSpine.generate({ ...link, leaves, spines, hostsPerLeaf });
        const graph = expectSound(made);
        expect(made.hosts).to.have.length(leaves * hostsPerLeaf);
        expect(Object.keys(made.links)).to.have.length(leaves * (hostsPerLeaf + spines));
        expect(graph.pathsFrom("host-0-0").get("host-1-0")).to.deep.equal({ length: 4, count: spines });
        expect(graph.diameter()).to.equal(4);
      }),
      { numRuns: 20 },
    );
  });

  it("take their own rate for uplinks", () => {
    const { links } = leafSpine.generate({ ...link, leaves: 2, spines: 2, hostsPerLeaf: 2, uplinkRate: 1e9 });
    expect(links["uplink-0-0"]!.shape!.up.rateBitsPerSecond).to.equal(1e9);
    expect(links["access-0-0"]!.shape!.up.rateBitsPerSecond).to.equal(100e6);
  });
});

describe("VL2", () => {
  it("has D_A·D_I/4 racks at two aggregation switches each, and 2·2·D_A/2 paths between racks of different pairs", () => {
    const ports = fc.record({
      aggregationPorts: fc.constantFrom(2, 4, 6, 8),
      intermediatePorts: fc.constantFrom(4, 6, 8),
      hostsPerRack: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(ports, ({ aggregationPorts, intermediatePorts, hostsPerRack }) => {
        const made = vl2.generate({ ...link, aggregationPorts, intermediatePorts, hostsPerRack });
        const graph = expectSound(made);
        const racks = (aggregationPorts * intermediatePorts) / 4;
        expect(made.hosts).to.have.length(racks * hostsPerRack);
        expect(made.switches).to.have.length(racks + intermediatePorts + aggregationPorts / 2);
        for (let number = 0; number < intermediatePorts; number++)
          expect(graph.degree(`aggregation-${number}`)).to.equal(aggregationPorts);
        for (let number = 0; number < aggregationPorts / 2; number++)
          expect(graph.degree(`intermediate-${number}`)).to.equal(intermediatePorts);
        expect(graph.pathsFrom("host-0-0").get(`host-${racks - 1}-0`)).to.deep.equal({
          length: 6,
          count: 2 * (aggregationPorts / 2) * 2,
        });
      }),
      { numRuns: 20 },
    );
  });
});

describe("BCube", () => {
  it("has h! shortest paths between servers that differ in h digits, of two links for each digit", () => {
    const sizes = fc.record({ ports: fc.integer({ min: 2, max: 4 }), levels: fc.integer({ min: 1, max: 3 }) });
    fc.assert(
      fc.property(sizes, ({ ports, levels }) => {
        const made = bcube.generate({ ...link, ports, levels, paths: "shortest" });
        const graph = expectSound(made);
        expect(made.hosts).to.have.length(ports ** levels);
        expect(made.switches).to.have.length(levels * ports ** (levels - 1));
        for (const name of made.switches) expect(graph.degree(name), name).to.equal(ports);
        const paths = graph.pathsFrom("host-0");
        made.hosts.forEach((host, number) => {
          if (number === 0) return;
          const digits = number.toString(ports).replaceAll("0", "").length;
          const factorial = [1, 1, 2, 6][digits]!;
          expect(paths.get(host), host).to.deep.equal({ length: 2 + 2 * digits, count: factorial });
        });
      }),
      { numRuns: 9 },
    );
  });
});

describe("a dumbbell", () => {
  it("joins as many pairs as asked for by one bottleneck", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), (pairs) => {
        const made = dumbbell.generate({ ...link, pairs, accessDelay: 0 });
        const graph = expectSound(made);
        expect(made.hosts).to.have.length(2 * pairs);
        expect(graph.pathsFrom("left-0").get(`right-${pairs - 1}`)).to.deep.equal({ length: 3, count: 1 });
        expect(Object.values(made.links).filter(({ shape }) => shape !== undefined)).to.have.length(1);
      }),
    );
  });
});

describe("a parking lot", () => {
  it("has one pair over all bottlenecks and one over each", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), (bottlenecks) => {
        const graph = expectSound(parkingLot.generate({ ...link, bottlenecks }));
        expect(graph.pathsFrom("long-source").get("long-sink")).to.deep.equal({ length: bottlenecks + 2, count: 1 });
        expect(graph.pathsFrom(`source-${bottlenecks - 1}`).get(`sink-${bottlenecks - 1}`)!.length).to.equal(3);
      }),
    );
  });
});

describe("the torus of NSDI'11", () => {
  it("gives each sender its own bottleneck and the next one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 9 }), (bottlenecks) => {
        const made = torus.generate({ ...link, bottlenecks });
        const graph = expectSound(made);
        for (let place = 0; place < bottlenecks; place++) {
          expect(graph.degree(`sender-${place}`)).to.equal(2);
          expect(graph.pathsFrom(`sender-${place}`).get(`receiver-${place}`)).to.deep.equal({ length: 4, count: 2 });
        }
      }),
    );
  });
});

describe("a multi-homed cloud", () => {
  it("gives each server a path by each provider", () => {
    const sizes = fc.record({
      servers: fc.integer({ min: 1, max: 5 }),
      providers: fc.integer({ min: 1, max: 4 }),
      clients: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(sizes, (size) => {
        const graph = expectSound(multiHomedCloud.generate({ ...link, ...size, transitDelay: 0 }));
        expect(graph.pathsFrom("server-0").get("client-0")).to.deep.equal({ length: 3, count: size.providers });
      }),
    );
  });
});

describe("generate", () => {
  it("takes exactly one generator, and fills in what is left out", () => {
    const parsed = generateSchema.parse({ "fat-tree": { k: 4, rate: "100mbit", delay: "10us" } });
    const { links } = generateTopology(parsed);
    expect(links["access-0-0-0"]!.shape!.up).to.deep.equal({
      rateBitsPerSecond: 100e6,
      delayMicroseconds: 10,
      buffer: { packets: 100 },
    });
    expect(generateSchema.safeParse({}).success).to.equal(false);
    expect(
      generateSchema.safeParse({ torus: { bottlenecks: 3, rate: "1mbit" }, dumbbell: { pairs: 1, rate: "1mbit" } })
        .success,
    ).to.equal(false);
  });
});
