/** Cases that fail today, and why: the suite asserts that they still do, so that a mended one has to leave the list. */

import { answeredEarly } from "./cases/fast-open.ts";
import type { Role } from "./fabric.ts";

export interface KnownFailure {
  readonly name: string;
  /** The role of our stack; absent: in both. */
  readonly ours?: Role;
  /** What is expected, by which section, and what is seen. */
  readonly reason: string;
  /** Lines of a capture that shows it. */
  readonly capture?: readonly string[];
}

export const knownFailures: readonly KnownFailure[] = [
  {
    name: answeredEarly,
    ours: "client",
    reason:
      "the answer goes out behind the third segment, which tells the server the client's key (RFC 8684, appendix B). Linux 6.18 keeps it: while the subflow is in " +
      "SYN-RECEIVED none may send, no timer is set for what was written, and the third segment has MP_CAPABLE and no DATA_ACK, which alone makes the kernel look again. " +
      "What frees it is in the next case. Between two Linux hosts 50 ms apart, whose server writes 500 bytes as soon as it has read the request (the same where it closes then):",
    capture: [
      "     0 ms  client > server  S   500 bytes, cookie, MP_CAPABLE",
      "     0 ms  server > client  S.  ack 501, MP_CAPABLE",
      "   101 ms  client > server  .   ack 1, MP_CAPABLE with both keys",
      "15,159 ms  client > server  P.  4 bytes, MP_CAPABLE with both keys",
      "15,159 ms  server > client  .   ack 505, DATA_ACK; the 500 bytes are never sent",
    ],
  },
];
