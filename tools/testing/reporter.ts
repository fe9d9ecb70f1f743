/**
 * Mocha reporter: one line a file's suite with its count and time, failures in full at the end, and the totals as JSON into the file that
 * `PATHLAB_TEST_TOTALS` names, so that `./pathlab test` can add up several runs.
 */
import { writeFileSync } from "node:fs";
import Mocha from "mocha";

const {
  EVENT_HOOK_END,
  EVENT_RUN_END,
  EVENT_SUITE_BEGIN,
  EVENT_SUITE_END,
  EVENT_TEST_FAIL,
  EVENT_TEST_PASS,
  EVENT_TEST_PENDING,
} = Mocha.Runner.constants;

export interface TestTotals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface SuiteTally {
  readonly startedAt: number;
  /** Milliseconds of its tests and hooks: where files run side by side, their events come all at once when a file is done. */
  testing: number;
  passed: number;
  failed: number;
  readonly skipped: string[];
}

function write(text: string): void {
  process.stdout.write(text);
}

export default class PathlabReporter extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const totals = { passed: 0, failed: 0, skipped: 0 };
    let tally: SuiteTally | undefined;
    let depth = 0;

    runner.on(EVENT_SUITE_BEGIN, (suite) => {
      if (!suite.root && depth++ === 0)
        tally = { startedAt: performance.now(), testing: 0, passed: 0, failed: 0, skipped: [] };
    });
    runner.on(EVENT_HOOK_END, (hook) => {
      if (tally !== undefined) tally.testing += hook.duration ?? 0;
    });
    runner.on(EVENT_TEST_PASS, (test) => {
      totals.passed += 1;
      if (tally === undefined) return;
      tally.passed += 1;
      tally.testing += test.duration ?? 0;
    });
    runner.on(EVENT_TEST_PENDING, (test) => {
      totals.skipped += 1;
      tally?.skipped.push(test.fullTitle());
    });
    runner.on(EVENT_TEST_FAIL, (test) => {
      totals.failed += 1;
      if (tally) tally.failed += 1;
      write(`  FAILED  ${test.fullTitle()}\n`);
    });
    runner.on(EVENT_SUITE_END, (suite) => {
      if (suite.root || --depth > 0 || tally === undefined) return;
      const seconds = (Math.max(performance.now() - tally.startedAt, tally.testing) / 1000).toFixed(1);
      const mark = tally.failed > 0 ? "FAIL" : "ok  ";
      write(`  ${mark} ${String(tally.passed).padStart(4)}  ${suite.title} (${seconds} s)\n`);
      for (const title of tally.skipped) write(`  skip       ${title}\n`);
      tally = undefined;
    });
    runner.once(EVENT_RUN_END, () => {
      if (this.failures.length > 0) Mocha.reporters.Base.list(this.failures);
      const file = process.env["PATHLAB_TEST_TOTALS"];
      if (file !== undefined) writeFileSync(file, JSON.stringify(totals satisfies TestTotals));
    });
  }
}
