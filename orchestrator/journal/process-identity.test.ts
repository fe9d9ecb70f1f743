import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import {
  bootId,
  isAlive,
  labMark,
  markedProcesses,
  ownIdentity,
  processMark,
  startTimeOf,
} from "./process-identity.ts";
import { killAndWait } from "./take-back.ts";

describe("process identity", () => {
  const children: ChildProcess[] = [];

  async function child(lab: string, name: string): Promise<ChildProcess & { pid: number }> {
    const started = spawn("sleep", ["1000"], {
      env: { ...process.env, [labMark]: lab, [processMark]: name },
      stdio: "ignore",
    });
    children.push(started);
    await once(started, "spawn");
    return started as ChildProcess & { pid: number };
  }

  afterEach(() => {
    for (const started of children.splice(0)) started.kill("SIGKILL");
  });

  it("is not that of another process which got the same number", () => {
    const own = ownIdentity();
    expect(isAlive(own)).to.equal(true);
    expect(isAlive({ ...own, startTime: own.startTime - 1 })).to.equal(false);
    expect(isAlive({ ...own, bootId: "another boot" })).to.equal(false);
    expect(own.bootId).to.equal(bootId());
  });

  it("finds processes by their whole mark, never by a part of it", async () => {
    const one = await child("test-00aa", "phone/cat/1");
    const other = await child("test-00aa", "phone/cat/11");
    await child("test-00aab", "phone/cat/1");
    expect(markedProcesses({ [labMark]: "test-00aa" })).to.have.members([one.pid, other.pid]);
    expect(markedProcesses({ [labMark]: "test-00aa", [processMark]: "phone/cat/1" })).to.deep.equal([one.pid]);
  });

  it("does not take a process for the lab's that is older than the lab", async () => {
    const old = await child("test-00ac", "x");
    expect(markedProcesses({ [labMark]: "test-00ac" }, (startTimeOf(old.pid) ?? 0) + 1)).to.deep.equal([]);
  });

  it("spares itself and its ancestors, as when called from a shell inside a lab", async () => {
    const inside = `
      import { markedProcesses } from ${JSON.stringify(new URL("process-identity.ts", import.meta.url).href)};
      console.log(JSON.stringify(markedProcesses({ ${labMark}: "test-00ad" })));`;
    const shell = spawn("sh", ["-c", `"$0" --input-type=module -e "$1"; true`, process.execPath, inside], {
      env: { ...process.env, [labMark]: "test-00ad" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [found] = (await once(shell.stdout, "data")) as [Buffer];
    expect(found.toString()).to.equal("[]\n");
  });

  it("is gone when killAndWait returns", async () => {
    const victim = await child("test-00ae", "x");
    await killAndWait([victim.pid, 2 ** 22 + 1]);
    expect(startTimeOf(victim.pid)).to.equal(undefined);
  });
});
