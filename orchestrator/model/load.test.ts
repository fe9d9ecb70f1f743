import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { formatDiagnostics } from "./diagnostics.ts";
import type { Checked, Diagnostic } from "./diagnostics.ts";
import { loadExperiment, loadFile, loadTopology } from "./load.ts";
import type { LoadedExperiment } from "./load.ts";
import type { Topology } from "./topology.ts";

const repository = join(import.meta.dirname, "../..");
const wifi3g = join(repository, "experiments/wifi-3g.yaml");

function valueOf<T>(checked: Checked<T>): T {
  if (!checked.ok) throw new Error(formatDiagnostics(checked.diagnostics));
  return checked.value;
}

describe("loading files", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "pathlab-load-"))));
  after(() => rmSync(folder, { recursive: true }));

  function topology(links: string, rest = ""): Topology {
    const file = join(folder, "topology.yaml");
    writeFileSync(file, `version: 1\nname: t\nhosts: { a: {}, b: {} }\nlinks:\n${links}\n${rest}`);
    return valueOf(loadTopology(file)).topology;
  }

  it("says when there is no such file, or a folder", () => {
    for (const [name, found] of [
      ["nope.yaml", "no file"],
      [".", "a folder"],
    ] as const) {
      const checked = loadFile(join(folder, name));
      expect(checked.ok).to.equal(false);
      if (!checked.ok) expect(checked.diagnostics[0]!.found).to.equal(found);
    }
  });

  it("gives a link its profile's shape", () => {
    const { links } = topology("  l: { ends: [a, b], profile: wifi }");
    const direction = { rateBitsPerSecond: 8e6, delayMicroseconds: 10_000, buffer: { timeMicroseconds: 80_000 } };
    expect(links["l"]!.shape).to.deep.equal({ up: direction, down: direction });
  });

  it("lets a link's own values win over its profile's, and one direction's over both", () => {
    const { links } = topology("  l: { ends: [a, b], profile: wifi, rate: 6mbit, up: { rate: 1mbit } }");
    expect(links["l"]!.shape!.up).to.include({ rateBitsPerSecond: 1e6, delayMicroseconds: 10_000 });
    expect(links["l"]!.shape!.down).to.include({ rateBitsPerSecond: 6e6, delayMicroseconds: 10_000 });
  });

  it("halves a round-trip time without losing a microsecond", () => {
    const { links } = topology("  l: { ends: [a, b], rtt: 25us }");
    expect(links["l"]!.shape).to.deep.equal({ up: { delayMicroseconds: 12 }, down: { delayMicroseconds: 13 } });
  });

  it("takes profiles of the file's own", () => {
    const { links } = topology(
      "  l: { ends: [a, b], profile: mine }",
      "profiles:\n  mine: { rate: 3mbit, source: a test }",
    );
    expect(links["l"]!.shape!.up).to.deep.equal({ rateBitsPerSecond: 3e6 });
  });

  it("leaves a link that asks for nothing without a shape", () => {
    expect(topology("  l: { ends: [a, b] }").links["l"]).not.to.have.property("shape");
  });

  it("takes an anchor any number of times", () => {
    const links = Array.from({ length: 300 }, (_, index) => `  l${index}: *wire`);
    expect(Object.keys(topology(["  wire: &wire { ends: [a, b] }", ...links].join("\n")).links)).to.have.length(301);
  });

  it("keeps the order of the links, which numbers the subnets", () => {
    const names = Object.keys(topology("  z: { ends: [a, b] }\n  3g: { ends: [a, b] }\n  a: { ends: [a, b] }").links);
    expect(names).to.deep.equal(["z", "3g", "a"]);
  });
});

const load = (...settings: string[]): LoadedExperiment => valueOf(loadExperiment(wifi3g, { settings }));

