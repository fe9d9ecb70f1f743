/** The program as it is handed on: one file, without the repository around it. */
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { buildDistributable } from "./distributable.ts";

describe("the endpoint program as one file", function () {
  this.timeout(120_000);
  const directory = mkdtempSync(join(tmpdir(), "pathlab-distributable-"));
  const file = join(directory, "endpoint.cjs");

  before(async () => {
    await buildDistributable(file);
  });
  after(() => rmSync(directory, { recursive: true }));

  const call = (...args: string[]) =>
    spawnSync(process.execPath, [file, ...args], {
      encoding: "utf8",
      input: "",
      env: { ...process.env, NO_COLOR: "1" },
    });

  it("is alone, and can be started by its name", () => {
    expect(readdirSync(directory)).to.deep.equal(["endpoint.cjs"]);
    const path = `${join(process.execPath, "..")}:${process.env["PATH"]}`;
    const version = execFileSync(file, ["--version"], { encoding: "utf8", env: { ...process.env, PATH: path } });
    expect(version).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  it("brings the native addon, and leaves no file behind", () => {
    const temporary = mkdtempSync(join(directory, "tmp-"));
    const env = { ...process.env, TMPDIR: temporary };
    const args = [file, "connect", "192.0.2.1", "7", "-i", "nowhere0=192.0.2.10/24"];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env });
    // That there is no such interface is what the addon has found out.
    expect([status, JSON.parse(stderr).code]).to.deep.equal([3, "ENODEV"]);
    expect(readdirSync(temporary)).to.deep.equal([]);
  });

  it("takes an addon by name instead, and says when that is none", () => {
    const none = join(directory, "none.node");
    copyFileSync(file, none);
    const args = [file, "connect", "192.0.2.1", "7", "-i", "lo=192.0.2.10/24"];
    for (const [named, code] of [
      [none, "ERR_DLOPEN_FAILED"],
      [join(directory, "missing.node"), "ENOENT"],
    ] as const) {
      const env = { ...process.env, PATHLAB_NATIVE: named };
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env });
      expect([status, JSON.parse(stderr).code]).to.deep.equal([3, code]);
    }
  });

  it("has help for itself and each verb on stdout", () => {
    const { status, stdout } = call("--help");
    expect(status).to.equal(0);
    const verbs = [...stdout.matchAll(/^ {2}([a-z]+)(?: \[options\])?/gm)].map(([, verb]) => verb);
    expect(verbs).to.include.members(["listen", "connect", "send", "receive", "serve", "measure", "gateway", "lab"]);
    for (const verb of ["listen", "connect", "send", "receive", "serve", "measure"]) {
      const help = call(verb, "--help");
      expect([help.status, help.stderr], verb).to.deep.equal([0, ""]);
      expect(help.stdout)
        .to.contain(`Usage: endpoint ${verb}`)
        .and.to.contain("Exit codes:")
        .and.to.contain("--scheduler");
    }
    expect(call("gateway", "--help").stdout).to.contain("--interface");
  });

  const wrong: [call: string, told: string][] = [
    ["dance", "unknown command 'dance'"],
    ["connect -i lo=192.0.2.10/24", "missing required argument 'address'"],
    ["connect 192.0.2.1 7", "required option '-i, --interface <name=address/length>' not specified"],
    ["connect 192.0.2.1 http -i lo=192.0.2.10/24", '"http" is not a port: a whole number from 1 to 65535.'],
    ["connect 192.0.2.1 7 -i lo=192.0.2.10", "ADDRESS/LENGTH, as in 192.0.2.10/24"],
    [
      "connect 192.0.2.1 7 -i lo=192.0.2.10/24 --scheduler fastest",
      "Expected min-rtt, round-robin, redundant, blest, ecf, or the path of a module",
    ],
    ["connect 192.0.2.1 7 -i lo=192.0.2.10/24 --jumbo", "unknown option '--jumbo'"],
    ["connect 192.0.2.1 7 -i lo=192.0.2.10/24 --receive-buffer 4mbit", "KiB, MiB or GiB, as in 4MiB"],
    ["serve -i lo=192.0.2.10/24", "Give at least one of --echo, --discard and --chargen its port"],
    ["serve --echo 7 --discard 7 -i lo=192.0.2.10/24", "--discard and --echo are both given port 7"],
  ];
  for (const [line, told] of wrong)
    it(`ends with 2, and says what would do: ${line}`, () => {
      const { status, stdout, stderr } = call(...line.split(" "));
      expect(stderr).to.contain(told);
      expect([status, stdout]).to.deep.equal([2, ""]);
    });

  it("loads of Node what it needs and nothing else", () => {
    const listing = `process.on("exit", () => console.error(process.moduleLoadList.join("\\n"))); process.argv.splice(1, 0, ${JSON.stringify(file)}); require(${JSON.stringify(file)})`;
    for (const args of [["--version"], ["lab"]]) {
      const { stderr } = spawnSync(process.execPath, ["-e", listing, "--", ...args], { encoding: "utf8", input: "" });
      const loaded = stderr
        .split("\n")
        .filter((line) => /^NativeModule (?:http|https|zlib|internal\/deps\/undici)/.test(line));
      expect(stderr, args[0]).to.contain("NativeModule path");
      expect(loaded, args[0]).to.deep.equal([]);
    }
  });

  it("begins in little more time than Node itself", () => {
    const took = (args: string[]): number => {
      const begun = process.hrtime.bigint();
      expect(spawnSync(process.execPath, args, { input: "", env: { PATH: process.env["PATH"] } }).status).to.equal(0);
      return Number(process.hrtime.bigint() - begun);
    };
    // In turns; the shortest of each is the one that other programs of the machine held up least.
    const turns = Array.from(
      { length: 8 },
      () => [took(["-e", "0"]), took([file, "--version"]), took([file, "lab"])] as const,
    );
    const [node, version, lab] = ([0, 1, 2] as const).map((i) => Math.min(...turns.map((turn) => turn[i])));
    // Seen at a load of 1: 30 ms of Node, 50 of each of ours.
    expect(version! / node!).to.be.lessThan(5);
    expect(lab! / node!).to.be.lessThan(5);
  });
});
