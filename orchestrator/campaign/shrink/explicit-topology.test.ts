import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { stringify } from "yaml";
import { formatDiagnostics } from "../../model/diagnostics.ts";
import { loadTopology } from "../../model/load.ts";
import type { Topology } from "../../model/topology.ts";
import { explicitTopology } from "./explicit-topology.ts";

const shipped = fileURLToPath(new URL("../../../topologies/", import.meta.url));

const everyShape = `
version: 1
name: every-shape
hosts: { a: {}, b: {} }
routers: { r: {} }
links:
  bursty:
    ends: [{ node: "a", interface: eth7, address: 10.0.1.2/24, mac: "02:00:00:00:00:01" }, r]
    mtu: 1400
    up: { rate: 8mbit, delay: 10ms, buffer: 80ms, jitter: { time: 2ms, distribution: normal, reorder: true }, loss: { gilbertElliott: { goodToBad: 1%, badToGood: 30% } } }
    down: { rate: 1.5mbit, buffer: 50packets, loss: 0.25%, aqm: { red: { least: 30kB, most: 90kB } } }
  listed: { ends: ["r", b:eth0], rate: 1gbit, rtt: 20ms, buffer: 64KiB, aqm: codel, loss: { packets: [3, 17] } }
`;

describe("a topology written out", function () {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "pathlab-explicit-test-"));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const load = (file: string): Topology => {
    const loaded = loadTopology(file);
    if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
    return loaded.value.topology;
  };
  /** Names of profiles and descriptions are gone; all that packets feel is there. */
  const felt = ({ hosts, routers, links }: Topology) => ({
    hosts: Object.keys(hosts),
    routers: Object.entries(routers).map(([name, { kind }]) => [name, kind ?? "router"]),
    links: Object.entries(links).map(([name, { ends, shape, mtu }]) => [name, { ends, shape, mtu }]),
  });

  function expectSame(file: string): void {
    const original = load(file);
    const copy = join(directory, "copy.yaml");
    writeFileSync(copy, stringify(explicitTopology(original), { aliasDuplicateObjects: false }));
    expect(felt(load(copy))).to.deep.equal(felt(original));
  }

  for (const name of readdirSync(shipped).filter((file) => file.endsWith(".yaml") && file !== "profiles.yaml"))
    it(`is the same network as ${name}`, () => expectSame(join(shipped, name)));

  it("has every shape that a link can have", () => {
    writeFileSync(join(directory, "every-shape.yaml"), everyShape);
    expectSame(join(directory, "every-shape.yaml"));
  });
});
