import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { digestFile, listFiles } from "../bundle/hash-files.ts";
import { bundleFiles } from "../bundle/layout.ts";
import { openBundle } from "../bundle/open-bundle.ts";
import { verifyBundle } from "../bundle/verify-bundle.ts";
import { formatDiagnostics } from "../model/diagnostics.ts";
import { loadExperiment } from "../model/load.ts";
import { measurementsOf, readRun } from "../report/run-view.ts";
import { runExperiment, type ExperimentOutcome } from "./run-experiment.ts";

const topology = fileURLToPath(new URL("../../topologies/wifi-3g.yaml", import.meta.url));

/** A download with a baseline that a simulation can carry, and one that it cannot. */
const experiment = `
version: 1
name: simulated
topology: ${JSON.stringify(topology)}
hosts: { phone: { endpoint: pathlab }, server: { endpoint: pathlab } }
workload: { download: { kind: bulk, from: server, to: phone, size: 1MB } }
expect: { download: { intact: true, subflows: 2 } }
baselines:
  slow-wifi: { set: { "faults": [{ at: 0s, link: wifi, do: set, to: { rate: 1mbit } }] }, expect: { download: { goodput: { atMost: 4mbit } } } }
  kernel: { set: { hosts.server.endpoint: linux-mptcp } }
  tcp: { set: { hosts.phone.endpoint: linux-tcp, hosts.server.endpoint: linux-tcp }, expect: { download: { intact: true, goodput: { atMost: 7.8mbit } } } }
`;

