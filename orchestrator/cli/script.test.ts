/** The script `pathlab` at the top: in a checkout of its own, with an npm that only counts its calls. */
import { spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { repositoryRoot } from "./repository.ts";

interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe("the script pathlab", () => {
  let checkout: string;
  let programs: string;

  beforeEach(() => {
    checkout = mkdtempSync(join(tmpdir(), "pathlab checkout-"));
    programs = join(checkout, "programs");
    mkdirSync(programs);
    mkdirSync(join(checkout, "orchestrator/cli"), { recursive: true });
    copyFileSync(join(repositoryRoot, "pathlab"), join(checkout, "pathlab"));
    writeFileSync(join(checkout, "package-lock.json"), "{}");
    writeFileSync(
      join(checkout, "orchestrator/cli/main.ts"),
      `console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd() })); process.exitCode = 7;`,
    );
    npm(`echo called >> "$PWD/npm-calls"
      echo "npm warn deprecated something" >&2
      mkdir -p node_modules/.bin
      ln -sf ${JSON.stringify(process.execPath)} node_modules/.bin/node`);
  });
  afterEach(() => rmSync(checkout, { recursive: true }));

  function npm(script: string): void {
    writeFileSync(join(programs, "npm"), `#!/bin/sh\nset -e\n${script}\n`);
    chmodSync(join(programs, "npm"), 0o755);
  }

  function npmCalls(): number {
    const file = join(checkout, "npm-calls");
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").length : 0;
  }

  function call(script: string, args: readonly string[], directory: string = tmpdir()): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const child = spawn(script, args, {
        cwd: directory,
        env: { ...process.env, PATH: `${programs}:/usr/bin:/bin` },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const output = { stdout: "", stderr: "" };
      child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, ...output }));
    });
  }

  const pathlab = (...args: string[]): Promise<Answer> => call(join(checkout, "pathlab"), args);

  it("installs the packages once, says so, and hides npm's warnings", async () => {
    const first = await pathlab("plan", "a file.yaml");
    expect(first.stderr).to.equal("pathlab: installing npm packages (once, about a minute) …\n");
    expect(await pathlab("plan")).to.include({ stderr: "", code: 7 });
    expect(npmCalls()).to.equal(1);
  });

  it("passes arguments, working directory and exit code, through a symbolic link too", async () => {
    const link = join(checkout, "a link");
    symlinkSync(join(checkout, "pathlab"), link);
    const { code, stdout } = await call(link, ["run", "a file.yaml", "--set", "key=two words"], programs);
    expect(code).to.equal(7);
    expect(JSON.parse(stdout)).to.deep.equal({ args: ["run", "a file.yaml", "--set", "key=two words"], cwd: programs });
  });

  it("installs again when the lock file has changed, or the packages are gone", async () => {
    await pathlab();
    writeFileSync(join(checkout, "package-lock.json"), '{"changed":true}');
    await pathlab();
    expect(npmCalls()).to.equal(2);
    rmSync(join(checkout, "node_modules"), { recursive: true });
    await pathlab();
    expect(npmCalls()).to.equal(3);
  });

  it("installs once when it is called twice at once", async () => {
    const answers = await Promise.all([pathlab("one"), pathlab("two")]);
    expect(answers.map(({ code }) => code)).to.deep.equal([7, 7]);
    expect(npmCalls()).to.equal(1);
  });

  it("shows what npm said when it fails, and tries again the next time", async () => {
    npm(`echo "npm error network" >&2; exit 1`);
    const { code, stdout, stderr } = await pathlab();
    expect({ code, stdout }).to.deep.equal({ code: 3, stdout: "" });
    expect(stderr).to.contain("npm error network\npathlab: npm ci failed");
    expect((await pathlab()).code).to.equal(3);
  });

  it("names npm when there is none", async () => {
    rmSync(join(programs, "npm"));
    for (const program of ["bash", "dirname", "readlink", "mkdir", "flock", "cmp"])
      symlinkSync(`/usr/bin/${program}`, join(programs, program));
    const child = spawn(join(programs, "bash"), [join(checkout, "pathlab")], {
      env: { PATH: programs },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect(code).to.equal(3);
    expect(stderr).to.match(/^pathlab: npm is missing: apt-get install -y npm/);
  });
});
