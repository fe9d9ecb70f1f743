/** One subflow: who sends how much, and in which order the two directions end. */

import type { Case, CaseGroup } from "../case.ts";
import { assert, counters, countersOf, speaksMptcp, speaksTcp } from "../expectations.ts";

const much = 400_000;
const handshake = {
  server: { MPCapableSYNRX: 1, MPCapableACKRX: 1, MPCapableFallbackACK: 0 },
  client: { MPCapableSYNTX: 1, MPCapableSYNACKRX: 1, MPCapableFallbackSYNACK: 0 },
};

function transfer(name: string, up: number, down: number): Case {
  return {
    name,
    async run(lab) {
      await lab.connect();
      await lab.transfer({ up, down });
      await speaksMptcp(lab);
      await lab.finish();
      await countersOf(lab, handshake);
    },
  };
}

const cases: Case[] = [
  transfer("bytes from client to server", much, 0),
  transfer("bytes from server to client, which says nothing", 0, much),
  transfer("bytes both ways at once", much, much),
  transfer("one byte each way", 1, 1),
  transfer("4 MiB both ways at once", 4 << 20, 4 << 20),
  {
    name: "a connection without a byte ends in order",
    async run(lab) {
      await lab.connect();
      await lab.finish();
      await countersOf(lab, handshake);
    },
  },
  ...(["client", "server"] as const).map((first): Case => ({
    name: `half-close: the ${first} ends, the other still sends`,
    async run(lab) {
      await lab.connect();
      const [early, late] = first === "client" ? [lab.client, lab.server] : [lab.server, lab.client];
      early.send(50_000);
      early.end();
      await lab.until("the end is seen", () => late.remoteEnded);
      late.send(much);
      await lab.delivered();
      assert(!early.closed, lab, "closed before the other direction ended");
      late.end();
      await lab.until("both ends are closed", () => early.closed && late.closed);
      assert(early.error === undefined && late.error === undefined, lab, "an error at the end");
      await countersOf(lab, handshake);
    },
  })),
  {
    name: "both end in the same moment, with bytes still to go",
    async run(lab) {
      await lab.connect();
      lab.client.send(much);
      lab.server.send(much);
      await lab.finish();
      await lab.delivered();
      await countersOf(lab, handshake);
    },
  },
  {
    name: "a reader that stops closes the window, and opens it again",
    lab: { our: { receiveBufferBytes: 200_000, sendBufferBytes: 8 << 20 } },
    async run(lab) {
      await lab.connect();
      lab.kernelStream.pause();
      lab.ourStream.pause();
      // More than the largest of the buffers that lie between the two: some of it has to wait.
      lab.ourStream.send(12 << 20);
      lab.kernelStream.send(2 << 20);
      const window = (): boolean => lab.ours.info.sendWindow < 20_000 && lab.ours.info.receiveWindow < 20_000;
      await lab.until("both windows are closed", window);
      assert(
        lab.kernelStream.received.bytes < 12 << 20 && lab.ourStream.received.bytes < 2 << 20,
        lab,
        "nothing had to wait",
      );
      lab.kernelStream.resume();
      lab.ourStream.resume();
      await lab.delivered();
      await lab.finish();
      await countersOf(lab, handshake);
    },
  },
  {
    name: "eight connections at a time",
    async run(lab) {
      await lab.listen();
      for (let i = 0; i < 8; i++) lab.begin();
      const both = [lab.ours, lab.kernel];
      await lab.until("all are connected", () =>
        both.every(({ streams }) => streams.length === 8 && streams.every(({ connected }) => connected)),
      );
      for (const { streams } of both) for (const stream of streams) stream.send(60_000);
      await lab.until("all bytes arrived", () =>
        both.every(({ streams }) => streams.every(({ received }) => received.bytes === 60_000)),
      );
      const hashes = both.map(({ streams }) => new Set(streams.map(({ received }) => received.sha256)));
      assert(hashes.every(({ size }) => size === 1) && !hashes[0]!.has([...hashes[1]!][0]!), lab, "wrong bytes");
      await counters(lab, { MPCurrEstab: 8 });
    },
  },
  {
    name: "the kernel's socket is plain TCP",
    lab: { kernel: { mptcp: false } },
    async run(lab) {
      await lab.connect();
      await lab.transfer({ up: much, down: much });
      await speaksTcp(lab);
      await lab.finish();
      await counters(lab, { MPCapableSYNRX: 0, MPCapableSYNTX: 0 });
    },
  },
  {
    name: "our stack has MPTCP switched off",
    lab: { our: { mptcp: false } },
    async run(lab) {
      await lab.connect();
      await lab.transfer({ up: much, down: much });
      await speaksTcp(lab);
      await lab.finish();
      await countersOf(lab, {
        server: { MPCapableSYNRX: 0 },
        client: { MPCapableSYNTX: 1, MPCapableFallbackSYNACK: 1 },
      });
    },
  },
];

export const transfers: CaseGroup = { title: "One subflow", cases };
