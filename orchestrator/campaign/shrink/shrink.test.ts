import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { formatDiagnostics } from "../../model/diagnostics.ts";
import { loadExperiment } from "../../model/load.ts";
import { listAt, mappingAt, type Case, type Mapping } from "./case.ts";
import { eachDirection } from "./reductions.ts";
import { caseRunner } from "./run-case.ts";
import { NothingToShrink, shrink, type Shrunk } from "./shrink.ts";

const topology = `
version: 1
name: lossy
hosts: { a: {}, b: {}, c: {} }
routers: { r: {}, s: {} }
links:
  left: { ends: [a, r], rate: 8mbit, rtt: 20ms, down: { jitter: 1ms } }
  middle: { ends: [r, s], rate: 8mbit, rtt: 10ms }
  right: { ends: [s, b], rate: 8mbit, rtt: 20ms, loss: 1% }
  other: { ends: [s, c], rate: 8mbit, rtt: 20ms }
`;
const experiment = `
version: 1
name: lossy
topology: topology.yaml
seed: 3
hosts: { a: { endpoint: pathlab-tcp, congestionControl: reno }, b: { endpoint: pathlab-tcp } }
workload:
  questions: { kind: request-response, client: a, server: b, request: 750B, response: 750B, interval: 100ms, count: 40 }
  other: { kind: bulk, from: c, to: a, size: 30kB }
faults:
  - { at: 100ms, link: other, do: blackhole }
  - { at: 300ms, link: other, do: restore }
expect:
  questions: { intact: true, latency: { p99: { atMost: 150ms } } }
  other: { intact: true }
`;

describe("shrinking a failing experiment", function () {
  this.timeout(120_000);
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "pathlab-shrink-test-"));
    writeFileSync(join(directory, "topology.yaml"), topology);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  function shrinkText(text: string, expectation?: string): Promise<Shrunk> {
    const file = join(directory, "given.yaml");
    writeFileSync(file, text);
    const loaded = loadExperiment(file);
    if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
    const work = mkdtempSync(join(directory, "work-"));
    return shrink({
      given: { experiment: parse(text) as Mapping, topology: parse(topology) as Mapping },
      run: caseRunner(work, [], new AbortController().signal),
      progress: () => undefined,
      ...(expectation !== undefined && { expectation }),
    });
  }
  const lostPackets = ({ topology: small }: Case): number[] =>
    eachDirection(small).flatMap(({ shape }) => ((shape["loss"] ?? {}) as { packets?: number[] }).packets ?? []);

  it("leaves the losses that it fails by, by number, and nothing that it does not need", async () => {
    const { case: small, failure, passesWithoutTrouble } = await shrinkText(experiment);
    expect(failure).to.equal("questions: latency.p99");
    expect(passesWithoutTrouble).to.equal(true);
    expect(Object.keys(mappingAt(small.experiment, "workload"))).to.deep.equal(["questions"]);
    expect(listAt(small.experiment, "faults")).to.deep.equal([]);
    expect(Object.keys(mappingAt(small.topology, "hosts"))).to.deep.equal(["a", "b"]);
    expect(Object.keys(mappingAt(small.topology, "links"))).to.deep.equal(["left", "middle", "right"]);
    expect(lostPackets(small)).to.have.length(1);
  });

  it("leaves the fault that it fails by", async () => {
    const { case: small, failure } = await shrinkText(
      experiment.replace("other: { intact: true }", "other: { intact: true, completion: { atMost: 350ms } }"),
      "other.completion",
    );
    expect(failure).to.equal("other: completion");
    expect(listAt(small.experiment, "faults").map((fault) => fault["do"])).to.deep.equal(["blackhole", "restore"]);
    expect(Object.keys(mappingAt(small.topology, "hosts"))).to.deep.equal(["a", "c"]);
  });

  it("says what fails where it was asked for another failure, and that nothing does", async () => {
    expect(await refusal(shrinkText(experiment, "other.intact"))).to.equal(
      "other.intact does not fail with this seed; what fails is questions.latency.p99",
    );
    expect(await refusal(shrinkText(experiment.replace("150ms", "10s")))).to.match(/^every expectation passes/);
  });

  async function refusal(work: Promise<unknown>): Promise<string> {
    const error = await work.then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(error).to.be.instanceOf(NothingToShrink);
    return (error as Error).message;
  }
});
