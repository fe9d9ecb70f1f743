/** Cases that fail today, and why: the suite asserts that they still do, so that a mended one has to leave the list. */

import type { Role } from "./fabric.ts";

export interface KnownFailure {
  readonly name: string;
  /** The role of our stack; absent: in both. */
  readonly ours?: Role;
  /** What is expected, by which section, and what is seen. */
  readonly reason: string;
}

export const knownFailures: readonly KnownFailure[] = [];
