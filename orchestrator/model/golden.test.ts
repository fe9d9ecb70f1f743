import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { formatDiagnostics } from "./diagnostics.ts";
import { loadFile } from "./load.ts";

const folder = join(import.meta.dirname, "golden");
const inputs = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

/** What `validate` prints. A line `# --set KEY=VALUE` in the file stands for that option. */
function complaintsAbout(name: string): string {
  const file = join(folder, name);
  const settings = [...readFileSync(file, "utf8").matchAll(/^# --set (.*)$/gm)].map((match) => match[1]!);
  const checked = loadFile(file, { settings });
  return checked.ok
    ? ""
    : formatDiagnostics(checked.diagnostics)
        .replaceAll(`${folder}/`, "")
        .replaceAll(`${join(folder, "..")}/`, "../");
}

describe("bad input", () => {
  for (const name of inputs) {
    const golden = join(folder, name.replace(/\.yaml$/, ".txt"));
    it(`is told as in the golden file: ${name}`, () => {
      const actual = complaintsAbout(name);
      if (process.env["UPDATE_GOLDEN"]) writeFileSync(golden, actual);
      expect(actual).to.equal(readFileSync(golden, "utf8"));
    });
  }

  it("is covered by at least 100 golden files", () => {
    expect(inputs.length).to.be.at.least(100);
  });

  it("is always told with place, path, what was found, what was expected and a hint", () => {
    const form = /^[^:\n]+:[1-9]\d*:[1-9]\d*: [^\s:]\S*: found \S.*, expected \S.*; \S.*$/;
    for (const name of readdirSync(folder).filter((file) => file.endsWith(".txt"))) {
      const lines = readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
      for (const line of lines) expect(line, name).to.match(form);
    }
  });
});
