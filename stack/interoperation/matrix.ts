/** All cases in both roles, several at a time, and what came of them. */

import { release } from "node:os";
import { type Case, type CaseGroup, runCase } from "./case.ts";
import { addresses } from "./cases/addresses.ts";
import { checksums } from "./cases/checksums.ts";
import { families } from "./cases/families.ts";
import { fastOpen } from "./cases/fast-open.ts";
import { priorities } from "./cases/priorities.ts";
import { failures } from "./cases/failures.ts";
import { middleboxes } from "./cases/middleboxes.ts";
import { subflowCases } from "./cases/subflows.ts";
import { transfers } from "./cases/transfers.ts";
import type { Role } from "./fabric.ts";
import { type KnownFailure, knownFailures } from "./known-failures.ts";

export const groups: readonly CaseGroup[] = [
  transfers,
  subflowCases,
  addresses,
  priorities,
  checksums,
  failures,
  middleboxes,
  fastOpen,
  families,
];

const casesAtATime = 8;
/** How long a state is waited for: what comes at all comes long before, also where twenty processes share the processors. */
const deadlineMilliseconds = 180_000;
/** What is expected not to come is not waited for so long. */
const knownFailureDeadlineMilliseconds = 4_000;

export type Outcome =
  | { result: "passed" }
  | { result: "failed"; error: Error }
  | { result: "known failure"; known: KnownFailure }
  | { result: "not applicable"; reason: string };

export function knownFailureOf({ name }: Case, ours: Role): KnownFailure | undefined {
  return knownFailures.find((known) => known.name === name && (known.ours ?? ours) === ours);
}

/** Runs what it is given in the order in which it is given, a few at a time. */
export class Matrix {
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  readonly #outcomes = new Map<string, Promise<Outcome>>();

  start(given: Case, ours: Role): void {
    this.#outcomes.set(key(given, ours), this.#run(given, ours));
  }

  outcome(given: Case, ours: Role): Promise<Outcome> {
    return this.#outcomes.get(key(given, ours))!;
  }

  async finished(): Promise<void> {
    await Promise.all(this.#outcomes.values());
  }

  async #run(given: Case, ours: Role): Promise<Outcome> {
    const why = given.without?.[ours];
    if (why !== undefined) return { result: "not applicable", reason: why };
    if (this.#running >= casesAtATime) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
    const known = knownFailureOf(given, ours);
    try {
      await runCase(given, ours, known === undefined ? deadlineMilliseconds : knownFailureDeadlineMilliseconds);
      return passed(known);
    } catch (error) {
      if (known !== undefined) return { result: "known failure", known };
      return { result: "failed", error: error as Error };
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}

function passed(known: KnownFailure | undefined): Outcome {
  if (known === undefined) return { result: "passed" };
  return { result: "failed", error: new Error(`it passes, and is listed as a known failure: ${known.reason}`) };
}

function key({ name }: Case, ours: Role): string {
  return `${ours} ${name}`;
}

/** The matrix as a page of Markdown. */
export async function markdown(matrix: Matrix, date: string): Promise<string> {
  const lines: string[] = [];
  const reasons: string[] = [];
  let passes = 0;
  let runs = 0;
  for (const { title, cases } of groups) {
    lines.push("", `## ${title}`, "", "| case | our stack is the client | our stack is the server |", "|---|---|---|");
    for (const given of cases) {
      const cells = [];
      for (const ours of ["client", "server"] as const) {
        const outcome = await matrix.outcome(given, ours);
        if (outcome.result === "not applicable") cells.push(`— ${outcome.reason}`);
        else {
          runs++;
          if (outcome.result === "passed") passes++;
          cells.push(outcome.result);
        }
        if (outcome.result === "known failure") {
          const { reason, capture = [] } = outcome.known;
          reasons.push(`- **${given.name}**, our stack as ${ours}: ${reason}`);
          if (capture.length > 0) reasons.push("", ...capture.map((line) => `      ${line}`));
        }
      }
      lines.push(`| ${given.name} | ${cells.join(" | ")} |`);
    }
  }
  return [
    ...head(date, `${passes} of ${runs} passed.`),
    ...lines,
    ...(reasons.length === 0 ? [] : ["", "## Known failures", "", ...reasons]),
    ...tail,
    "",
  ].join("\n");
}

function head(date: string, sum: string): string[] {
  return [
    "# Interoperation with the Linux kernel",
    "",
    "Our stack and the kernel's MPTCP, each in its own network namespace, in both roles. Bytes are compared by SHA-256; what happened is judged by the",
    "kernel's own counters (`MPTcpExt` of `/proc/net/netstat`, `ss -M`) and by what passed on the wire between the two, our stack's word being a",
    "second witness. In every case the kernel must have kept MPTCP switched on: `MPCapableSYNTXDisabled`, `Blackhole`, `MPFallbackTokenInit` and",
    "`FallbackFailed` are 0.",
    "",
    "This page is written by a run; do not edit it:",
    "",
    "    PATHLAB_INTEROPERATION_TABLE=docs/interoperability.md mocha --no-config stack/interoperation/interoperation.system.test.ts",
    "",
    `Run on ${date} against Linux ${release()}: ${sum}`,
  ];
}

const tail = [
  "",
  "## Not covered yet",
  "",
  "- ADD_ADDR with a port from our stack: it signals none.",
  "- The kernel's user-space path manager.",
];
