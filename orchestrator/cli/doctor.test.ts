import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { repositoryRoot } from "./repository.ts";

interface Document {
  readonly version: number;
  readonly prerequisites: readonly {
    readonly name: string;
    readonly present: boolean | null;
    readonly detail: string;
    readonly neededFor: readonly string[];
    readonly remedy?: string;
  }[];
}

describe("pathlab doctor", () => {
  it("lists what the machine has and lacks, each lack with the command that mends it", () => {
    const { status, stdout } = doctor("--json");
    const { version, prerequisites } = JSON.parse(stdout) as Document;
    expect(version).to.equal(1);
    expect(prerequisites.map(({ name }) => name)).to.include.members([
      "root",
      "kernel:netem",
      "docker",
      "image",
      "native addon",
    ]);
    for (const { name, present, detail, remedy } of prerequisites) {
      expect(detail, name).to.not.equal("");
      expect(remedy === undefined, name).to.equal(present === true);
    }
    const lacks = prerequisites.some(({ present, neededFor }) => present !== true && neededFor.length > 0);
    expect(status).to.equal(lacks ? 3 : 0);
  });

  it("says the same to a person, a line each", () => {
    const { prerequisites } = JSON.parse(doctor("--json").stdout) as Document;
    const { stdout } = doctor();
    for (const { name, present, detail } of prerequisites) {
      const line = stdout.split("\n").find((candidate) => candidate.slice(7).startsWith(`${name} `));
      expect(line, name).to.contain(detail);
      expect(line?.startsWith("has "), name).to.equal(present === true);
    }
  });

  it("looks only at what one use needs: a simulation needs nothing, containers need more than namespaces", () => {
    expect(doctor("--for", "simulation")).to.include({ status: 0, stdout: "" });
    const namesFor = (...uses: string[]): string[] =>
      (JSON.parse(doctor("--json", "--for", ...uses).stdout) as Document).prerequisites.map(({ name }) => name);
    const namespaces = namesFor("namespaces");
    expect(namespaces).to.include.members(["root", "package:ethtool", "native addon"]).and.not.include("docker");
    expect(namesFor("namespaces", "containers")).to.include.members([...namespaces, "docker"]);
  });
});

function doctor(...args: string[]): { status: number | null; stdout: string } {
  return spawnSync(process.execPath, [join(repositoryRoot, "orchestrator/cli/main.ts"), "doctor", ...args], {
    encoding: "utf8",
  });
}
