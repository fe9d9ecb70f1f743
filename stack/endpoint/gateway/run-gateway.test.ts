import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";

const program = join(import.meta.dirname, "../main.ts");

function gateway(...argv: string[]): { readonly code: number | null; readonly complaint: string } {
  const { status, stderr } = spawnSync(process.execPath, [program, "gateway", ...argv], { encoding: "utf8" });
  return { code: status, complaint: stderr };
}

describe("a gateway that cannot begin", () => {
  const far = ["--converter", "4460"];

  it("says what a module of one's own lacks", () => {
    const { code, complaint } = gateway("--interface", "eth0=10.0.0.2/24", ...far, "--scheduler", "./nowhere.mjs");
    expect(code).to.equal(2);
    expect(complaint).to.match(
      /^gateway: \.\/nowhere\.mjs: Cannot find module .*; expected an ES module that exports scheduler; see --help\n$/,
    );
  });

  it("says which algorithms there are", () => {
    const { code, complaint } = gateway("--interface", "eth0=10.0.0.2/24", ...far, "--scheduler", "fastest");
    expect(code).to.equal(2);
    expect(complaint).to.match(/^gateway: scheduler.*fastest.*; see --help\n$/);
  });
});
