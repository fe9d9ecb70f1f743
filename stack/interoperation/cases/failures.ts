/** Ends before their time: fast close, resets, paths that go silent and come back, loss. */

import type { Case, CaseGroup } from "../case.ts";
import {
  assert,
  atLeast,
  carries,
  connected,
  counters,
  joined,
  payloadOver,
  speaksMptcp,
  subflows,
} from "../expectations.ts";
import type { Role } from "../fabric.ts";
import type { Lab } from "../lab.ts";
import { tcpFlag } from "../../wire/tcp-segment.ts";
import { makeReset } from "../surgery.ts";

const bulk = 2 << 20;

type FastCloseForm = "reset" | "acknowledgement";

function fastClose(who: "our stack" | "the kernel", further: number, form: FastCloseForm = "reset"): Case {
  const on = form === "acknowledgement" ? " on acknowledgements" : "";
  return {
    name: `fast close by ${who}${on}, ${further === 0 ? "one subflow" : `${further + 1} subflows`}`,
    lab: { clientAddresses: 1 + further, our: { fastClose: form } },
    async run(lab) {
      if (further > 0) await joined(lab, further);
      else await connected(lab);
      if (who === "our stack") {
        lab.ourStream.abort();
        await atLeast(lab, { MPFastcloseRx: 1 }); // On each subflow; the first to arrive ends them all.
        await lab.until("the kernel's application is told", () => lab.kernelStream.closed);
        assert(lab.kernelStream.error === "ECONNRESET", lab, `told ${lab.kernelStream.error}`);
        await counters(lab, { MPCurrEstab: 0 });
        return;
      }
      lab.kernelStream.pause();
      const before = lab.kernelStream.received.bytes;
      lab.ourStream.send(bulk);
      // More than the one chunk, of at most 64 KiB, that a paused socket still takes.
      await lab.until("the kernel holds bytes that nobody reads", () => lab.ours.info.bytesAcked > before + 70_000);
      lab.kernelStream.abort();
      await lab.until("our application is told", () => lab.ourStream.closed);
      assert(lab.ourStream.error === "ECONNRESET", lab, `told ${lab.ourStream.error}`);
      await lab.until("MP_FASTCLOSE was sent", () => lab.counters().MPFastcloseTx! > 0);
    },
  };
}

/** A transfer each way is under way: so much of it has not arrived yet. */
async function underWay(lab: Lab): Promise<void> {
  lab.client.send(bulk);
  lab.server.send(bulk);
  await lab.until(
    "the transfer is under way",
    () => lab.client.received.bytes > 50_000 && lab.server.received.bytes > 50_000,
  );
}

/** Keeps bytes going both ways until `done`. */
async function busyUntil(lab: Lab, what: string, done: () => boolean): Promise<void> {
  await lab.until(what, () => {
    if (lab.server.received.bytes === lab.client.sent) lab.client.send(1 << 20);
    if (lab.client.received.bytes === lab.server.sent) lab.server.send(1 << 20);
    return done();
  });
}

/** The path goes silent with bytes of `sender` in flight on it: with the first segment of payload that the sender puts there. */
async function silenceUnder(lab: Lab, sender: Role, path: number): Promise<void> {
  let silent = false;
  const stop = lab.fabric.rule(({ from, to, segment }) => {
    const isHit = from.role === sender && (sender === "client" ? from : to).index === path && segment.payloadLength > 0;
    if (isHit && !silent) {
      silent = true;
      lab.fabric.cut({ role: "client", index: path });
    }
    return !isHit;
  });
  await busyUntil(lab, "the path carries bytes", () => silent);
  stop();
}

/** The path that carries everything goes silent: its sender gives it up for the time being, and uses it again when it answers. */
function stale(who: "our stack" | "the kernel"): Case {
  return {
    name: `a silent path is found stale by ${who}, and used again when it is back`,
    lab: { clientAddresses: 2 },
    async run(lab) {
      await joined(lab, 1);
      // The other path is backup for both: whatever is sent next is sent on the second, and only its silence changes that.
      lab.ours.setBackup(lab.ourSubflow(1), true);
      await counters(lab, { MPPrioRx: 1 });
      const sender = who === "our stack" ? lab.options.ours : lab.kernelRole;
      await silenceUnder(lab, sender, 2);
      await busyUntil(lab, "the path is found stale", () =>
        who === "our stack" ? lab.ourSubflow(2).stale : lab.counters().SubflowStale! > 0,
      );
      lab.fabric.mend({ role: "client", index: 2 });
      await busyUntil(lab, "the path is active again", () =>
        who === "our stack" ? !lab.ourSubflow(2).stale : lab.counters().SubflowRecover! > 0,
      );
      const again = payloadOver(lab, 2, sender);
      await busyUntil(lab, "the path is used again", () => again.payloadBytes > 0);
      await lab.delivered();
      await carries(lab);
    },
  };
}

