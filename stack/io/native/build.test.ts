import { expect } from "chai";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildNative, NativeBuildError } from "./build.ts";

describe("building the native addon", function () {
  this.timeout(120_000);
  let directory: string;
  const source = (text: string) => writeFileSync(path.join(directory, "addon.c"), text);
  const build = (compiler?: string) =>
    buildNative({
      sourceDirectory: directory,
      outputDirectory: path.join(directory, "out"),
      ...(compiler === undefined ? {} : { compiler }),
    });

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "pathlab-native-"));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  it("compiles once, and again only when a source changed", () => {
    source("#include <node_api.h>\nNAPI_MODULE_INIT() { (void)env; return exports; }\n");
    const first = build();
    const { mtimeMs } = statSync(first);
    expect(build("/nonexistent/compiler")).to.equal(first);
    expect(statSync(first).mtimeMs).to.equal(mtimeMs);
    source("#include <node_api.h>\nNAPI_MODULE_INIT() { (void)env; return exports; } /* changed */\n");
    expect(build()).not.to.equal(first);
  });

  it("says what the compiler said, and leaves nothing behind", () => {
    source("this is not C\n");
    expect(() => build()).to.throw(NativeBuildError, /the native addon does not compile:\n.*addon\.c:1:1: error/s);
    expect(readdirSync(path.join(directory, "out"))).to.deep.equal([]);
  });

  it("names the compiler that is not there and how to get one", () => {
    source("int x;\n");
    expect(() => build("no-such-cc")).to.throw(NativeBuildError, 'no C compiler "no-such-cc": install one (Debian:');
  });

  it("tells a bundle that has come without its addon", () => {
    expect(() => build()).to.throw(NativeBuildError, /a bundle needs the built addon beside it or in PATHLAB_NATIVE$/);
  });
});
