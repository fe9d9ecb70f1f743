/** Cases that fail today, and why: the suite asserts that they still do, so that a mended one has to leave the list. */

import type { Role } from "./fabric.ts";

export interface KnownFailure {
  readonly name: string;
  /** The role of our stack; absent: in both. */
  readonly ours?: Role;
  /** What is expected, by which section, and what is seen. */
  readonly reason: string;
}

export const knownFailures: readonly KnownFailure[] = [
  {
    name: "an address is signalled to a client that has sent its first bytes and is silent",
    ours: "server",
    reason:
      "RFC 8684 §3.1: MP_CAPABLE with data establishes the connection fully. Our server waits for a DSS before it signals its addresses, and a client that has nothing more to say sends none.",
  },
];
