/** Algorithms of one's own that an experiment file names: those of docs/algorithms.md, from the file to the packets. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tmpdir } from "node:os";
import { expect } from "chai";
import { formatDiagnostics } from "../../model/diagnostics.ts";
import { loadExperiment, type LoadedExperiment } from "../../model/load.ts";
import { planExperiment } from "../../plan/make-plan.ts";
import type { Plan } from "../../plan/plan.ts";
import { observe } from "./simulation.fixture.ts";

const repository = join(import.meta.dirname, "../../..");
const page = readFileSync(join(repository, "docs/algorithms.md"), "utf8");
const blocks = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!);
const yaml = /^```yaml own-algorithms\n(.*?)^```$/ms.exec(page)![1]!;

function load(file: string): LoadedExperiment {
  const loaded = loadExperiment(file);
  if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
  return loaded.value;
}

function planOf(loaded: LoadedExperiment): Plan {
  const planned = planExperiment(loaded, { substrate: "simulation", lab: "0000", abilities: { netem: false } });
  if (!planned.ok) throw new Error(formatDiagnostics(planned.diagnostics));
  return planned.value;
}

describe("algorithms of one's own in an experiment file", function () {
  this.timeout(120_000);
  let folder: string;
  let file: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "pathlab-own-"));
    mkdirSync(join(folder, "experiments"));
    for (const [index, name] of ["three-to-one", "only-for-long-ones", "constant-window"].entries()) {
      const code = blocks[index]!.replaceAll('"../stack/', `"${join(repository, "stack")}/`);
      writeFileSync(join(folder, "experiments", `${name}.ts`), code);
    }
    file = join(folder, "experiments", "mine.yaml");
    writeFileSync(file, yaml.replaceAll("../topologies", join(repository, "topologies")));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("do in the simulation what they say, the same to the bit each time", async () => {
    const plan = planOf(load(file));
    const [once, again] = [await observe(plan), await observe(plan)];
    expect(again.fingerprints).to.deep.equal(once.fingerprints);
    const windows = once.samples.flatMap((sample) =>
      sample.kind === "subflow" && sample.host === "server" ? [sample.congestionWindowBytes] : [],
    );
    expect(windows).not.to.be.empty;
    // Before the handshake a segment has 536 bytes, then 1428, and 1424 where a DSS has eight bytes of sequence number.
    for (const window of windows) expect(window).to.be.oneOf([536, 1_424, 1_428].map((segment) => 20 * segment));
    const created = once.events.filter(({ name, subject }) => name === "mptcp:subflow-created" && subject === "phone");
    expect(created.map(({ time }) => Math.floor(time / 1e6))).to.deep.equal([0, 2]);
  });

  it("stand in the plan by path and SHA-256, and nothing of this machine's folders beside them", () => {
    const plan = planOf(load(file));
    const { modules } = plan.nodes.find(({ name }) => name === "server")!.endpoint!;
    const text = readFileSync(join(folder, "experiments/three-to-one.ts"));
    expect(modules!.scheduler!.path).to.equal("./three-to-one.ts");
    expect(modules!.scheduler!.sha256).to.equal(createHash("sha256").update(text).digest("hex"));
    expect(JSON.stringify(plan)).not.to.contain(repository).and.not.to.contain(folder);
  });

  it("go with a copy of the experiment: what the copy names is whole in itself", async () => {
    const loaded = load(file);
    const copy = mkdtempSync(join(tmpdir(), "pathlab-own-copy-"));
    try {
      const resolved = loaded.textWith({ topology: "topology.yaml" });
      const files = [
        { name: "experiment.yaml", text: resolved },
        { name: "topology.yaml", text: loaded.topology.text },
        ...loaded.modules,
      ];
      for (const { name, text } of files) {
        mkdirSync(dirname(join(copy, name)), { recursive: true });
        writeFileSync(join(copy, name), text);
      }
      const [own, copied] = [await observe(planOf(loaded)), await observe(planOf(load(join(copy, "experiment.yaml"))))];
      expect(copied.fingerprints).to.deep.equal(own.fingerprints);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });
});
