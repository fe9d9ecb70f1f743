import { expect } from "chai";
import { runAllOnKernel } from "./kernel-run.ts";

/** A part of kernel.on-demand.ts that is over in seconds and looks at no fine times: both roles, each kind of handshake, joins, fallback, ends. */
const scripts = [
  "tcp/handshake/passive-open.pkt",
  "tcp/handshake/active-open-plain-answer.pkt",
  "tcp/handshake/closed-port-reset.pkt",
  "tcp/data/request-and-response.pkt",
  "tcp/fast-open/data-on-the-syn.pkt",
  "tcp/fast-open/listener-takes-the-data.pkt",
  "mptcp/fast-open/listener-takes-the-data.pkt",
  "tcp/close/passive.pkt",
  "tcp/receive/blocks-join.pkt",
  "tcp/reset/with-data.pkt",
  "tcp/ipv6/passive-open.pkt",
  "mptcp/handshake/passive-open.pkt",
  "mptcp/handshake/active-open.pkt",
  "mptcp/handshake/third-ack-with-data.pkt",
  "mptcp/dss/long-numbers.pkt",
  "mptcp/dss/half-of-it-known.pkt",
  "mptcp/join/accepted.pkt",
  "mptcp/join/backup.pkt",
  "mptcp/ipv6/join.pkt",
  "mptcp/join/unknown-token.pkt",
  "mptcp/fallback/infinite-mapping.pkt",
  "mptcp/close/our-fast-close.pkt",
];
const scriptsAtOnce = 4;

describe("scripts on the Linux kernel", function () {
  this.timeout(300_000);
  let outcomes: ReturnType<typeof runAllOnKernel>;

  before(() => {
    outcomes = runAllOnKernel(scripts, scriptsAtOnce);
  });

  for (const file of scripts) {
    it(file, async () => {
      const outcome = await outcomes.get(file)!;
      expect(outcome.result === "same" ? "" : outcome.message).to.equal("");
    });
  }
});
