import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { runScript } from "../packetdrill/interpreter.ts";
import { ScriptFailure } from "../packetdrill/script-error.ts";
import { knownDifferences } from "./known-differences.ts";

const scripts = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".pkt"))
  .sort();

async function run(file: string): Promise<void> {
  await runScript(readFileSync(join(import.meta.dirname, file), "utf8"), file);
}

/** The first comment says what is asked, and by which section. */
function titleOf(file: string): string {
  const [first = ""] = readFileSync(join(import.meta.dirname, file), "utf8").split("\n");
  return `${file}: ${first.replace(/^\/\/\s*/, "")}`;
}

describe("scripts over the pure stack, in virtual time", () => {
  for (const file of scripts) {
    const difference = knownDifferences[file];
    if (difference === undefined) it(titleOf(file), () => run(file));
    else {
      it(`${titleOf(file)} (known difference from ${difference.section})`, async () => {
        const outcome = await run(file).catch((error: unknown) => error);
        expect(outcome, `${file} passes now: take it off the list of known differences`).to.be.instanceOf(
          ScriptFailure,
        );
      });
    }
  }

  it("lists no known difference of a script that does not exist", () => {
    expect(Object.keys(knownDifferences).filter((file) => !scripts.includes(file))).to.deep.equal([]);
  });
});
