/** Algorithms of one's own on real wires: a scheduler that does what no built-in one does, of transfers and of programs that nobody changed. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { makeDirectory, runText } from "./short-run.fixture.ts";

const topology = fileURLToPath(new URL("../../topologies/wifi-3g.yaml", import.meta.url));

/** All on the latest subflow, which is the slow one here: the built-in ones give it a fifth. */
const scheduler = `
export const scheduler = () => ({
  name: "latest",
  select(subflows) {
    const latest = subflows.filter(({ usable }) => usable).at(-1);
    return latest !== undefined && latest.space > 0 ? latest : undefined;
  },
});
`;

const transfer = "{ kind: bulk, from: server, to: phone, size: 2MB }";
const application = `
    kind: application
    server: server
    client: phone
    serve:
      command: [python3, -m, http.server, $(port)]
      files: { file.bin: { random: 2MB } }
    run: { command: [curl, --fail, --silent, --output, got.bin, "http://$(address):$(port)/file.bin"], receives: { got.bin: file.bin } }`;

describe("a scheduler of one's own", () => {
  let directory: ReturnType<typeof makeDirectory>;
  before(() => {
    directory = makeDirectory();
    writeFileSync(join(directory.path, "latest.mjs"), scheduler);
  });
  after(() => directory.remove());

  for (const [what, workload, substrate] of [
    ["a transfer", transfer, "namespaces"],
    ["a program that nobody changed", application, "namespaces"],
    ["a program that nobody changed", application, "containers"],
  ] as const)
    it(`carries ${what} on ${substrate}`, async () => {
      const text = `
version: 1
name: own-scheduler
topology: ${topology}
hosts: { server: { scheduler: ./latest.mjs } }
workload:
  download: ${workload}
expect:
  download: { intact: true, subflows: 2, share: { 3g: { atLeast: 50% } } }
`;
      const outcome = await runText(directory.path, text, { substrate });
      expect(outcome.error?.message ?? "").to.equal("");
      expect(outcome.verdict.outcome, JSON.stringify(outcome.verdict)).to.equal("passed");
    });
});
