/** `pathlab test`: everything that has to hold, in the order of its cost: format, lint, types, unused code, unit tests, system tests. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import type { TestTotals } from "../../tools/testing/reporter.ts";
import { repositoryRoot } from "./repository.ts";

interface Check {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const staticChecks: readonly Check[] = [
  { name: "format (oxfmt)", command: ["oxfmt", "--check", "."] },
  { name: "lint and room walls (oxlint)", command: ["oxlint", "--deny-warnings"] },
  { name: "types (tsc)", command: ["tsc", "--noEmit"] },
  { name: "unused code (knip)", command: ["knip"] },
];

/** Unit tests run in virtual time and need milliseconds; a busy machine may make seconds of them. */
const unitTestTimeoutMilliseconds = 120_000;
/** System tests share the machine's two cores with real links: a slow machine gets time, a hanging test still ends. */
const systemTestTimeoutMilliseconds = 300_000;

export function registerTestCommand(program: Command): void {
  program
    .command("test")
    .description("run every check and test; ends with the line `N passed, N failed, N skipped`")
    .argument("[files...]", "only these test files (no static checks)")
    .option("--unit", "only static checks and tests that need no root")
    .option("--system", "only tests that need root, real namespaces, the kernel and Docker")
    .action(async (files: string[], options: { unit?: boolean; system?: boolean }) => {
      const totals = { passed: 0, failed: 0, skipped: 0 };
      const add = (more: TestTotals): void => {
        totals.passed += more.passed;
        totals.failed += more.failed;
        totals.skipped += more.skipped;
      };
      if (files.length > 0) {
        add(await mocha("tests", ["--timeout", String(systemTestTimeoutMilliseconds), ...files]));
      } else {
        if (!options.system) {
          for (const check of staticChecks) add(await runCheck(check));
          add(
            await mocha("unit tests", [
              // They share nothing, and compute.
              "--parallel",
              "--jobs",
              String(availableParallelism()),
              "--timeout",
              String(unitTestTimeoutMilliseconds),
              "--ignore",
              "**/*.system.test.ts",
              ...testGlobs("test.ts"),
            ]),
          );
        }
        if (!options.unit) {
          const { ensure } = await import("../substrate/prerequisites/ensure.ts");
          const ready = await ensure("test");
          if (!ready) return;
          add(
            await mocha("system tests", [
              // Two at a time: most of what they do is to wait, for timers of the kernel's and for links of some Mbit/s. More would measure each other.
              "--parallel",
              "--jobs",
              "2",
              "--exit",
              "--timeout",
              String(systemTestTimeoutMilliseconds),
              ...testGlobs("system.test.ts"),
            ]),
          );
        }
      }
      process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
      process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
    });
}

/** What takes longest first, so that no processor is left alone with it in the end. */
function testGlobs(suffix: string): string[] {
  return ["orchestrator", "stack", "tools"].map((storey) => `${storey}/**/*.${suffix}`);
}

async function runCheck(check: Check): Promise<TestTotals> {
  const startedAt = performance.now();
  const { code, output } = await run(check.command, "collect");
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`  ${code === 0 ? "ok  " : "FAIL"}       ${check.name} (${seconds} s)\n`);
  if (code !== 0) process.stdout.write(`${output}\n`);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** Runs mocha in a process of its own; one that dies without totals counts as one failure, never as none. */
async function mocha(title: string, args: readonly string[]): Promise<TestTotals> {
  process.stdout.write(`${title}\n`);
  const directory = mkdtempSync(join(tmpdir(), "pathlab-test-"));
  const totalsFile = join(directory, "totals.json");
  try {
    const reporter = join(repositoryRoot, "tools/testing/reporter.ts");
    const { code } = await run(["mocha", "--no-config", "--reporter", reporter, ...args], "inherit", {
      PATHLAB_TEST_TOTALS: totalsFile,
    });
    const totals = readTotals(totalsFile);
    return totals !== undefined && (code === 0) === (totals.failed === 0)
      ? totals
      : { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readTotals(file: string): TestTotals | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as TestTotals;
  } catch {
    return undefined;
  }
}

function run(
  command: readonly [string, ...string[]],
  output: "inherit" | "collect",
  environment: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(join(repositoryRoot, "node_modules/.bin", program), args, {
      cwd: repositoryRoot,
      stdio: ["ignore", output === "inherit" ? "inherit" : "pipe", output === "inherit" ? "inherit" : "pipe"],
      env: { ...process.env, ...environment },
    });
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, output: text }));
  });
}
