import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";

const program = `
  const { serveLines, writeLine } = await import(${JSON.stringify(path.join(import.meta.dirname, "line-process.ts"))});
  const open = setInterval(() => {}, 1000);
  serveLines({
    onLine: (value) => { if (value.bad) throw Object.assign(new Error("bad line"), { code: "EBAD" }); writeLine({ echo: value }); },
    onEnd: () => { clearInterval(open); writeLine({ ended: true }); },
  });
  writeLine({ pid: process.pid });`;
const words = ["--input-type=module", "-e", program];

function start() {
  const child = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "inherit"] });
  return { child, output: text(child.stdout), exit: once(child, "exit") };
}

describe("a process that is driven by lines", () => {
  it("answers lines and ends when its stdin does", async () => {
    const { child, output, exit } = start();
    child.stdin.end('{"a":1}\n\n{"a":2}\n');
    expect(await exit).to.deep.equal([0, null]);
    expect((await output).trim().split("\n").slice(1)).to.deep.equal([
      '{"echo":{"a":1}}',
      '{"echo":{"a":2}}',
      '{"ended":true}',
    ]);
  });

  it("tells an error with its code and ends with 1", async () => {
    const { child, output, exit } = start();
    child.stdin.write('{"bad":true}\n');
    expect(await exit).to.deep.equal([1, null]);
    expect(await output).to.include('{"type":"error","code":"EBAD","message":"bad line"}\n{"ended":true}');
  });

  it("says what is no JSON", async () => {
    const { child, output, exit } = start();
    child.stdin.write("{nonsense\n");
    expect(await exit).to.deep.equal([1, null]);
    expect(await output).to.match(/"type":"error".*JSON/);
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const)
    it(`ends cleanly on ${signal}`, async () => {
      const { child, output, exit } = start();
      await once(child.stdout, "data");
      child.kill(signal);
      expect(await exit).to.deep.equal([0, null]);
      expect(await output).to.include('{"ended":true}');
    });

  it("ends when its parent is killed", async () => {
    const parentProgram = `require("node:child_process").spawn(process.execPath, ${JSON.stringify(words)},
      { stdio: ["pipe", "inherit", "inherit"] })`;
    const parent = spawn(process.execPath, ["-e", parentProgram], { stdio: ["ignore", "pipe", "inherit"] });
    const output = text(parent.stdout);
    await once(parent.stdout, "data");
    parent.kill("SIGKILL");
    // Ends only when nobody holds the pipe any more: the orphan is gone.
    await output;
  });
});
