import { expect } from "chai";
import { CommandError, runCommand } from "./run-command.ts";

describe("runCommand", () => {
  it("gives input and answers the output", async () => {
    expect(await runCommand(["tr", "a-z", "A-Z"], { input: "text" })).to.equal("TEXT");
  });

  it("tells lines as they come, of both outputs", async () => {
    const lines: string[] = [];
    await runCommand(["sh", "-c", "echo one; echo two >&2; printf three"], { onLine: (line) => lines.push(line) });
    expect(lines.sort()).to.deep.equal(["one", "two"]);
  });

  it("fails with the program's own words", async () => {
    const error = await failure(runCommand(["sh", "-c", "echo why >&2; exit 3"]));
    expect(error).to.be.instanceOf(CommandError);
    expect(error).to.include({ code: 3, message: "sh -c echo why >&2; exit 3: why" });
  });

  it("fails when there is no such program, and when the program does not read its input", async () => {
    expect((await failure(runCommand(["pathlab-no-such-program"]))).message).to.match(/ENOENT/);
    expect(await runCommand(["true"], { input: "x".repeat(1_000_000) })).to.equal("");
  });

  it("kills what the program started when it is aborted", async () => {
    const stop = new AbortController();
    const running = runCommand(["sh", "-c", "echo started; sleep 1000 & wait"], {
      signal: stop.signal,
      onLine: () => stop.abort(),
    });
    // It ends at all only when the sleeping child, which holds the output open, is gone too.
    expect(await failure(running)).to.include({ code: null });
    expect((await failure(runCommand(["true"], { signal: stop.signal }))).name).to.equal("AbortError");
  });
});

async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not fail");
}
