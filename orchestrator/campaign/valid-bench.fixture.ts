/** Runs on a real machine, for tests: where the machine disturbed the bench the verdict is that nothing can be said, and then nothing is. */
import type { ExperimentOutcome } from "./run-experiment.ts";

const attempts = 6;

/**
 * A run whose only defect is a link that measured out of tolerance is made anew, and that is told. A bench that never holds comes out as it
 * is: its verdict is the test's to refuse.
 */
export async function untilBenchHolds(run: () => Promise<ExperimentOutcome>): Promise<ExperimentOutcome> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await run();
    const { invalidBecause } = outcome.verdict;
    const disturbed = invalidBecause.length > 0 && invalidBecause.every(isDisturbance);
    if (!disturbed || outcome.error !== undefined || attempt === attempts) return outcome;
    process.stderr.write(`bench disturbed, run again: ${invalidBecause.join("; ")}\n`);
  }
}

export const isDisturbance = (why: string): boolean => why.includes("measured out of tolerance before the run");
