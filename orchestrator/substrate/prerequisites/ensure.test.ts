import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { checkAll, mend, prerequisites } from "./ensure.ts";
import type { Prerequisite } from "./prerequisite.ts";
import { whileAlone } from "./setup-lock.ts";

describe("prerequisites", () => {
  let state: string;
  let before: string | undefined;
  let told: string[];
  const tell = (line: string): void => void told.push(line);

  beforeEach(() => {
    told = [];
    before = process.env["PATHLAB_STATE"];
    state = mkdtempSync(join(tmpdir(), "pathlab-state-"));
    process.env["PATHLAB_STATE"] = state;
  });
  afterEach(() => {
    if (before === undefined) delete process.env["PATHLAB_STATE"];
    else process.env["PATHLAB_STATE"] = before;
    rmSync(state, { recursive: true });
  });

  it("are mended in their order, each only when it is missing", async () => {
    const machine = new Set(["compiler"]);
    const done: string[] = [];
    const fixer = (name: string) => async (): Promise<void> => {
      done.push(name);
      machine.add(name);
    };
    const missing = await mend(
      [
        thing("compiler", machine, fixer("compiler")),
        thing("addon", machine, fixer("addon")),
        thing("programs", machine, fixer("programs")),
      ],
      tell,
    );
    expect(missing).to.deep.equal([]);
    expect(done).to.deep.equal(["addon", "programs"]);
    expect(told.filter((line) => !line.startsWith(" "))).to.deep.equal(["setting up: addon", "setting up: programs"]);
  });

  it("that cannot be mended are named with the reason, and do not stop the others", async () => {
    const machine = new Set<string>();
    const missing = await mend(
      [
        thing("kernel", machine),
        thing("docker", machine, () => Promise.reject(new Error("dockerd did not start"))),
        thing("addon", machine, async () => void machine.add("addon")),
      ],
      tell,
    );
    expect(missing.map(({ prerequisite, finding }) => [prerequisite.name, finding.detail])).to.deep.equal([
      ["kernel", "not there"],
      ["docker", "dockerd did not start"],
    ]);
  });

  it("have names of their own, and a remedy that a person can follow", async () => {
    const names = prerequisites.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
    for (const { name, remedy, purpose } of prerequisites) {
      expect(remedy, name).to.not.equal("");
      expect(purpose, name).to.not.equal("");
    }
  });

  it("can be looked at by anybody, whatever the machine lacks", async () => {
    for (const { finding } of await checkAll()) expect(finding.detail).to.not.equal("");
  });

  it("are set up by one at a time", async () => {
    const steps: string[] = [];
    const both = ["one", "other"].map((name) =>
      whileAlone(
        async () => {
          steps.push(`${name} begins`);
          await new Promise((resolve) => setImmediate(resolve));
          steps.push(`${name} ends`);
        },
        () => undefined,
      ),
    );
    await Promise.all(both);
    expect(steps).to.have.length(4);
    expect(steps[0]?.split(" ")[0]).to.equal(steps[1]?.split(" ")[0]);
  });

  it("can be set up after somebody died who was doing it", async () => {
    const module = new URL("setup-lock.ts", import.meta.url).href;
    const code = `import { whileAlone } from ${JSON.stringify(module)};
      await whileAlone(() => new Promise(() => { console.log("alone"); setInterval(() => {}, 1e6); }), () => {});`;
    const other = spawn(process.execPath, ["--input-type=module", "-e", code], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(other.stdout, "data");
    const mine = whileAlone(
      async () => "mine",
      () => other.kill("SIGKILL"),
    );
    expect(await mine).to.equal("mine");
  });
});

function thing(name: string, machine: Set<string>, fix?: () => Promise<void>): Prerequisite {
  return {
    name,
    purpose: "a test",
    needs: ["test"],
    remedy: `make ${name}`,
    check: async () => ({ present: machine.has(name), detail: machine.has(name) ? "there" : "not there" }),
    ...(fix && { fix }),
  };
}
