/** Where the kernel (6.18) does otherwise than a script says, by cause, with the section that decides. Kept by hand; a run on the kernel fails on one that is not here, and on one that is here and gone. */

export interface KernelDifference {
  /** Who is right. `both`: the section leaves it open. `kernel`: the kernel departs from it. `specific`: the script asks for a choice of our stack (a size, a limit, a policy) or for virtual time. */
  verdict: "both" | "kernel" | "specific";
  section: string;
  kernel: string;
  scripts: readonly string[];
  /** A race with the kernel's timers decides whether the script sees it: it may hold in one run and not in the next. */
  races?: true;
}

export const kernelDifferences: readonly KernelDifference[] = [
  {
    verdict: "specific",
    section: "RFC 6298 §2: real clocks are not that exact",
    kernel: "measures round trips of 10 ms as 10.3 ms and more",
    scripts: ["tcp/handshake/active-open.pkt", "tcp/loss/karn.pkt"],
  },
  {
    verdict: "specific",
    section: "RFC 7323 §5.5",
    kernel: "cannot be asked: the script waits for 25 days",
    scripts: ["tcp/timestamps/outdated.pkt"],
  },
  {
    verdict: "kernel",
    section: "RFC 7323 §3.2 (SHOULD drop)",
    kernel: "takes a segment without timestamps where they were agreed on",
    scripts: ["tcp/timestamps/segment-without-the-option.pkt", "mptcp/ipv6/advertised-address-without-timestamps.pkt"],
  },
  {
    verdict: "kernel",
    section: "RFC 5681 §3.1, RFC 6298 §5.7",
    kernel: "begins with ten segments after a lost SYN or SYN/ACK too",
    scripts: [
      "tcp/handshake/window-after-a-lost-syn-ack.pkt",
      "tcp/handshake/window-after-a-lost-syn.pkt",
      "tcp/handshake/round-trip-after-a-lost-syn.pkt",
    ],
  },
  {
    verdict: "both",
    section: "RFC 6298 §2, §3; RFC 7323 §4.1",
    kernel: "keeps what a handshake with a lost SYN/ACK took as the first sample, to be smoothed by those of data",
    scripts: ["tcp/handshake/round-trip-after-a-lost-syn-ack.pkt"],
  },
  {
    verdict: "both",
    section: "RFC 6298 §2 (initial timeout 1 s), §5.5 (MUST double)",
    kernel: "sends its first SYNs again every second before the timeout doubles (tcp_syn_linear_timeouts)",
    scripts: [
      "tcp/handshake/syn-retransmission.pkt",
      "mptcp/fallback/late-answer-to-the-syn-with-the-option.pkt",
      "mptcp/fallback/syn-with-the-option-lost.pkt",
    ],
  },
  {
    verdict: "specific",
    section: "RFC 9293 §3.8.3 (R2)",
    kernel: "gives up SYN/ACKs later, and without a RST",
    scripts: ["tcp/handshake/syn-ack-given-up.pkt"],
  },
  {
    verdict: "both",
    section: "RFC 9293 §3.10.7.4, RFC 6298 §5.1: whether the answer to a repeated SYN starts the timer anew",
    kernel: "waits from its latest SYN/ACK on, also where that answered a repeated SYN",
    scripts: ["tcp/handshake/repeated-syn-is-no-timeout.pkt"],
  },
  {
    verdict: "kernel",
    section:
      "RFC 9293 §3.10.7.3: an unacceptable acknowledgement is answered with RST, and the opening goes on as before",
    kernel: "sends its SYN again within two ticks when it has reset an unacceptable acknowledgement",
    scripts: [
      "tcp/handshake/ack-alone-in-syn-sent.pkt",
      "tcp/handshake/reset-with-wrong-ack-in-syn-sent.pkt",
      "tcp/handshake/unacceptable-ack-in-syn-sent.pkt",
    ],
    races: true,
  },
  {
    verdict: "kernel",
    section: "RFC 7323 §2.2, §3.2: options of a SYN/ACK only when the SYN had them",
    kernel: "repeats its SYN's options in the SYN/ACK of a simultaneous open",
    scripts: ["tcp/handshake/simultaneous-open.pkt"],
  },
  {
    verdict: "specific",
    section: "RFC 4987 §3: cookies or a limited backlog",
    kernel: "has room for one connection more than the backlog says",
    scripts: [
      "tcp/handshake/backlog.pkt",
      "tcp/handshake/cookie.pkt",
      "mptcp/handshake/cookie.pkt",
      "mptcp/handshake/cookie-with-another-key.pkt",
    ],
  },
  {
    verdict: "kernel",
    section: "RFC 9293 §3.10.7.2: an ACK that comes to a listener is answered with RST",
    kernel: "is silent to an acknowledgement whose cookie is wrong",
    scripts: ["tcp/handshake/cookie-that-is-wrong.pkt"],
  },
  {
    verdict: "specific",
    section: "RFC 9293 §3.4.2: MSL is 2 minutes, an engineering choice",
    kernel: "stays 60 s in TIME-WAIT, in coarse steps, where the script has our time",
    scripts: ["tcp/close/time-wait-ends.pkt"],
    races: true,
  },
  {
    verdict: "specific",
    section: "RFC 9293 §3.8.5 (MUST-31): urgent data, where the application takes them",
    kernel: "keeps the urgent byte out of the stream until SO_OOBINLINE asks for it",
    scripts: ["tcp/data/urgent.pkt"],
  },
  {
    verdict: "both",
    section: "RFC 2883 §4: D-SACK for data that were received twice",
    kernel: "reports a repeated FIN as a duplicate, and counts FIN in a block of SACK",
    scripts: ["tcp/close/repeated-fin-in-close-wait.pkt", "tcp/receive/fin-behind-a-gap.pkt"],
  },
  {
    verdict: "kernel",
    section: "RFC 9293 §3.10.7.4 (a segment that is not acceptable is acknowledged)",
    kernel: "is silent to data behind a FIN",
    scripts: ["tcp/close/data-behind-the-fin.pkt"],
  },
  {
    verdict: "both",
    section: "RFC 9293 §3.8.6.2.1 (SWS): PSH or half of the largest window",
    kernel: "never fills more than half of a peer's small window with one segment",
    scripts: [
      "tcp/window/lost-window-update.pkt",
      "tcp/window/zero-window-keeps-the-connection.pkt",
      "tcp/window/zero-window-probes.pkt",
      "mptcp/dss/closed-window.pkt",
    ],
  },
  {
    verdict: "both",
    section: "RFC 9293 §3.8.6.2.1",
    kernel: "sends the rest that fits into the window, 12 bytes, when it ends what was written",
    scripts: ["tcp/window/scale-of-the-peer.pkt"],
  },
  {
    verdict: "specific",
    section: "RFC 9293 §3.8.6: the size of buffers",
    kernel:
      "counts a buffer in memory, not in bytes of data, takes a segment that it has memory for, and writes by pages",
    scripts: [
      "tcp/window/answer-to-a-probe.pkt",
      "tcp/window/full-send-buffer.pkt",
      "tcp/window/more-than-fits.pkt",
      "tcp/window/no-silly-updates.pkt",
    ],
  },
  {
    verdict: "specific",
    section: "RFC 6298 §5, RFC 8985 §7: the first timeout",
    kernel: "sends a probe or waits for its own estimate where the script has our timeout of 200 ms",
    scripts: ["tcp/loss/tail-loss-probe.pkt", "tcp/loss/given-up.pkt", "tcp/user-timeout/not-by-default.pkt"],
  },
  {
    verdict: "specific",
    section: "RFC 6298 §2.4 (a minimum of 1 s is what SHOULD be)",
    kernel: "waits for its own minimum, which the inaccuracy of its timers blurs, where the script has our 200 ms",
    scripts: ["tcp/close/fin-retransmission.pkt", "tcp/loss/retransmission-timeout.pkt"],
    races: true,
  },
  {
    verdict: "both",
    section: "RFC 8985 §6.2: how long reordering is waited for follows the round trip, which real clocks blur",
    kernel: "sends a hole again at once where the measured round trip was short",
    scripts: [
      "tcp/loss/limited-transmit-with-sack.pkt",
      "tcp/loss/rack-lost-retransmission.pkt",
      "tcp/loss/rack-tolerates-reordering.pkt",
      "tcp/loss/undone-by-duplicate-sack.pkt",
    ],
    races: true,
  },
  {
    verdict: "both",
    section: "RFC 8985 §7.2: the probe's timer has a margin for delayed acknowledgements, as long as is thought right",
    kernel: "sends its probe of the tail later or earlier than the script",
    scripts: [
      "tcp/loss/duplicate-sack-is-no-block.pkt",
      "tcp/loss/tail-loss-probe-sends-new-data.pkt",
      "tcp/window/scale-above-14.pkt",
    ],
    races: true,
  },
  {
    verdict: "both",
    section: "RFC 5681 §3.1: FlightSize, or the congestion window",
    kernel: "halves the congestion window, not what is under way, at a timeout",
    scripts: ["tcp/loss/threshold-after-a-timeout.pkt"],
  },
  {
    verdict: "specific",
    section: "RFC 5961 §7 (the number is the implementation's)",
    kernel: "draws the number of challenge acknowledgements per second at random around its limit",
    scripts: ["tcp/reset/challenge-limit.pkt"],
  },
  {
    verdict: "both",
    section: "RFC 8684 §3.4.1: when to advertise is local policy",
    kernel: "advertises its addresses in answer to the third packet; we with the first acknowledgement of data",
    scripts: [
      "mptcp/addresses/advertised-after-the-first-data.pkt",
      "mptcp/addresses/advertised-in-vain.pkt",
      "mptcp/addresses/advertised-until-echoed.pkt",
      "mptcp/addresses/advertised-with-a-port.pkt",
      "mptcp/join/to-the-initial-address-denied.pkt",
    ],
  },
  {
    verdict: "both",
    section: "RFC 8684 §3.4.1: what to do with an address is local policy",
    kernel: "joins to an advertised address from the first one, also for an id that is in use",
    scripts: ["mptcp/addresses/echo.pkt", "mptcp/addresses/id-in-use.pkt"],
    races: true,
  },
  {
    verdict: "kernel",
    section: "RFC 8684 §3.4.1: several ADD_ADDR may stand in one segment",
    kernel: "takes the last one of a segment only",
    scripts: ["mptcp/addresses/several-in-one-segment.pkt"],
  },
  {
    verdict: "both",
    section: "RFC 8684 §3.4.2 (SHOULD withdraw an address that is lost)",
    kernel: "leaves addresses of an interface that is down where they are, until an endpoint is deleted",
    scripts: ["mptcp/addresses/interface-back.pkt", "mptcp/addresses/interface-down.pkt"],
  },
  {
    verdict: "both",
    section: "RFC 8684 §3.4.2 (SHOULD send keep-alives before closing)",
    kernel: "closes the subflows of a removed address at once",
    scripts: [
      "mptcp/addresses/removed-but-alive.pkt",
      "mptcp/addresses/removed-by-the-peer.pkt",
      "mptcp/addresses/removed-list.pkt",
      "mptcp/addresses/removed-zero.pkt",
    ],
  },
  {
    verdict: "both",
    section: "RFC 8684 §3.3.3: DATA_FIN is acknowledged; when, after the data before it, is left open",
    kernel:
      "acknowledges the data first and DATA_FIN by its worker a little later, with its own DATA_FIN again meanwhile",
    scripts: [
      "mptcp/close/both-data-fins-at-once.pkt",
      "mptcp/close/data-fin-again.pkt",
      "mptcp/close/data-fin-before-the-data.pkt",
      "mptcp/close/data-fin-with-checksum.pkt",
      "mptcp/close/data-fin-with-data.pkt",
      "mptcp/close/our-data-fin.pkt",
      "mptcp/close/write-after-close.pkt",
    ],
  },
  {
    verdict: "specific",
    section: "POSIX: the connection is closed, its descriptor is gone",
    kernel: "cannot be asked for MPTCP_INFO without a descriptor",
    scripts: ["mptcp/close/our-data-fin-retransmitted.pkt"],
  },
  {
    verdict: "kernel",
    section: "RFC 8684 §3.4.2, §3.7: an application learns of the end of its connection",
    kernel: "keeps a connection without subflows for the close timeout and tells the application nothing",
    scripts: ["mptcp/close/reset-of-the-only-subflow-for-good.pkt"],
  },
  {
    verdict: "kernel",
    section: "RFC 8684 §3.3.1: a mapping that contradicts an earlier one is an error",
    kernel: "drops a second copy of bytes with another mapping as a duplicate of the subflow",
    scripts: ["mptcp/dss/contradiction.pkt"],
  },
  {
    verdict: "both",
    section: "RFC 8684 §3.3: the checksum is there when it was negotiated, and only then",
    kernel: "falls back at a checksum that nobody asked for",
    scripts: ["mptcp/dss/checksum-that-nobody-asked-for.pkt"],
  },
  {
    verdict: "both",
    section: "RFC 8684 §3.3.6 (timers of the data level are the implementation's)",
    kernel: "sends data again at data level by its own timer, without keep-alives before",
    scripts: ["mptcp/dss/data-level-retransmission.pkt", "mptcp/join/timeout-moves-the-data.pkt"],
  },
  {
    verdict: "kernel",
    section: "RFC 8684 §3.3.1: a mapping may be declared for bytes that are still to come",
    kernel: "knows a mapping only from a segment with data; else it falls back (or resets)",
    scripts: [
      "mptcp/dss/mapping-ahead.pkt",
      "mptcp/dss/mapping-declared-late.pkt",
      "mptcp/dss/two-mappings-in-one-segment.pkt",
    ],
  },
  {
    verdict: "kernel",
    section: "RFC 8684 §3.7: MP_FAIL names the first byte that failed, and the peer answers with an infinite mapping",
    kernel:
      "names in its answer the beginning of what it has received, and falls back silently at a wrong checksum of the first data",
    scripts: ["mptcp/fallback/mp-fail-received.pkt", "mptcp/fallback/wrong-checksum.pkt"],
  },
  {
    verdict: "kernel",
    section: "RFC 8684 §3.1: flags D to G are ignored by who does not know them",
    kernel: "takes a SYN or SYN/ACK with other flags than A, C and H as plain TCP",
    scripts: ["mptcp/handshake/other-flags-are-ignored.pkt", "mptcp/handshake/other-flags-in-the-syn-ack.pkt"],
  },
  {
    verdict: "specific",
    section: "RFC 8684 §3.1: the third packet is sent again until there is an answer",
    kernel: "repeats the third packet only with data",
    scripts: ["mptcp/handshake/third-ack-by-the-timer.pkt"],
  },
  {
    verdict: "kernel",
    section: "RFC 8684 §3.1: keys are echoed so that they can be verified",
    kernel: "does not look at the echo of its key in the third packet",
    scripts: ["mptcp/handshake/wrong-echo-of-the-key.pkt"],
  },
  {
    verdict: "kernel",
    section: "RFC 8684 §3.7: a joined subflow whose data are acknowledged without DATA_ACK is reset",
    kernel: "goes on with it",
    scripts: ["mptcp/join/acknowledgement-without-dss.pkt"],
  },
  {
    verdict: "specific",
    section: "RFC 8684 §3.2: how many subflows a host takes is its policy",
    kernel: "refuses a subflow over the limit when its third packet comes, not at its SYN",
    scripts: ["mptcp/join/limit.pkt"],
  },
  {
    verdict: "both",
    section: "RFC 9293 §3.5.2: a RST has the sequence number of the acknowledgement, or acknowledges",
    kernel: "resets a join with a wrong HMAC or without one by a RST that acknowledges nothing",
    scripts: ["mptcp/join/third-ack-without-the-option.pkt", "mptcp/join/wrong-hmac.pkt"],
  },
  {
    verdict: "kernel",
    section: "RFC 8684 §3.2: it is the token that finds the connection, not the port",
    kernel: "resets a join to a port on which nobody listens",
    scripts: ["mptcp/join/to-a-port-without-a-listener.pkt"],
  },
  {
    verdict: "both",
    section:
      "RFC 7413 §4.2.1 leaves open how much of the data goes with the SYN, and RFC 9293 §3.9.1.2 what a call takes",
    kernel: "keeps room for all options on the SYN, and takes of the application what the SYN carries",
    scripts: ["tcp/fast-open/more-than-a-segment.pkt"],
  },
  {
    verdict: "both",
    section: "RFC 9293 §3.5: the third segment may carry data",
    kernel: "sends the data of a call that waited with the third segment",
    scripts: ["tcp/fast-open/blocking-send.pkt"],
  },
  {
    verdict: "both",
    section: "RFC 5482 (optional)",
    kernel: "has no User Timeout option; its setting is not the kernel's",
    scripts: [
      "tcp/user-timeout/adopted.pkt",
      "tcp/user-timeout/changed.pkt",
      "tcp/user-timeout/reserved-value.pkt",
      "tcp/user-timeout/told.pkt",
    ],
  },
  {
    verdict: "kernel",
    section:
      "RFC 8684 §3.1, §3.3: data that the SYN/ACK did not acknowledge are the first of the data sequence, and need a mapping",
    kernel: "sends data of the SYN again without a mapping",
    scripts: [
      "mptcp/fast-open/data-refused.pkt",
      "mptcp/fast-open/data-refused-checksum.pkt",
      "mptcp/fast-open/part-of-the-data-checksum.pkt",
    ],
  },
  {
    verdict: "both",
    section: "RFC 8684, appendix B: nothing is said of checksums for what stands before the data sequence",
    kernel: "takes data of the SYN without a checksum also where it asks for checksums itself",
    scripts: ["mptcp/fast-open/listener-asks-for-checksums.pkt"],
  },
  {
    verdict: "both",
    section: "RFC 3168 §6.1.2, RFC 6937 §3: the window is halved within a round trip",
    kernel: "reduces the window to its threshold bit by bit, by PRR also for marks",
    scripts: ["tcp/ecn/no-growth-while-echoed.pkt"],
  },
  {
    verdict: "kernel",
    section: "RFC 3168 §6.1.1: who has sent a SYN that does not ask marks no data",
    kernel: "marks data when the first of two SYNs had asked and the SYN/ACK grants it",
    scripts: ["tcp/ecn/answer-after-a-second-syn.pkt"],
  },
  {
    verdict: "both",
    section:
      "RFC 8684 §3.3.1: a mapping may span several segments; RFC 9293 §3.8.6.2.1: how data are cut is the sender's",
    kernel: "declares one mapping for what is written at once, and cuts by half of the largest window",
    scripts: [
      "mptcp/addresses/signals-are-no-duplicates.pkt",
      "mptcp/dss/window-without-data-ack.pkt",
      "mptcp/handshake/mapping-on-every-segment.pkt",
    ],
  },
  {
    verdict: "both",
    section:
      "RFC 8684 §3.1, §3.7: a SYN that comes once more without MP_CAPABLE; the third packet decides what the connection speaks",
    kernel: "repeats its SYN/ACK with MP_CAPABLE to a repeated SYN without it",
    scripts: ["mptcp/fallback/repeated-syn-without-the-option.pkt", "mptcp/fallback/third-packet-decides.pkt"],
  },
];
