/** Whatever kills us, at whatever moment: `clean` takes back all that is ours and nothing else. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { clean } from "../journal/clean.ts";
import { dockerClient } from "../journal/docker-client.ts";
import { readJournals } from "../journal/journal.ts";
import { runCommand } from "../journal/run-command.ts";
import { remainsOf } from "./machine-state.fixture.ts";
import { hostImage } from "./prerequisites/host-image.ts";

const fixture = fileURLToPath(new URL("./crash.fixture.ts", import.meta.url));
/** Named as a thing of ours might be, and not ours. */
const foreign = { namespace: "pl-foreign", link: "pl-foreign0", container: "pl-foreign-container" } as const;

for (const substrate of ["namespaces", "containers"] as const) {
  describe(`crash of a lab of ${substrate}`, function () {
    let state: string;

    before(async () => {
      state = mkdtempSync(join(tmpdir(), "pathlab-state-"));
      await removeForeignThings();
      await makeForeignThings();
    });
    after(async () => {
      await removeForeignThings();
      rmSync(state, { recursive: true });
    });

    it("leaves nothing after clean, killed at any journal entry", async () => {
      let entries = 0;
      for (let position = 1; ; position++) {
        const victim = await crash(substrate, state, ["entry", String(position)]);
        if (victim.signal === null) {
          expect(victim.code).to.equal(0);
          break;
        }
        entries = position;
        await expectCleaned(state, victim.lab);
      }
      // Five nodes, the middle, the emulator and three processes.
      expect(entries).to.equal(10);
      expect(readJournals(state)).to.deep.equal([]);
    });

    it("leaves nothing after clean, killed while things are being made", async () => {
      // The sixth entry is the last node's: their creation begins.
      for (const moment of ["entry 6", "creating 5 links", "up"]) {
        const victim = await crash(substrate, state, ["wait"], moment);
        expect(victim.signal).to.equal("SIGKILL");
        await expectCleaned(state, victim.lab);
      }
    });

    it("leaves a lab alone whose owner lives", async () => {
      const owner = start(substrate, state, ["wait"]);
      const { lab, ended } = await until(owner, "up");
      const before = await remainsOf(lab);
      const [cleaned] = await clean({ state });
      expect(cleaned).to.include({ lab, outcome: "left" });
      expect(await remainsOf(lab)).to.deep.equal(before);
      owner.stdin?.end();
      expect(await ended).to.include({ code: 0 });
      expect(await remainsOf(lab)).to.deep.equal([]);
    });
  });
}

async function expectCleaned(state: string, lab: string): Promise<void> {
  const cleaned = await clean({ state });
  expect(cleaned.map((one) => [one.lab, one.outcome, one.reason])).to.deep.equal([[lab, "taken back", undefined]]);
  expect(await remainsOf(lab)).to.deep.equal([]);
  expect(readdirSync(join(state, "journal")).filter((name) => name.endsWith(".ndjson"))).to.deep.equal([]);
  await expectForeignThings();
}

interface Victim {
  readonly lab: string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

function start(substrate: string, state: string, how: readonly string[]): ChildProcess {
  return spawn(process.execPath, [fixture, substrate, state, ...how], { stdio: ["pipe", "pipe", "inherit"] });
}

/** Resolves when the process has said the line, or has ended. */
function until(child: ChildProcess, line: string): Promise<Victim> {
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  return new Promise((resolve) => {
    let lab = "";
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on("line", (said) => {
        if (said.startsWith("lab ")) lab = said.slice(4);
        if (said === line) resolve({ lab, ended });
      });
    }
    void ended.then(() => resolve({ lab, ended }));
  });
}

async function crash(
  substrate: string,
  state: string,
  how: readonly string[],
  moment = "never said",
): Promise<{ lab: string; code: number | null; signal: string | null }> {
  const child = start(substrate, state, how);
  const { lab, ended } = await until(child, moment);
  child.kill("SIGKILL");
  return { lab, ...(await ended) };
}

async function makeForeignThings(): Promise<void> {
  await runCommand(["ip", "netns", "add", foreign.namespace]);
  await runCommand([
    "ip",
    "link",
    "add",
    foreign.link,
    "type",
    "veth",
    "peer",
    "name",
    "peer",
    "netns",
    foreign.namespace,
  ]);
  const docker = await dockerClient();
  const container = await docker.createContainer({
    name: foreign.container,
    Image: hostImage,
    Cmd: ["sleep", "infinity"],
    HostConfig: { NetworkMode: "none" },
  });
  await container.start();
}

async function expectForeignThings(): Promise<void> {
  expect(existsSync(`/run/netns/${foreign.namespace}`), "foreign namespace").to.equal(true);
  expect(existsSync(`/sys/class/net/${foreign.link}`), "foreign link").to.equal(true);
  const docker = await dockerClient();
  expect((await docker.getContainer(foreign.container).inspect()).State.Running, "foreign container").to.equal(true);
}

async function removeForeignThings(): Promise<void> {
  if (existsSync(`/sys/class/net/${foreign.link}`)) await runCommand(["ip", "link", "del", foreign.link]);
  if (existsSync(`/run/netns/${foreign.namespace}`)) await runCommand(["ip", "netns", "del", foreign.namespace]);
  const docker = await dockerClient();
  const [container] = await docker.listContainers({
    all: true,
    filters: JSON.stringify({ name: [foreign.container] }),
  });
  if (container !== undefined) await docker.getContainer(container.Id).remove({ force: true });
}
