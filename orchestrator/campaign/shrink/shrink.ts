/** A failing run made small: what can be left out of the experiment and its topology is left out, as long as the same expectation still fails on the simulation. */
import type { JudgedExpectation } from "../../verdict/verdict.ts";
import { withKey, withoutTrouble, type Case, type Mapping } from "./case.ts";
import { explicitTopology } from "./explicit-topology.ts";
import { listLosses } from "./list-losses.ts";
import { reductionsOf } from "./reductions.ts";
import type { CaseRun, CaseRunner } from "./run-case.ts";

export interface ShrinkRequest {
  /** Both files as plain data, the experiment with the seed in it. */
  readonly given: Case;
  /** `WORKLOAD.METRIC`; left out: the first expectation that fails. */
  readonly expectation?: string;
  readonly run: CaseRunner;
  readonly progress: (message: string) => void;
}

export interface Shrunk {
  readonly case: Case;
  /** What fails: `video: longestGap`, or the error that ended the run. */
  readonly failure: string;
  readonly expected?: string;
  readonly measured?: string;
  /** Whether it passes without its faults and losses, which each smaller case had to, too. */
  readonly passesWithoutTrouble: boolean;
  readonly runs: number;
}

export class NothingToShrink extends Error {
  override readonly name = "NothingToShrink";
}

/** @throws NothingToShrink when nothing fails, or not what was named */
export async function shrink(request: ShrinkRequest): Promise<Shrunk> {
  const { given, run, progress } = request;
  const first = await run(given);
  if (!first.ok) throw new NothingToShrink(`it cannot be run: ${first.problem}`);
  const failure = failureOf(first, request.expectation);
  progress(`fails: ${failure.text}`);
  const control = await run(withoutTrouble(given));
  const passesWithoutTrouble = control.ok && failure.isGoneIn(control);
  progress(
    passesWithoutTrouble
      ? "without faults and losses it passes, and every smaller case shall, too"
      : "without faults and losses it fails, too: they are not what it fails by",
  );
  let runs = 2;
  const known = new Map<string, boolean>();
  const stillFails = async (candidate: Case): Promise<boolean> => {
    const key = JSON.stringify(candidate);
    const before = known.get(key);
    if (before !== undefined) return before;
    runs++;
    const outcome = await run(candidate);
    let fails = outcome.ok && failure.isIn(outcome);
    // A link too few fails as well, but not for the reason that is looked for.
    if (fails && passesWithoutTrouble) {
      runs++;
      const calm = await run(withoutTrouble(candidate));
      fails = calm.ok && failure.isGoneIn(calm);
    }
    known.set(key, fails);
    return fails;
  };

  let smallest = given;
  const attempt = async (candidate: Case, what: string): Promise<void> => {
    if (!(await stillFails(candidate))) return;
    smallest = candidate;
    progress(what);
  };
  await attempt(withItsExpectations(smallest, failure.judged), "what was expected of others is left out");
  // While a generator makes the nodes, a smaller network is a matter of its numbers.
  const reductions = reductionsOf(failure.judged?.workload);
  const settle = async (): Promise<void> => {
    for (let before: Case | undefined; before !== smallest;) {
      before = smallest;
      for (const reduction of reductions) {
        const reduced = await reduction.reduce(smallest, stillFails);
        if (JSON.stringify(reduced) === JSON.stringify(smallest)) continue;
        smallest = reduced;
        progress(`fewer ${reduction.of} (${runs} runs)`);
      }
    }
  };
  if (given.topology["generate"] !== undefined) await settle();
  const last = await run(smallest);
  if (last.ok) {
    const explicit = { ...smallest, topology: explicitTopology(last.topology) };
    await attempt(explicit, "the topology is written out");
    await attempt(
      {
        ...smallest,
        topology: listLosses(smallest.topology, last.performed.plan, last.performed.record.links.loads ?? []),
      },
      "random losses are written out by number",
    );
  }
  await settle();
  const final = await run(smallest);
  const judged = final.ok ? failure.find(final) : undefined;
  return {
    case: smallest,
    failure: failure.text,
    ...(judged !== undefined && { expected: judged.expected, measured: judged.measured }),
    passesWithoutTrouble,
    runs: runs + 2,
  };
}

type FinishedCase = Extract<CaseRun, { ok: true }>;

interface Failure {
  readonly text: string;
  readonly judged?: JudgedExpectation;
  find(run: FinishedCase): JudgedExpectation | undefined;
  isIn(run: FinishedCase): boolean;
  /** What failed passes. */
  isGoneIn(run: FinishedCase): boolean;
}

function failureOf(run: FinishedCase, wanted: string | undefined): Failure {
  const { error } = run.performed.record;
  if (error !== undefined && wanted === undefined) {
    const text = withoutNumbers(error.message);
    return {
      text: `the run ends with an error: ${error.message}`,
      find: () => undefined,
      isIn: ({ performed }) =>
        performed.record.error !== undefined && withoutNumbers(performed.record.error.message) === text,
      isGoneIn: ({ performed }) => performed.record.error === undefined,
    };
  }
  const failed = run.performed.verdict.expectations.filter(isSeenToFail);
  const judged =
    wanted === undefined ? failed[0] : failed.find(({ workload, metric }) => `${workload}.${metric}` === wanted);
  if (judged === undefined) {
    const those = failed.map(({ workload, metric }) => `${workload}.${metric}`).join(", ");
    throw new NothingToShrink(
      failed.length === 0
        ? "every expectation passes with this seed; --repeat of run finds one with which it fails"
        : `${wanted} does not fail with this seed; what fails is ${those}`,
    );
  }
  const find = ({ performed }: FinishedCase): JudgedExpectation | undefined =>
    performed.verdict.expectations.find(
      ({ workload, metric }) => workload === judged.workload && metric === judged.metric,
    );
  return {
    text: `${judged.workload}: ${judged.metric}`,
    judged,
    find,
    isGoneIn: (other) => find(other)?.passed === true,
    isIn: (other) => other.performed.record.error === undefined && outcomes(other, judged) === outcomes(run, judged),
  };
}

/** How all that is expected of a workload came out: a transfer that is late and one that never ends are two failures. */
function outcomes({ performed }: FinishedCase, { workload: name }: JudgedExpectation): string {
  return performed.verdict.expectations
    .filter(({ workload }) => workload === name)
    .map((judged) => `${judged.metric} ${judged.passed || !isSeenToFail(judged) ? judged.passed : "fails"}`)
    .join(", ");
}

/** What nobody saw is another failure: that of a run in which it did not happen. */
const isSeenToFail = ({ passed, witness }: JudgedExpectation): boolean => !passed && witness !== "none";

/** An error of the same kind elsewhere: other addresses, times and ports. */
const withoutNumbers = (message: string): string => message.replace(/\d+/g, "0");

function withItsExpectations(given: Case, judged: JudgedExpectation | undefined): Case {
  const all = (given.experiment["expect"] ?? {}) as Mapping;
  const own = judged && { [judged.workload]: all[judged.workload] };
  return { ...given, experiment: withKey(given.experiment, "expect", own) };
}
