/** Something that the machine must have, how to see whether it has it, and how to mend it (after testground's checkers and fixers). */

/** What a verb is about to do. */
export type Need = "namespaces" | "containers" | "linux-mptcp" | "cubic" | "gateway" | "test" | ProgramNeed;

/** A program that an experiment runs inside a host. */
export type ProgramNeed = `program:${string}`;

/** Whether any experiment may miss it; `cubic`, `gateway` and programs only those that ask for it. */
export function isRequired({ needs }: Pick<Prerequisite, "needs">): boolean {
  return needs.some((need) => need !== "cubic" && need !== "gateway" && !need.startsWith("program:"));
}

export interface Finding {
  readonly present: boolean;
  /** This user cannot find out; `present` is false then. */
  readonly unknown?: true;
  /** One line: what was found, or what is wrong. */
  readonly detail: string;
}

export interface Prerequisite {
  /** As in `package:ethtool`. */
  readonly name: string;
  /** What does without it not work, in words for a person. */
  readonly purpose: string;
  /** Needs that fail without it; none: it only widens what can be done. */
  readonly needs: readonly Need[];
  /** Command or advice for a person. */
  readonly remedy: string;
  /** The Debian package that brings it; missing packages are installed together. */
  readonly debianPackage?: string;
  check(): Promise<Finding>;
  /** Mends it; absent where we cannot or may not. `progress` gets lines for a person. */
  fix?(progress: (line: string) => void): Promise<void>;
}
