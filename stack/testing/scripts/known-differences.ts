/** Scripts that the stack does not pass yet: what the RFC asks for, and what is seen. Each stays here until the stack is mended; its test fails then. */

export interface KnownDifference {
  section: string;
  expected: string;
  seen: string;
}

export const knownDifferences: Readonly<Record<string, KnownDifference>> = {
  "mptcp/fallback/mp-fail-received.pkt": {
    section: "RFC 8684 §3.7",
    expected: "an infinite mapping on the first new segment after MP_FAIL",
    seen: "data without any option",
  },
  "mptcp/join/acknowledgement-without-dss.pkt": {
    section: "RFC 8684 §3.7 (MUST)",
    expected: "a joined subflow whose data are acknowledged without DATA_ACK is closed with RST and MP_TCPRST 6",
    seen: "it goes on; its data are sent again when the data-level timer expires",
  },
  "mptcp/close/reset-of-the-only-subflow.pkt": {
    section: "RFC 8684 §3.5 (a RST ends the subflow only)",
    expected: "ECONNRESET as soon as the last subflow is reset",
    seen: "the connection waits for a join: what sent the RST may have been a NAT",
  },
  "mptcp/close/fast-close-with-a-reset.pkt": {
    section: "RFC 9293 §3.5.2, RFC 8684 §3.5",
    expected: "the subflow that was reset is gone; only the others are answered with RST",
    seen: "a RST is answered with a RST",
  },
  "mptcp/close/data-after-a-fast-close.pkt": {
    section: "RFC 9293 §3.5.2, RFC 8684 §3.5",
    expected: "no RST in answer to a RST",
    seen: "a RST is answered with a RST",
  },
};
