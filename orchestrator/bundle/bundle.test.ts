import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect } from "chai";
import { BundleError } from "./bundle-error.ts";
import { BundleWriter } from "./bundle-writer.ts";
import type { ManifestContent } from "./bundle-writer.ts";
import { bundleDirectory, isDerivedFile } from "./layout.ts";
import { manifestJsonSchema } from "./manifest.ts";
import { NdjsonFile } from "./ndjson-file.ts";
import { openBundle } from "./open-bundle.ts";
import { giveTo, sudoCaller } from "./ownership.ts";
import { describeMachine } from "./provenance.ts";
import { resealDerived } from "./seal.ts";
import { verifyBundle } from "./verify-bundle.ts";

const startedAt = new Date("2026-01-02T03:04:05.678Z");
const content: ManifestContent = {
  command: ["run", "experiments/x.yaml"],
  substrate: "namespaces",
  endpoints: { phone: "pathlab" },
  seeds: { experiment: 1, payload: { download: 11 } },
  run: {
    startedAt: startedAt.toISOString(),
    endedAt: startedAt.toISOString(),
    zeroEpochMicroseconds: 0,
    ended: "completed",
  },
  machine: {
    hostname: "bench",
    kernel: "6.18",
    architecture: "x64",
    cpu: { model: "a processor", count: 2 },
    memoryBytes: 1024,
    node: "24.21.0",
    pathlab: { version: "0.1.0", gitCommit: null, gitDirty: null },
    packages: {},
    sysctls: {},
  },
  valid: true,
  outcome: "passed",
};

describe("a bundle", () => {
  let parent: string;
  beforeEach(() => void (parent = mkdtempSync(join(tmpdir(), "pathlab-bundle-"))));
  afterEach(() => rmSync(parent, { recursive: true }));

  async function write(): Promise<string> {
    const writer = await BundleWriter.create(parent, { experiment: "x", startedAt, id: "abc" });
    for (let time = 0; time < 3; time++)
      writer.event({ time, source: "lab", subject: "lab", name: "lab:up", message: "µ" });
    writer.metric({ kind: "workload", time: 1, workload: "download", bytes: 5, goodputBitsPerSecond: 40 });
    await writer.writeJson("results.json", { workloads: [] });
    const baseline = await writer.baseline("tcp");
    await baseline.writeText("report.html", "old");
    await baseline.seal(content);
    await writer.seal(content);
    return writer.directory;
  }

  const problems = async (directory: string): Promise<string[]> =>
    (await verifyBundle(directory)).problems.map(({ file, problem }) => `${file}: ${problem}`);

  it("is written, sealed and read back", async () => {
    const directory = await write();
    expect(directory).to.equal(join(parent, "x", "20260102T030405Z-abc"));
    const bundle = await openBundle(directory);
    const times: number[] = [];
    for await (const { time } of bundle.events()) times.push(time);
    expect(times).to.deep.equal([0, 1, 2]);
    for await (const sample of bundle.metrics()) expect(sample).to.deep.include({ kind: "workload", bytes: 5 });
    expect(await bundle.results()).to.deep.equal({ workloads: [] });
    expect((await bundle.baselines()).map(({ manifest }) => [manifest.baseline, manifest.id])).to.deep.equal([
      ["tcp", "abc-tcp"],
    ]);
    expect(Object.keys(bundle.manifest.files)).to.include.members([
      "events.ndjson",
      "baselines/tcp/manifest.json",
      "baselines/tcp/events.ndjson",
    ]);
    expect(await problems(directory)).to.deep.equal([]);
    expect(readdirSync(directory)).not.to.include(".manifest-reserve");
  });

  const damages: [string, (directory: string) => void, string[]][] = [
    [
      "a byte that was changed",
      (d) => writeFileSync(join(d, "results.json"), readFileSync(join(d, "results.json"), "utf8").replace("w", "W")),
      ["results.json: content differs"],
    ],
    ["a line that was added", (d) => appendFileSync(join(d, "events.ndjson"), "{}\n"), ["events.ndjson: size differs"]],
    ["a file that is missing", (d) => unlinkSync(join(d, "metrics.ndjson")), ["metrics.ndjson: missing"]],
    ["a file that is extra", (d) => writeFileSync(join(d, "logs/x.log"), ""), ["logs/x.log: extra"]],
    [
      "a file of a baseline that was changed",
      (d) => appendFileSync(join(d, "baselines/tcp/events.ndjson"), "{}\n"),
      ["baselines/tcp/events.ndjson: size differs"],
    ],
    [
      "a manifest with another outcome",
      (d) => editManifest(d, '"passed"', '"failed"'),
      ["manifest.json: manifest damaged"],
    ],
    [
      "a manifest that is cut",
      (d) => writeFileSync(join(d, "manifest.json"), readFileSync(join(d, "manifest.json")).subarray(0, 500)),
      ["manifest.json: manifest damaged"],
    ],
    [
      "a manifest of another schema",
      (d) => editManifest(d, '"schemaVersion": 1', '"schemaVersion": 2'),
      ["manifest.json: manifest damaged"],
    ],
  ];
  for (const [title, damage, expected] of damages) {
    it(`tells ${title}`, async () => {
      const directory = await write();
      damage(directory);
      expect(await problems(directory)).to.deep.equal(expected);
    });
  }

  it("that the run could not seal is none, and says so", async () => {
    const writer = await BundleWriter.create(parent, { experiment: "x", startedAt });
    writer.event({ time: 1, source: "lab", subject: "lab", name: "lab:up", message: "" });
    await writer.flush();
    expect(readFileSync(writer.path("events.ndjson"), "utf8")).to.contain("lab:up");
    await expectError(openBundle(writer.directory), "not-a-bundle", "cut off before it could seal");
    await writer.seal(content);
    await expectError(openBundle(parent), "not-a-bundle", "it has no manifest.json");
    await expectError(openBundle(join(parent, "nowhere")), "not-a-bundle", "no such directory");
  });

  it("names the file and the line that do not fit", async () => {
    const directory = await write();
    appendFileSync(join(directory, "events.ndjson"), '{"time":"soon"}\n');
    const bundle = await openBundle(directory);
    await expectError(drain(bundle.events()), "damaged", "events.ndjson:4: time:");
  });

  it("is refused at once where the file system takes no folders", async () => {
    const nowhere = BundleWriter.create("/proc/pathlab/results", { experiment: "x", startedAt, id: "abc" });
    await expectError(nowhere, "unwritable", "mkdir '/proc/pathlab'");
  });

  it("is not overwritten", async () => {
    await write();
    await expectError(BundleWriter.create(parent, { experiment: "x", startedAt, id: "abc" }), "unwritable", "EEXIST");
  });

  it("takes derived files that were made anew, and nothing else, into its manifest", async () => {
    const directory = await write();
    writeFileSync(join(directory, "report.html"), "new");
    appendFileSync(join(directory, "results.json"), "\n");
    await resealDerived(await openBundle(directory), ["report.html"]);
    expect(await problems(directory)).to.deep.equal(["results.json: size differs"]);
    editManifest(directory, '"passed"', '"failed"');
    await expectError(
      resealDerived(await openBundle(directory), ["report.html"]),
      "damaged",
      "will not be sealed again",
    );
    expect(["report.html", "baselines/a/report.html", "baselines/a/manifest.json"].every(isDerivedFile)).to.equal(true);
    expect(
      ["results.json", "manifest.json", "baselines/a/b/report.html", "logs/report.html"].some(isDerivedFile),
    ).to.equal(false);
  });

  it("tells a full disk apart, once, and keeps the run going", async () => {
    symlinkSync("/dev/full", join(parent, "full"));
    const failures: BundleError[] = [];
    const file = await NdjsonFile.create(join(parent, "full"), (error) => failures.push(error));
    file.append({ a: 1 });
    await file.flush();
    file.append({ a: 2 });
    await file.flush();
    expect(failures.map(({ code }) => code)).to.deep.equal(["disk-full"]);
    await expectError(file.close(), "disk-full", "no space left");
  });

  it("keeps lines in order, however many", async () => {
    const path = join(parent, "many.ndjson");
    const file = await NdjsonFile.create(path, (error) => expect.fail(error.message));
    for (let index = 0; index < 20_000; index++) file.append({ index });
    await file.close();
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { index: number }).index)).to.deep.equal(
      Array.from({ length: 20_000 }, (_, index) => index),
    );
  });

  it("belongs to who called sudo", async () => {
    const { uid, gid } = { uid: process.getuid!(), gid: process.getgid!() };
    expect(sudoCaller({ SUDO_UID: "1000", SUDO_GID: "100" }, 0)).to.deep.equal({ uid: 1000, gid: 100 });
    expect(sudoCaller({}, 0)).to.equal(undefined);
    expect(sudoCaller({ SUDO_UID: "1000", SUDO_GID: "100" }, 1000)).to.equal(undefined);
    symlinkSync("/dev/null", join(parent, "link"));
    await giveTo({ uid, gid }, parent);
  });
});