describe("an experiment on the simulation", function () {
  this.timeout(120_000);
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), "pathlab-simulated-run-test-"));
    writeFileSync(join(directory, "simulated.yaml"), experiment);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  function run(
    seed: number,
    signal: AbortSignal = new AbortController().signal,
    settings: readonly string[] = [],
  ): Promise<ExperimentOutcome> {
    const loaded = loadExperiment(join(directory, "simulated.yaml"), { settings });
    if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
    return runExperiment({
      loaded: loaded.value,
      substrate: "simulation",
      seed,
      abilities: { netem: false },
      resultsDirectory: join(directory, "results"),
      command: ["run"],
      progress: () => undefined,
      signal,
    });
  }

  /** What a bundle holds, but for its manifest and the page made of it: those tell when and where it was made. */
  async function contentOf(bundle: string): Promise<Record<string, string>> {
    const names = (await listFiles(bundle)).filter(
      (name) => !name.endsWith(bundleFiles.manifest) && !name.endsWith(bundleFiles.report),
    );
    return Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, (await digestFile(join(bundle, name))).sha256] as const)),
    );
  }

  it("is shown to its end when its time was over first, with the silence that it was judged by", async () => {
    const faults = "faults=[{ at: 500ms, link: wifi, do: blackhole }, { at: 700ms, link: lan, do: blackhole }]";
    const { directory: bundle, verdict } = await run(1, undefined, [
      faults,
      "duration=6s",
      "baselines={}",
      "expect.download={ longestGap: { atMost: 1s } }",
    ]);
    const view = await readRun(await openBundle(bundle));
    expect(view.manifest.run.ended).to.equal("deadline");
    expect(view.durationMicroseconds).to.be.at.least(6e6);
    const { longestGapMicroseconds } = measurementsOf(view, view.plan.workloads[0]!);
    expect(longestGapMicroseconds!.value).to.be.above(5e6);
    expect(longestGapMicroseconds!.value).to.equal(verdict.expectations[0]!.measuredValue);
  });

  it("has the decisions of a traced host in the bundle, as qlog, and of no other; and changes nothing by it", async () => {
    const traced = await run(1, undefined, ["hosts.server.trace=[scheduler, path-manager]"]);
    expect((await verifyBundle(traced.directory)).problems).to.deep.equal([]);
    const names = await listFiles(traced.directory);
    expect(names.filter((name) => name.startsWith(`${bundleFiles.qlog}/`))).to.deep.equal(["qlog/server.sqlog"]);
    const [, header, ...events] = readFileSync(join(traced.directory, "qlog/server.sqlog"), "utf8")
      .split("\u001e")
      .map((text) => (text === "" ? undefined : (JSON.parse(text) as { time: number; name: string; trace?: object })));
    expect(header!.trace).to.deep.include({ title: "server", vantage_point: { name: "server", type: "server" } });
    const kinds = new Set(events.map((event) => event!.name));
    expect(kinds).to.include.members(["mptcp:subflow_established", "scheduler:decision"]);
    expect(events.every((event, i) => i === 0 || event!.time >= events[i - 1]!.time)).to.equal(true);
    const plain = await run(1);
    for (const name of [bundleFiles.capture, bundleFiles.events, bundleFiles.metrics])
      expect(await digestFile(join(traced.directory, name))).to.deep.equal(
        await digestFile(join(plain.directory, name)),
      );
  });

  it("leaves a whole bundle, the same in every byte under the same seed", async () => {
    const [first, again, other] = [await run(1), await run(1), await run(2)];
    expect(first.error).to.equal(undefined);
    expect(first.verdict.outcome, JSON.stringify(first.verdict)).to.equal("passed");
    expect((await verifyBundle(first.directory)).problems).to.deep.equal([]);
    expect(readFileSync(join(first.directory, "report.html"), "utf8"))
      .to.contain("The links are simulated")
      .and.not.contain("No link was measured");
    const content = await contentOf(first.directory);
    expect(Object.keys(content)).to.include.members([
      bundleFiles.capture,
      bundleFiles.metrics,
      bundleFiles.verdict,
      "baselines/slow-wifi/capture.pcapng",
    ]);
    expect(await contentOf(again.directory)).to.deep.equal(content);
    expect((await contentOf(other.directory))[bundleFiles.capture]).not.to.equal(content[bundleFiles.capture]);
  });

  it("leaves out a baseline that asks for a kernel, and says so in the verdict", async () => {
    const { directory: bundle, verdict } = await run(1);
    expect(verdict.findings.filter((finding) => finding.startsWith("baseline kernel is left out"))).to.deep.equal([
      'baseline kernel is left out: found "linux-mptcp" on the simulation: a kernel cannot be simulated; run it --on namespaces or --on containers',
    ]);
    expect(await listFiles(bundle)).not.to.include("baselines/kernel/plan.json");
  });

  it("simulates a baseline on the kernel's TCP with our own, and says so in verdict and bundle", async () => {
    const { directory: bundle, verdict } = await run(1);
    expect(verdict.findings).to.include("baseline tcp: pathlab-tcp stands for linux-tcp on phone and server");
    const judged = verdict.expectations.filter(({ baseline }) => baseline === "tcp");
    expect(judged.map(({ metric, passed }) => [metric, passed])).to.deep.equal([
      ["goodput", true],
      ["intact", true],
    ]);
    const resolved = loadExperiment(join(bundle, "baselines/tcp", bundleFiles.experiment));
    expect(resolved.ok && resolved.value.experiment.hosts["phone"]).to.include({ endpoint: "pathlab-tcp" });
  });

  it("keeps what was simulated when it is interrupted", async () => {
    const stop = new AbortController();
    setImmediate(() => stop.abort(new Error("interrupted by a test")));
    const { directory: bundle, error, verdict } = await run(1, stop.signal);
    expect(error?.message).to.equal("interrupted by a test");
    expect(verdict.outcome).to.equal("invalid");
    const manifest = JSON.parse(readFileSync(join(bundle, bundleFiles.manifest), "utf8")) as { run: { ended: string } };
    expect(manifest.run.ended).to.equal("interrupted");
    expect((await verifyBundle(bundle)).problems).to.deep.equal([]);
  });
});