function silence(path: number, direction: "from" | "both"): Case {
  return {
    name: `the ${path === 1 ? "initial" : "second"} path goes silent in ${direction === "both" ? "both directions" : "one direction"} during a transfer`,
    lab: { clientAddresses: 2 },
    async run(lab) {
      await joined(lab, 1);
      await underWay(lab);
      lab.fabric.cut({ role: "client", index: path }, direction);
      await lab.delivered();
      await lab.transfer({ up: 200_000, down: 200_000 });
      await speaksMptcp(lab);
    },
  };
}

function reset(path: number, toward: "client" | "server"): Case {
  return {
    name: `the ${path === 1 ? "initial" : "second"} subflow is reset toward the ${toward} during a transfer`,
    lab: { clientAddresses: 2 },
    async run(lab) {
      await joined(lab, 1);
      await underWay(lab);
      let done = false;
      lab.fabric.rule((passing) => {
        const client = passing.from.role === "client" ? passing.from : passing.to;
        const { segment } = passing;
        const isPlainAck = segment.flags === tcpFlag.ack && segment.payloadLength === 0;
        if (done || client.index !== path || passing.to.role !== toward || !isPlainAck) return true;
        makeReset(passing);
        done = true;
        return true;
      });
      await lab.until("a segment was made a reset", () => {
        if (!done && lab.client.received.bytes === lab.server.sent) {
          lab.client.send(100_000);
          lab.server.send(100_000);
        }
        return done;
      });
      await lab.delivered();
      await lab.transfer({ up: 200_000, down: 200_000 });
      await speaksMptcp(lab);
    },
  };
}

const cases: Case[] = [
  fastClose("our stack", 0),
  fastClose("our stack", 1),
  fastClose("our stack", 0, "acknowledgement"),
  fastClose("our stack", 1, "acknowledgement"),
  fastClose("the kernel", 0),
  fastClose("the kernel", 1),
  silence(2, "both"),
  silence(2, "from"),
  silence(1, "both"),
  silence(1, "from"),
  stale("our stack"),
  stale("the kernel"),
  {
    name: "the cable of our second path is pulled during a transfer, and put back",
    lab: (ours) => (ours === "client" ? { clientAddresses: 2 } : { serverAddresses: 2 }),
    async run(lab) {
      await joined(lab, 1);
      await underWay(lab);
      await lab.ourCable(2, "down");
      await lab.delivered();
      await counters(lab, { RmAddr: 1 });
      await lab.ourCable(2, "up");
      await subflows(lab, 2);
      await carries(lab);
    },
  },
  {
    name: "the cable of the kernel's second path is pulled during a transfer",
    lab: (ours) => (ours === "server" ? { clientAddresses: 2 } : { serverAddresses: 2 }),
    async run(lab) {
      await joined(lab, 1);
      await underWay(lab);
      await lab.cable({ role: lab.kernelRole, index: 2 }, "down");
      await lab.delivered();
      await lab.transfer({ up: 200_000, down: 200_000 });
      await speaksMptcp(lab);
    },
  },
  reset(2, "client"),
  reset(2, "server"),
  reset(1, "client"),
  reset(1, "server"),
  {
    name: "one segment of fifty is lost on both paths, each way",
    lab: { clientAddresses: 2 },
    async run(lab) {
      await joined(lab, 1);
      let passed = 0;
      lab.fabric.rule(({ segment }) => segment.payloadLength === 0 || ++passed % 50 !== 0);
      await lab.transfer({ up: 700_000, down: 700_000 });
      await carries(lab);
    },
  },
  {
    name: "one acknowledgement of three is lost on both paths",
    lab: { clientAddresses: 2 },
    async run(lab) {
      await joined(lab, 1);
      let passed = 0;
      lab.fabric.rule(
        ({ segment }) => segment.flags !== tcpFlag.ack || segment.payloadLength > 0 || ++passed % 3 !== 0,
      );
      await lab.transfer({ up: bulk, down: bulk });
      await carries(lab);
    },
  },
];

export const failures: CaseGroup = { title: "Failures", cases };
