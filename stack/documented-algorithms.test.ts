/** The code of docs/algorithms.md, each in a transfer over two paths with an expectation that only this algorithm meets. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { behavesAsPathManager } from "./path-manager/path-manager.compliance.ts";
import { behavesAsScheduler } from "./scheduler/scheduler.compliance.ts";
import type { HostOptions } from "./host-options.ts";
import { bulkGoodput } from "./testing/bulk-transfer.ts";
import { converse, makePair, serverPort, wifi } from "./testing/pair.ts";

const repository = join(import.meta.dirname, "..");
const page = readFileSync(join(repository, "docs/algorithms.md"), "utf8");
const blocks = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!);
const second = 1_000_000;

type Examples = Required<Pick<HostOptions, "scheduler" | "pathManager" | "congestionControl">>;

describe("docs/algorithms.md", () => {
  let examples: Examples;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "pathlab-algorithms-"));
    const modules = await Promise.all(
      blocks.map((code, i) => {
        const file = join(folder, `example-${i}.ts`);
        writeFileSync(file, code.replaceAll('"../stack/', `"${pathToFileURL(repository).href}/stack/`));
        return import(pathToFileURL(file).href) as Promise<Partial<Examples>>;
      }),
    );
    examples = Object.assign({}, ...modules) as Examples;
  });
  after(() => rmSync(folder, { recursive: true }));

  it("has one of each, of about 30 lines, and no other code", () => {
    expect(Object.keys(examples)).to.have.members(["scheduler", "pathManager", "congestionControl"]);
    for (const code of blocks) expect(code.split("\n").length).to.be.at.most(32);
  });

  it("type-checks as it stands", function () {
    this.timeout(120_000);
    const project = join(folder, "typed");
    mkdirSync(join(project, "docs"), { recursive: true });
    blocks.forEach((code, i) => {
      const stack = `"${join(repository, "stack")}/`;
      writeFileSync(join(project, "docs", `example-${i}.ts`), code.replaceAll('"../stack/', stack));
    });
    const { compilerOptions } = JSON.parse(readFileSync(join(repository, "tsconfig.json"), "utf8")) as {
      compilerOptions: object;
    };
    const settings = { compilerOptions: { ...compilerOptions, types: [] }, include: ["docs"] };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(settings));
    writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
    execFileSync(join(repository, "node_modules/.bin/tsc"), ["-p", project], { encoding: "utf8" });
  });

  it("the scheduler splits traffic 3 : 1 between a slow and a fast path, which lowest RTT first and round-robin do not", () => {
    /** Bytes on the first, slower path by those on the second. */
    const ratio = (scheduler: HostOptions["scheduler"]): number => {
      const pair = makePair({ paths: [{ ...wifi, delay: 40_000 }, wifi], client: { scheduler } });
      const { client, server, network } = pair;
      server.listen({ port: serverPort }, network.now);
      const remote = { remoteAddress: "10.0.100.2", remotePort: serverPort };
      const connection = client.connect(remote, network.now);
      connection.noDelay = true;
      network.run(second);
      const before = connection.info().subflows.map(({ bytesAcked }) => bytesAcked);
      for (let i = 0; i < 400; i++)
        network.at(network.now + i * 10_000, () => connection.write(new Uint8Array(1_400), network.now));
      network.run(6 * second);
      const [slow, fast] = connection.info().subflows.map(({ bytesAcked }, i) => bytesAcked - before[i]!);
      return slow! / fast!;
    };
    expect(ratio(examples.scheduler)).to.be.closeTo(3, 0.1);
    expect(ratio("min-rtt")).to.be.lessThan(0.1);
    expect(ratio("round-robin")).to.be.closeTo(1, 0.1);
  });

  it("the path manager opens its second subflow after two seconds, which the full mesh does at once", () => {
    const openedAfter = (pathManager: HostOptions["pathManager"]): number[] => {
      const pair = makePair({ client: { pathManager } });
      const begun = pair.network.now;
      converse(pair, 1_000, 1_000, { endsAfterSending: false });
      pair.network.run(5 * second);
      const created = pair.network.eventsNamed("mptcp:subflow-created", pair.client);
      return created.map(({ time }) => Math.floor((time - begun) / second));
    };
    expect(openedAfter(examples.pathManager)).to.deep.equal([0, 2]);
    expect(openedAfter("full-mesh")).to.deep.equal([0, 0]);
  });

  it("the congestion control has twenty segments in flight on each path, whatever it loses", () => {
    const paths = [20, 80].map((rttMilliseconds) => ({
      megabitsPerSecond: 50,
      rttMilliseconds,
      queueMilliseconds: 50,
      lossPercent: 0,
    }));
    const goodput = (congestionControl: HostOptions["congestionControl"]): number =>
      bulkGoodput(paths, {
        bufferBytes: 4_000_000,
        seconds: 5,
        host: { congestionControl, windowCapping: false, penalisation: false, opportunisticRetransmission: false },
      });
    // A segment has 1428 bytes beside timestamps and DSS; a packet of it takes a quarter of a millisecond.
    const expected = (20 * 1_428 * 8) / 1e6 / 0.0205 + (20 * 1_428 * 8) / 1e6 / 0.0805;
    expect(goodput(examples.congestionControl) / expected).to.be.within(0.88, 1.02);
    expect(goodput("reno") / expected).to.be.greaterThan(2);
  });

  describe("passes the suite:", () => {
    const made = <Made>(choice: string | (() => Made)): Made => (choice as () => Made)();
    behavesAsPathManager("only-for-long-ones", () => made(examples.pathManager));
    behavesAsScheduler("three-to-one", () => made(examples.scheduler));
  });
});
