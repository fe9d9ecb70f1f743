import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Command } from "commander";
import { expect } from "chai";
import { registerCompareCommand } from "./compare.ts";
import { registerPlanCommand } from "./plan.ts";
import { registerRunCommand } from "./run.ts";
import { registerSchemaCommand } from "./schema.ts";
import { registerShrinkCommand } from "./shrink.ts";
import { registerValidateCommand } from "./validate.ts";

const repository = relative(process.cwd(), join(import.meta.dirname, "../.."));
const file = (name: string): string => join(repository, name);

const verbs = [
  registerValidateCommand,
  registerPlanCommand,
  registerRunCommand,
  registerSchemaCommand,
  registerCompareCommand,
  registerShrinkCommand,
];

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Runs a verb in this process, with its output and exit code caught. */
async function pathlab(...argv: string[]): Promise<Outcome> {
  const program = new Command().exitOverride();
  for (const register of verbs) register(program);
  const written = { stdout: "", stderr: "" };
  const before = process.exitCode;
  process.exitCode = 0;
  const releases = (["stdout", "stderr"] as const).map((stream) => {
    const own = Object.getOwnPropertyDescriptor(process[stream], "write");
    process[stream].write = (text: string | Uint8Array): boolean => ((written[stream] += String(text)), true);
    return () => {
      if (own) Object.defineProperty(process[stream], "write", own);
      else Reflect.deleteProperty(process[stream], "write");
    };
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return { ...written, exitCode: process.exitCode };
  } finally {
    for (const release of releases) release();
    process.exitCode = before;
  }
}

describe("pathlab validate", () => {
  it("takes all three kinds of file", async () => {
    const files = ["experiments/wifi-3g.yaml", "topologies/wifi-3g.yaml", "topologies/profiles.yaml"].map(file);
    expect(await pathlab("validate", ...files)).to.deep.equal({
      stdout: files.map((name) => `${name}: ok\n`).join(""),
      stderr: "",
      exitCode: 0,
    });
  });

  it("tells what is wrong on stderr, and goes on to the next file", async () => {
    const { stdout, stderr, exitCode } = await pathlab("validate", file("nope.yaml"), file("topologies/wifi-3g.yaml"));
    expect(exitCode).to.equal(2);
    expect(stderr).to.match(/^\S*nope\.yaml:1:1: file: found no file, expected a YAML file; check the path\n$/);
    expect(stdout).to.equal(`${file("topologies/wifi-3g.yaml")}: ok\n`);
  });

  it("says the same in JSON", async () => {
    const { stdout, exitCode } = await pathlab("validate", "--json", file("nope.yaml"));
    expect(exitCode).to.equal(2);
    expect(JSON.parse(stdout)).to.deep.include({ ok: false }).and.have.nested.property("diagnostics[0].line", 1);
  });
});

describe("pathlab plan", () => {
  it("prints what will be created, and why", async () => {
    const { stdout, exitCode } = await pathlab(
      "plan",
      file("experiments/wifi-3g.yaml"),
      "--on",
      "containers",
      "--seed",
      "7",
    );
    expect(exitCode).to.equal(0);
    expect(stdout)
      .to.match(/^wifi-3g on containers: lab 0000, seed 7\n/)
      .and.contain("Baseline tcp-on-wifi");
  });

  it("says how many runs there will be, and with which seeds", async () => {
    const repeated = await pathlab("plan", file("experiments/wifi-3g.yaml"), "--set", "repeat=10", "--seed", "7");
    expect(repeated.stdout).to.contain("\nRepetitions\n  10 runs, with seeds 7 to 16\n");
    expect((await pathlab("plan", file("experiments/wifi-3g.yaml"))).stdout).not.to.contain("Repetitions");
  });

  it("prints the plan as JSON, with what was set", async () => {
    const { stdout } = await pathlab(
      "plan",
      file("experiments/wifi-3g.yaml"),
      "--json",
      "--set",
      "hosts.server.endpoint=linux-mptcp",
      "--set",
      "seed=3",
    );
    const { plan, baselines } = JSON.parse(stdout);
    expect(plan)
      .to.deep.include({ seed: 3, substrate: "namespaces" })
      .and.have.nested.property("nodes[1].endpoint.kind", "linux-mptcp");
    expect(baselines).to.have.nested.property("tcp-on-wifi.nodes[1].endpoint.kind", "linux-tcp");
  });

  it("refuses a setting that cannot be, at its place", async () => {
    const { stdout, stderr, exitCode } = await pathlab(
      "plan",
      file("experiments/wifi-3g.yaml"),
      "--set",
      "workload.download.size=24",
    );
    expect({ stdout, exitCode }).to.deep.equal({ stdout: "", exitCode: 2 });
    expect(stderr).to.match(/^--set:1:24: workload\.download\.size: found 24, expected a size such as 80kB; /);
  });
});

describe("pathlab schema", () => {
  it("prints the schema of a format", async () => {
    const { stdout } = await pathlab("schema", "profiles");
    expect(JSON.parse(stdout)).to.include({ title: "pathlab link profiles" });
  });
});

describe("traffic that only a later seed draws where nothing takes time", () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "pathlab-later-seed-"))));
  afterEach(() => rmSync(directory, { recursive: true }));

  it("is refused before the first run", async () => {
    const [topology, experiment] = [join(directory, "network.yaml"), join(directory, "experiment.yaml")];
    const links = ["a", "b"].map((host) => `  ${host}: { ends: [${host}, r] }`).join("\n");
    writeFileSync(
      topology,
      `version: 1\nname: network\nhosts: { a: {}, b: {} }\nrouters: { r: {} }\nlinks:\n${links}\n`,
    );
    const traffic = "traffic:\n  some: { pattern: sparse, share: 20%, size: 1kB }";
    writeFileSync(experiment, `version: 1\nname: some\ntopology: network.yaml\non: simulation\n${traffic}\n`);
    expect(await pathlab("plan", experiment, "--seed", "2")).to.include({ stderr: "", exitCode: 0 });
    const { stdout, stderr, exitCode } = await pathlab(
      "run",
      experiment,
      "--seed",
      "2",
      "--repeat",
      "20",
      "--out",
      directory,
    );
    expect({ stdout, exitCode }).to.deep.equal({ stdout: "", exitCode: 2 });
    expect(stderr).to.match(
      /^\S+experiment\.yaml:6:3: traffic\.some: found a path between \w and \w on which nothing takes time/,
    );
    expect(readdirSync(directory)).to.have.members(["network.yaml", "experiment.yaml"]);
  });
});

describe("a simulation that takes more memory than is free", () => {
  const availableMemory = process.availableMemory.bind(process);
  beforeEach(() => (process.availableMemory = () => 50e6));
  afterEach(() => (process.availableMemory = availableMemory));

  for (const argv of [["compare", "--substrates"], ["shrink"]]) {
    it(`is refused before anything begins: ${argv.join(" ")}`, async () => {
      const { stdout, stderr, exitCode } = await pathlab(...argv, file("orchestrator/plan/fixture/fat-tree.yaml"));
      expect({ stdout, exitCode }).to.deep.equal({ stdout: "", exitCode: 2 });
      expect(stderr).to.match(
        /found a simulation of some 0\.\d GB: 16 hosts, .* expected at most 0\.1 GB, which are free/,
      );
    });
  }
});
