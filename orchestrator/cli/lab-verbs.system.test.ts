/** `up`, `ps`, `exec`, `down` and `clean` as a person uses them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { remainsOf } from "../substrate/machine-state.fixture.ts";
import { repositoryRoot } from "./repository.ts";

const main = join(repositoryRoot, "orchestrator/cli/main.ts");
const experiment = join(repositoryRoot, "experiments/wifi-3g.yaml");

interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

for (const substrate of ["namespaces", "containers"] as const) {
  describe(`verbs on a lab of ${substrate}`, () => {
    let state: string;

    beforeEach(() => {
      state = mkdtempSync(join(tmpdir(), "pathlab-state-"));
    });
    afterEach(async () => {
      for (const { lab } of await labs()) await pathlab("down", lab);
      rmSync(state, { recursive: true });
    });

    function pathlab(...args: string[]): Promise<Answer> {
      return new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [main, ...args], {
          env: { ...process.env, PATHLAB_STATE: state },
          stdio: ["ignore", "pipe", "pipe"],
        });
        const output = { stdout: "", stderr: "" };
        child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
        child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
        child.once("error", reject);
        child.once("close", (code) => resolve({ code, ...output }));
      });
    }

    async function labs(): Promise<{ lab: string; owner: number; alive: boolean; nodes: string[] }[]> {
      return (
        JSON.parse((await pathlab("ps", "--json")).stdout) as {
          labs: { lab: string; owner: number; alive: boolean; nodes: string[] }[];
        }
      ).labs;
    }

    async function up(): Promise<string> {
      const answer = await pathlab("up", experiment, "--on", substrate, "--json");
      expect(answer.code, answer.stderr).to.equal(0);
      return (JSON.parse(answer.stdout) as { lab: string }).lab;
    }

    it("keeps a lab from up to down", async () => {
      const lab = await up();
      const [listed] = await labs();
      expect(listed).to.include({ lab, alive: true });
      expect(listed?.nodes).to.have.members(["phone", "server", "wifi-router", "3g-router", "internet"]);
      expect(await pathlab("down", lab)).to.deep.equal({ code: 0, stdout: `lab ${lab} is down\n`, stderr: "" });
      expect(await remainsOf(lab)).to.deep.equal([]);
      expect(readdirSync(join(state, "journal"))).to.deep.equal([]);
    });

    it("runs a command inside a node: its options are its own, its exit code is ours", async () => {
      const lab = await up();
      const addresses = await pathlab(
        "exec",
        lab,
        "wifi-router",
        "ip",
        "-4",
        "-brief",
        "address",
        "show",
        "dev",
        "eth0",
      );
      expect(addresses.stdout).to.match(/10\.0\.1\.1\/24/);
      expect((await pathlab("exec", lab, "server", "sh", "-c", "exit 7")).code).to.equal(7);
      expect(await pathlab("exec", lab, "sever", "true")).to.deep.include({
        code: 2,
        stderr: `pathlab: found no node sever in lab ${lab}, expected ${(await labs())[0]?.nodes.join(", ")}\n`,
      });
    });

    it("takes a lab back whose keeper was killed", async () => {
      const lab = await up();
      const [{ owner } = { owner: 0 }] = await labs();
      process.kill(owner, "SIGKILL");
      const cleaned = await pathlab("clean", "--json");
      expect(JSON.parse(cleaned.stdout)).to.have.nested.property("labs[0].outcome", "taken back");
      expect(await remainsOf(lab)).to.deep.equal([]);
    });

    it("takes everything down on Ctrl-C, and ends with 130", async () => {
      const child = spawn(process.execPath, [main, "up", experiment, "--on", substrate, "--foreground", "--json"], {
        env: { ...process.env, PATHLAB_STATE: state },
        stdio: ["ignore", "pipe", "ignore"],
      });
      const ended = once(child, "close");
      const [said] = (await once(child.stdout, "data")) as [Buffer];
      const { lab } = JSON.parse(said.toString()) as { lab: string };
      child.kill("SIGINT");
      expect(await ended).to.deep.equal([130, null]);
      expect(await remainsOf(lab)).to.deep.equal([]);
      expect(await labs()).to.deep.equal([]);
    });

    it("refuses a lab that does not exist", async () => {
      expect(await pathlab("down", "zzzz")).to.deep.equal({
        code: 2,
        stdout: "",
        stderr: "pathlab: found no lab zzzz, expected one that `pathlab up` made, and there is none\n",
      });
    });
  });
}
