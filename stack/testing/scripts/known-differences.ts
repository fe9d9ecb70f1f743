/** Scripts that the stack does not pass yet: what the RFC asks for, and what is seen. Each stays here until the stack is mended; its test fails then. */

export interface KnownDifference {
  section: string;
  expected: string;
  seen: string;
}

export const knownDifferences: Readonly<Record<string, KnownDifference>> = {
  "tcp/handshake/simultaneous-open.pkt": {
    section: "RFC 9293 §3.5 (MUST-10), §3.10.7.3",
    expected: "a SYN in SYN-SENT leads to SYN-RECEIVED and is answered with SYN/ACK",
    seen: "the SYN is ignored",
  },
  "tcp/handshake/unacceptable-ack-in-syn-sent.pkt": {
    section: "RFC 9293 §3.10.7.3",
    expected: "RST with the number of the unacceptable acknowledgement",
    seen: "silence: what keeps a half-open peer of an old connection from being recovered at once (§3.5.1)",
  },
  "tcp/handshake/ack-alone-in-syn-sent.pkt": {
    section: "RFC 9293 §3.10.7.3",
    expected: "RST with the number of the unacceptable acknowledgement",
    seen: "silence",
  },
  "tcp/handshake/wrong-ack-in-syn-received.pkt": {
    section: "RFC 9293 §3.10.7.4",
    expected: "RST with the number of the unacceptable acknowledgement",
    seen: "silence",
  },
  "tcp/data/nagle.pkt": {
    section: "RFC 9293 §3.7.4 (SHLD-7)",
    expected: "small segments wait while something is unacknowledged, unless TCP_NODELAY is set",
    seen: "every write is sent at once",
  },
  "tcp/window/no-update-that-updates-nothing.pkt": {
    section: "RFC 9293 §3.8.6.2.2, RFC 5681 §2",
    expected: "nothing is sent when reading cannot change the advertised window, which is at 65535 without scaling",
    seen: "an acknowledgement at each read, which the peer counts as a duplicate",
  },
  "tcp/window/shrinking-window.pkt": {
    section: "RFC 9293 §3.8.6 (MUST-34, SHLD-15)",
    expected: "no new data beyond the edge that the latest segment tells",
    seen: "data up to the highest edge that was ever told",
  },
  "tcp/loss/window-update-is-no-duplicate.pkt": {
    section: "RFC 5681 §2 (e)",
    expected: "an acknowledgement with another window than the one before is no duplicate",
    seen: "it counts as one when the edge lies below the highest that was ever told",
  },
  "tcp/loss/threshold-after-a-timeout.pkt": {
    section: "RFC 5681 §3.1 equation 4 (MUST)",
    expected: "a threshold of at most half of the flight size",
    seen: "half of the window, also when little of it was used",
  },
  "tcp/loss/tail-loss-probe.pkt": {
    section: "RFC 8985 §6.2 step 2",
    expected: "the acknowledged probe shows the segments before it lost",
    seen: "without an earlier sample the least round trip is infinite and every acknowledgement of a retransmission is taken for spurious: timeout",
  },
  "tcp/reset/acknowledgement-of-the-distant-past.pkt": {
    section: "RFC 5961 §5.2",
    expected: "dropped, with an acknowledgement, when older than the largest window",
    seen: "the data are taken",
  },
  "tcp/close/old-syn-in-time-wait.pkt": {
    section: "RFC 9293 §3.6.1 (MAY-2), RFC 6191 §2",
    expected: "only a SYN above the old sequence numbers, or with a newer timestamp, opens a connection from TIME-WAIT",
    seen: "any SYN does",
  },
  "tcp/timestamps/segment-without-the-option.pkt": {
    section: "RFC 7323 §3.2 (SHOULD)",
    expected: "a segment without the option that was agreed on is dropped",
    seen: "it is taken",
  },
  "mptcp/fallback/flag-b.pkt": {
    section: "RFC 8684 §3.1 (flag B)",
    expected: "MP_CAPABLE with flag B is ignored: plain TCP",
    seen: "MPTCP",
  },
  "mptcp/fallback/syn-ack-with-flag-b.pkt": {
    section: "RFC 8684 §3.1 (flag B)",
    expected: "MP_CAPABLE with flag B is ignored: plain TCP",
    seen: "MPTCP",
  },
  "mptcp/fallback/syn-ack-without-flag-h.pkt": {
    section: "RFC 8684 §3.1 (flags C to H)",
    expected: "no common algorithm: plain TCP",
    seen: "MPTCP",
  },
  "mptcp/fallback/mp-fail-received.pkt": {
    section: "RFC 8684 §3.7",
    expected: "an infinite mapping on the first new segment after MP_FAIL",
    seen: "data without any option",
  },
  "mptcp/join/third-ack-without-the-option.pkt": {
    section: "RFC 8684 §3.2",
    expected: "RST: the HMAC is missing",
    seen: "silence, and a half-open subflow until its SYN/ACK is given up",
  },
  "mptcp/join/wrong-checksum-on-one-of-two.pkt": {
    section: "RFC 8684 §3.7",
    expected: "the RST that closes the subflow carries MP_FAIL with the data sequence number",
    seen: "MP_TCPRST only",
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
