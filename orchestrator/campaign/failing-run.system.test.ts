/** Runs that end before their time: everything is taken down, and what was measured is kept. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { openBundle } from "../bundle/open-bundle.ts";
import { verifyBundle } from "../bundle/verify-bundle.ts";
import { clean } from "../journal/clean.ts";
import { readJournals } from "../journal/journal.ts";
import { remainsOf } from "../substrate/machine-state.fixture.ts";
import { crashAt, interruptRun } from "./crash-process.fixture.ts";
import { makeDirectory, runShortly } from "./short-run.fixture.ts";

describe("a run that does not come to its end", () => {
  let directory: ReturnType<typeof makeDirectory>;
  let state: string;
  beforeEach(() => {
    directory = makeDirectory();
    state = mkdtempSync(join(tmpdir(), "pathlab-state-"));
  });
  afterEach(() => {
    directory.remove();
    rmSync(state, { recursive: true });
  });

  it("leaves nothing on the machine when it is interrupted, and a bundle that verifies", async () => {
    const interrupt = new AbortController();
    let lab = "";
    const outcome = await runShortly(directory.path, {
      substrate: "namespaces",
      size: "100MB",
      signal: interrupt.signal,
      journal: { state, onAppend: () => (lab = readJournals(state)[0]!.lab) },
      progress: (message) => {
        if (message.startsWith("running")) setImmediate(() => interrupt.abort(new Error("interrupted by a test")));
      },
    });
    expect(outcome.error?.message).to.equal("interrupted by a test");
    expect(await remainsOf(lab)).to.deep.equal([]);
    expect(readJournals(state)).to.deep.equal([]);
    const bundle = await openBundle(outcome.directory);
    expect(bundle.manifest.run.ended).to.equal("interrupted");
    expect(await verifyBundle(outcome.directory))
      .to.have.property("problems")
      .that.deep.equals([]);
  });

  it("says that the disk is full, and keeps what was captured until then", async () => {
    const small = join(directory.path, "small");
    mkdirSync(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1500k", "pathlab-test", small]);
    try {
      const outcome = await runShortly(directory.path, {
        substrate: "namespaces",
        size: "20MB",
        resultsDirectory: small,
        journal: { state },
      });
      expect(outcome.error?.message).to.match(/ENOSPC|full/);
      const capture = join(outcome.directory, "capture.pcapng");
      const frames = execFileSync("tshark", ["-r", capture, "-T", "fields", "-e", "frame.number"], {
        encoding: "utf8",
      });
      expect(frames.trim().split("\n").length).to.be.greaterThan(100);
      expect(readJournals(state)).to.deep.equal([]);
    } finally {
      execFileSync("umount", [small]);
    }
  });

  it("leaves nothing after clean, killed at any journal entry", async () => {
    let entries = 0;
    for (let position = 1; ; position++) {
      const victim = await crashAt(position, state, directory.path);
      if (victim.signal === null) {
        expect(victim.code).to.equal(0);
        break;
      }
      entries = position;
      const cleaned = await clean({ state });
      expect(cleaned.map(({ lab, outcome, reason }) => [lab, outcome, reason])).to.deep.equal([
        [victim.lab, "taken back", undefined],
      ]);
      expect(await remainsOf(victim.lab)).to.deep.equal([]);
    }
    // Five nodes, the middle, the emulator, measurement, capture and two endpoints.
    expect(entries).to.equal(11);
    expect(readdirSync(join(state, "journal")).filter((name) => name.endsWith(".ndjson"))).to.deep.equal([]);
  });

  it("takes everything down when its terminal is gone", async () => {
    const experiment = fileURLToPath(new URL("../../experiments/wifi-3g-failover.yaml", import.meta.url));
    const { code, lab } = await interruptRun(experiment, "SIGHUP", state, directory.path, true);
    expect(code).to.equal(129);
    expect(await remainsOf(lab)).to.deep.equal([]);
    expect(readJournals(state)).to.deep.equal([]);
  });

  it("ends with 130 at Ctrl-C", async () => {
    const experiment = fileURLToPath(new URL("../../experiments/wifi-3g-failover.yaml", import.meta.url));
    const { code, lab } = await interruptRun(experiment, "SIGINT", state, directory.path);
    expect(code).to.equal(130);
    expect(await remainsOf(lab)).to.deep.equal([]);
    expect(readJournals(state)).to.deep.equal([]);
  });
});
