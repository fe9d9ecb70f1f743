import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";

const program = join(import.meta.dirname, "../main.ts");

function endpoint(...argv: string[]): { readonly code: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], { encoding: "utf8" });
  return { code: status, said: `${stdout}${stderr}` };
}

describe("the endpoint's command line", () => {
  for (const [argv, code, says] of [
    [["--help"], 0, "Usage: endpoint"],
    [["gateway", "-h"], 0, "Usage: gateway"],
    [["lab", "--help"], 0, "Serves pathlab's orchestrator"],
    [["lab", "--fast"], 2, "unknown option '--fast'"],
    [["lab", "now"], 2, "too many arguments"],
    [["dance"], 2, "unknown command 'dance'"],
  ] as const)
    it(`${argv.join(" ")} ends with ${code}`, () => {
      const ended = endpoint(...argv);
      expect(ended.said).to.contain(says);
      expect(ended.code).to.equal(code);
    });
});
