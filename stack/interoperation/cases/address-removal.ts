/** REMOVE_ADDR (RFC 8684 §3.4.2): addresses that go, in order, during a transfer, all at once, and come back. */

import type { Case } from "../case.ts";
import { assert, carries, counters, countersOf, established, joined, speaksMptcp, subflows } from "../expectations.ts";
import { interfaceName, ipAddress, type Passing } from "../fabric.ts";
import { mptcpPresent } from "../../wire/mptcp-options.ts";
import { endpoint, ofKernel, ofOurs } from "./further-addresses.ts";

const isRemoval = ({ segment: { mptcp } }: Passing): boolean => mptcp.has(mptcpPresent.removeAddress);

export const addressRemovals: readonly Case[] = [
  {
    name: "the kernel removes its further address",
    lab: (ours) => ofKernel(2, ours),
    async run(lab) {
      await joined(lab, 1);
      await lab.ip("mptcp endpoint delete id 1");
      await counters(lab, { RmAddrTx: 1, RmSubflow: 1 });
      await subflows(lab, 1);
      await carries(lab);
    },
  },
  {
    name: "our stack removes its further address",
    lab: (ours) => ofOurs(2, ours),
    async run(lab) {
      await joined(lab, 1);
      await lab.ourCable(2, "down");
      await counters(lab, { RmAddr: 1 });
      await subflows(lab, 1);
      await carries(lab);
    },
  },
  {
    name: "REMOVE_ADDR from our stack is lost during a transfer: the bytes arrive all the same",
    lab: (ours) => ofOurs(2, ours),
    async run(lab) {
      await joined(lab, 1);
      let lost = false;
      lab.fabric.rule((passing) => {
        if (!isRemoval(passing)) return true;
        lost = true;
        return false;
      });
      lab.client.send(1 << 20);
      lab.server.send(1 << 20);
      await lab.ourCable(2, "down");
      await lab.until("REMOVE_ADDR is lost", () => lost);
      await lab.delivered();
      await lab.transfer({ up: 100_000, down: 100_000 });
      await speaksMptcp(lab);
      await counters(lab, { RmAddr: 0 });
    },
  },
  {
    name: "the kernel removes all its further addresses",
    lab: (ours) => ofKernel(3, ours),
    async run(lab) {
      const lists = lab.fabric.count(
        ({ segment: { mptcp } }) => mptcp.has(mptcpPresent.removeAddress) && mptcp.removeAddressCount === 2,
      );
      await joined(lab, 2);
      await lab.ip("mptcp endpoint flush");
      await subflows(lab, 1);
      await counters(lab, { RmSubflow: 2 });
      // What was never signalled is not withdrawn with REMOVE_ADDR either: the subflows just end.
      if (lab.oursIsClient) assert(lists.segments > 0, lab, "no list of two on the wire");
      await carries(lab);
    },
  },
  {
    name: "our stack removes all its further addresses",
    lab: (ours) => ofOurs(3, ours),
    async run(lab) {
      await joined(lab, 2);
      await lab.ourCable(2, "down");
      // One after the other: while its worker has the first to do, the kernel drops a second (RmAddrDrop).
      await counters(lab, { RmAddr: 1 });
      await lab.ourCable(3, "down");
      await counters(lab, { RmAddr: 2 });
      await subflows(lab, 1);
      await carries(lab);
    },
  },
  {
    name: "our stack removes two addresses with one list",
    lab: (ours) => ofOurs(3, ours),
    async run(lab) {
      const lists = lab.fabric.count(
        ({ segment: { mptcp } }) => mptcp.has(mptcpPresent.removeAddress) && mptcp.removeAddressCount === 2,
      );
      await joined(lab, 2);
      lab.ours.loseInterfaces(2, 3);
      await counters(lab, { RmAddr: 2 });
      assert(lists.segments === 1, lab, `${lists.segments} lists of two on the wire`);
      await subflows(lab, 1);
      await carries(lab);
    },
  },
  {
    name: "the kernel removes its initial address, id 0",
    lab: (ours) => ofKernel(2, ours),
    async run(lab) {
      await joined(lab, 1);
      await lab.ip(`mptcp endpoint delete id 0 ${lab.address(lab.kernelRole, 1)}`);
      await counters(lab, { RmAddrTx: 1 });
      await subflows(lab, 1);
      await carries(lab);
    },
  },
  {
    name: "our stack removes its initial address, id 0",
    lab: (ours) => ofOurs(2, ours),
    async run(lab) {
      await joined(lab, 1);
      await lab.ourCable(1, "down");
      await counters(lab, { RmAddr: 1 });
      await subflows(lab, 1);
      await carries(lab);
    },
  },
  {
    name: "our stack removes an address that it never had",
    lab: { clientAddresses: 2 },
    async run(lab) {
      await joined(lab, 1);
      lab.ours.withdraw(77);
      await counters(lab, { RmAddr: 1, RmSubflow: 0 });
      await lab.transfer({ up: 100_000, down: 100_000 });
      assert(established(lab) === 2, lab, "a subflow was lost");
      await carries(lab);
    },
  },
  {
    name: "an address is removed during a transfer",
    lab: (ours) => ofOurs(2, ours),
    async run(lab) {
      await joined(lab, 1);
      lab.client.send(3 << 20);
      lab.server.send(3 << 20);
      await lab.until("the transfer is under way", () => lab.ourStream.received.bytes > 100_000);
      await lab.ourCable(2, "down");
      await lab.delivered();
      await counters(lab, { RmAddr: 1 });
      await carries(lab);
    },
  },
  {
    name: "the kernel deletes an endpoint and adds it again",
    lab: (ours) => ofKernel(2, ours),
    async run(lab) {
      await joined(lab, 1);
      await lab.ip("mptcp endpoint delete id 1");
      await subflows(lab, 1);
      await lab.ip(`mptcp endpoint add ${endpoint(lab, 2)}`);
      await countersOf(lab, { server: { MPJoinAckRx: 2 }, client: { MPJoinSynAckRx: 2 } });
      await subflows(lab, 2);
      await carries(lab);
    },
  },
  {
    name: "the kernel deletes an endpoint and adds it again, three times during a transfer",
    lab: (ours) => ofKernel(2, ours),
    async run(lab) {
      await joined(lab, 1);
      for (let times = 1; times <= 3; times++) {
        lab.client.send(1 << 20);
        lab.server.send(1 << 20);
        await lab.ip("mptcp endpoint delete id 1");
        await lab.until("the subflow has ended", () => established(lab) === 1);
        await lab.ip(`mptcp endpoint add ${endpoint(lab, 2)} id 1`);
        await countersOf(lab, { server: { MPJoinAckRx: 1 + times }, client: { MPJoinSynAckRx: 1 + times } });
        await lab.delivered();
      }
      await carries(lab);
    },
  },
  {
    name: "the kernel flushes its endpoints and adds them again",
    lab: (ours) => ofKernel(3, ours),
    async run(lab) {
      await joined(lab, 2);
      await lab.ip("mptcp endpoint flush");
      await subflows(lab, 1);
      await lab.ip(`mptcp endpoint add ${endpoint(lab, 2)}`);
      await lab.ip(`mptcp endpoint add ${endpoint(lab, 3)}`);
      await countersOf(lab, { server: { MPJoinAckRx: 4 }, client: { MPJoinSynAckRx: 4 } });
      await subflows(lab, 3);
      await carries(lab);
    },
  },
  {
    name: "the kernel deletes the endpoint of its initial address and adds it again",
    lab: (ours) => ({
      ...ofKernel(2, ours),
      kernel: {
        endpoints: [1, 2].map((index) => {
          const port = { role: ours === "client" ? ("server" as const) : ("client" as const), index };
          return `${ipAddress(port)} dev ${interfaceName(port)} id ${index} ${ours === "client" ? "signal" : "subflow"}`;
        }),
      },
    }),
    async run(lab) {
      await joined(lab, 1);
      await lab.ip("mptcp endpoint delete id 1");
      await counters(lab, { RmAddrTx: 1 });
      await subflows(lab, 1);
      await lab.ip(`mptcp endpoint add ${endpoint(lab, 1)} id 1`);
      await countersOf(lab, { server: { MPJoinAckRx: 2 }, client: { MPJoinSynAckRx: 2 } });
      await subflows(lab, 2);
      await carries(lab);
    },
  },
  {
    name: "our interface goes down and comes back",
    lab: (ours) => ofOurs(2, ours),
    async run(lab) {
      await joined(lab, 1);
      await lab.ourCable(2, "down");
      await counters(lab, { RmAddr: 1 });
      await lab.ourCable(2, "up");
      await countersOf(lab, { server: { MPJoinAckRx: 2 }, client: { MPJoinSynAckRx: 2 } });
      await subflows(lab, 2);
      await carries(lab);
    },
  },
  {
    name: "our interface goes down and comes back three times",
    lab: (ours) => ofOurs(2, ours),
    async run(lab) {
      await joined(lab, 1);
      for (let times = 1; times <= 3; times++) {
        await lab.ourCable(2, "down");
        await counters(lab, { RmAddr: times });
        await lab.ourCable(2, "up");
        await countersOf(lab, { server: { MPJoinAckRx: 1 + times }, client: { MPJoinSynAckRx: 1 + times } });
        await subflows(lab, 2);
      }
      await carries(lab);
    },
  },
  {
    name: "break before make: our client loses all its addresses and gets them back",
    without: { server: "the kernel's client makes no subflows anew" },
    lab: { clientAddresses: 2 },
    async run(lab) {
      await joined(lab, 1);
      await lab.ourCable(2, "down");
      await counters(lab, { RmAddr: 1 });
      await lab.ourCable(1, "down");
      lab.server.send(100_000);
      await lab.ourCable(2, "up");
      await lab.delivered();
      await speaksMptcp(lab);
      await lab.finish();
    },
  },
];
