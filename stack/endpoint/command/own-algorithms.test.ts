import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { UsageError } from "./failure.ts";
import { loadAlgorithms } from "./own-algorithms.ts";

const names = { congestionControl: "lia", scheduler: "min-rtt", pathManager: "full-mesh" };

describe("algorithms of the command line", () => {
  let directory: string;
  before(() => (directory = mkdtempSync(join(tmpdir(), "pathlab-own-algorithms-"))));
  after(() => rmSync(directory, { recursive: true }));

  const module = (name: string, text: string): string => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  };
  const refusal = (scheduler: string): Promise<unknown> =>
    loadAlgorithms({ ...names, scheduler }).then(
      () => undefined,
      (error: unknown) => error,
    );

  it("are names as they stand", async () => {
    expect(await loadAlgorithms(names)).to.deep.equal(names);
  });

  it("are what a module exports under their key, also of TypeScript", async () => {
    const scheduler = module(
      "mine.ts",
      'export const scheduler = (): { name: string; select(): undefined } => ({ name: "mine", select: () => undefined });',
    );
    const chosen = await loadAlgorithms({ ...names, scheduler });
    expect(chosen).to.include({ congestionControl: "lia", pathManager: "full-mesh" });
    expect((chosen.scheduler as () => { name: string })().name).to.equal("mine");
  });

  it("are refused with what was found, and what would do", async () => {
    const other = module("other.mjs", "export const pathManager = () => ({}); export default 1;");
    const broken = module("broken.mjs", "export const scheduler = ");
    const told = await Promise.all([other, broken, join(directory, "nope.mjs")].map(refusal));
    for (const error of told) expect(error).to.be.instanceOf(UsageError);
    const messages = told.map((error) => (error as Error).message);
    expect(messages[0]).to.equal(
      `${other} exports default, pathManager, expected scheduler, a function that makes one`,
    );
    expect(messages[1]).to.match(/broken\.mjs: Unexpected end of input; expected an ES module that exports scheduler$/);
    expect(messages[2]).to.match(/nope\.mjs: Cannot find module .*; expected an ES module that exports scheduler$/);
  });
});