describe("settings from outside", () => {
  it("stand in the place of the file's own values", () => {
    const { experiment } = load("hosts.server.endpoint=linux-mptcp", "workload.download.size=1MB", "seed=9");
    expect(experiment.hosts["server"]).to.include({ endpoint: "linux-mptcp", congestionControl: "cubic" });
    expect(experiment.hosts["phone"]).to.include({ endpoint: "pathlab", congestionControl: "lia" });
    expect(experiment.workload["download"]).to.include({ sizeBytes: 1e6 });
    expect(experiment.seed).to.equal(9);
  });

  it("make the mappings on their way, and take YAML as their value", () => {
    const { experiment } = load("capture.enabled=false", "expect.download={ intact: true }");
    expect(experiment.capture.enabled).to.equal(false);
    expect(experiment.expect["download"]).to.deep.equal({ intact: true });
  });

  it("are in the resolved text, so that it alone runs the same again", () => {
    const { text, experiment } = load("workload.download.size=1MB", "hosts.phone.endpoint=linux-tcp");
    expect(text).to.contain("size: 1MB").and.to.contain("yaml-language-server");
    expect(experiment.hosts["phone"]!.endpoint).to.equal("linux-tcp");
  });

  it("can be added to a copy of the text", () => {
    const { textWith } = load("workload.download.size=1MB");
    expect(textWith({ topology: "topology.yaml", seed: 5 }))
      .to.contain("topology: topology.yaml\n")
      .and.contain("seed: 5\n")
      .and.contain("size: 1MB");
    expect(textWith({})).to.contain("topology: ../topologies/wifi-3g.yaml\n").and.contain("seed: 1\n");
  });

  it("reach the baselines too, whose own settings win", () => {
    const [baseline] = load("workload.download.size=1MB", "hosts.phone.endpoint=linux-mptcp").baselines;
    expect(baseline!.experiment.workload["download"]).to.include({ sizeBytes: 1e6 });
    expect(baseline!.experiment.hosts["phone"]!.endpoint).to.equal("linux-tcp");
  });
});

describe("baselines", () => {
  it("on another endpoint inherit of a host's settings what that endpoint has", () => {
    const loaded = loadExperiment(wifi3g, {
      settings: [
        "hosts.server.scheduler=blest",
        "hosts.server.congestionControl=cubic",
        "hosts.server.subflows=4",
        "hosts.server.windowCapping=false",
        "hosts.server.receiveBuffer=1MB",
      ],
    });
    const { experiment, baselines } = valueOf(loaded);
    expect(experiment.hosts["server"]).to.deep.include({ scheduler: "blest", options: { windowCapping: false } });
    const plain = baselines[0]!;
    expect(plain.experiment.hosts["server"]).to.deep.include({
      scheduler: "none",
      congestionControl: "cubic",
      subflows: 1,
      receiveBufferBytes: 1e6,
      options: {},
    });
    expect(plain.text).not.to.contain("blest");
  });

  it("are still refused what nobody has, and what they set themselves", () => {
    const refused = (...settings: string[]): string =>
      formatDiagnostics((loadExperiment(wifi3g, { settings }) as { diagnostics: readonly Diagnostic[] }).diagnostics);
    expect(refused("hosts.server.scheduler=fastest")).to.contain('found "fastest"');
    expect(refused('baselines.tcp-on-wifi.set={"hosts.server": {endpoint: linux-tcp, scheduler: blest}}')).to.contain(
      "blest on a linux-tcp endpoint",
    );
  });

  it("are the experiment with their keys set and their own expectations", () => {
    const { experiment, baselines } = valueOf(loadExperiment(wifi3g));
    expect(baselines.map(({ name }) => name)).to.deep.equal(["tcp-on-wifi"]);
    const baseline = baselines[0]!.experiment;
    expect(baseline.hosts["phone"]!.endpoint).to.equal("linux-tcp");
    expect(baseline.expect).to.deep.equal({ download: { goodput: { atMostBitsPerSecond: 7.8e6 }, intact: true } });
    expect(baseline.baselines).to.deep.equal({});
    expect(baseline.workload).to.deep.equal(experiment.workload);
  });
});
