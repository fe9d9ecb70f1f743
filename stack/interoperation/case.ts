/** What a case of the matrix is, and how one is run in one role. */

import type { Role } from "./fabric.ts";
import { Lab, type LabOptions } from "./lab.ts";

export type CaseLab = Omit<LabOptions, "ours" | "deadlineMilliseconds">;

export interface Case {
  readonly name: string;
  /** Why the case makes no sense with our stack in a role; absent: it does. */
  readonly without?: { readonly client?: string; readonly server?: string };
  /** By the role of our stack, where it matters. */
  readonly lab?: CaseLab | ((ours: Role) => CaseLab);
  run(lab: Lab): Promise<void>;
}

export interface CaseGroup {
  readonly title: string;
  readonly cases: readonly Case[];
}

export function labOf({ lab }: Case, ours: Role): CaseLab {
  return (typeof lab === "function" ? lab(ours) : lab) ?? {};
}

/** The kernel must have refused MPTCP to nobody behind our back: each of these would turn a failure into a success over plain TCP. */
const traps = ["MPCapableSYNTXDisabled", "Blackhole", "MPFallbackTokenInit", "FallbackFailed"] as const;

/** The machine was too busy for what the case is about: that says nothing about the two peers, and the case is run anew. */
export class PremiseError extends Error {}

/** So often in a row a machine is too busy, and the case fails. */
const attempts = 5;

/**
 * @param deadlineMilliseconds how long each of its conditions is waited for, where the case does not say
 * @throws Error when the peers did not do what the case says
 */
export async function runCase(given: Case, ours: Role, deadlineMilliseconds: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await runOnce(given, ours, deadlineMilliseconds);
    } catch (error) {
      if (!(error instanceof PremiseError) || attempt === attempts) throw error;
    }
  }
}

async function runOnce(given: Case, ours: Role, deadlineMilliseconds: number): Promise<void> {
  const lab = await Lab.open({ deadlineMilliseconds, ...labOf(given, ours), ours });
  try {
    await given.run(lab);
    const counters = lab.counters();
    for (const trap of traps)
      if (counters[trap] !== 0) throw new Error(`${trap} is ${counters[trap]}\n${lab.describe()}`);
  } finally {
    await lab.close();
  }
}