describe("the manifest", () => {
  it("describes this machine so that its own schema takes it", async () => {
    const machine = await describeMachine();
    expect(machine.node).to.equal(process.versions.node);
    expect(machine.packages).to.have.property("zod");
    const schema = manifestJsonSchema() as { properties: { machine: object } };
    expect(new Ajv({ strict: false }).validate(schema.properties.machine, machine)).to.equal(true);
  });

  it("has the schema that schemas/manifest.schema.json publishes", () => {
    const published: unknown = JSON.parse(
      readFileSync(join(import.meta.dirname, "../../schemas/manifest.schema.json"), "utf8"),
    );
    expect(published).to.deep.equal(JSON.parse(JSON.stringify(manifestJsonSchema())));
  });
});

describe("bundle directories", () => {
  it("sort by time", () => {
    const later = new Date(startedAt.getTime() + 1000);
    expect(bundleDirectory("r", "x", startedAt, "zzz") < bundleDirectory("r", "x", later, "aaa")).to.equal(true);
  });
});

function editManifest(directory: string, from: string, to: string): void {
  const path = join(directory, "manifest.json");
  const text = readFileSync(path, "utf8");
  expect(text).to.contain(from);
  writeFileSync(path, text.replace(from, to));
}

async function drain(records: AsyncIterable<unknown>): Promise<void> {
  for await (const record of records) void record;
}

async function expectError(promise: Promise<unknown>, code: BundleError["code"], message: string): Promise<void> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(BundleError);
    expect(error).to.have.property("code", code);
    expect((error as Error).message).to.contain(message);
    return;
  }
  expect.fail(`${code} was expected`);
}
