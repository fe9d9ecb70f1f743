/** ADD_ADDR (RFC 8684 §3.4.1): signalled, lost, wrong, from nobody. */

import type { Case, CaseGroup } from "../case.ts";
import { assert, atLeast, carries, connected, counters, countersOf, joins, subflows } from "../expectations.ts";
import { type Family, interfaceName, ipAddress, type Passing, type Port } from "../fabric.ts";
import type { Lab } from "../lab.ts";
import { mptcpPresent, mptcpSubtype } from "../../wire/mptcp-options.ts";
import { tcpFlag, type TcpSegment } from "../../wire/tcp-segment.ts";
import { flip, makeReset, optionOffset } from "../surgery.ts";
import { addressRemovals } from "./address-removal.ts";
import { endpoint, ofKernel, ofOurs } from "./further-addresses.ts";

const nobody = "10.77.99.99";

const impossible = ["127.0.0.7", "224.0.0.7"];

const isJoinSyn = (segment: TcpSegment): boolean => segment.has(tcpFlag.syn) && segment.mptcp.has(mptcpPresent.join);
const isToSecondOfServer = ({ to, segment }: Passing): boolean =>
  to.role === "server" && to.index === 2 && isJoinSyn(segment);
const isAddAddress = ({ segment: { mptcp } }: Passing): boolean =>
  mptcp.has(mptcpPresent.addAddress) && !mptcp.addAddress.echo;
const isEcho = ({ segment: { mptcp } }: Passing): boolean =>
  mptcp.has(mptcpPresent.addAddress) && mptcp.addAddress.echo;

/** Loses the first segment that matches. */
function loseFirst(lab: Lab, matches: (passing: Passing) => boolean): void {
  let lost = false;
  lab.fabric.rule((passing) => {
    if (lost || !matches(passing)) return true;
    lost = true;
    return false;
  });
}

/** So many addresses were signalled by the server and echoed by the client; on a slow machine some of them twice. */
async function signalled(lab: Lab, number: number): Promise<void> {
  await atLeast(
    lab,
    lab.oursIsClient ? { AddAddrTx: number, EchoAdd: number } : { AddAddr: number, EchoAddTx: number },
  );
}

/** ADD_ADDR with IPv6 address, port and HMAC has no room beside timestamps (RFC 8684 §3.4.1): with them the kernel says nothing (AddAddrTxDrop). */
function signalledPorts(family: Family, number: number): Case {
  const servers: Port[] = Array.from({ length: number }, (_, i) => ({ role: "server", index: 2 + i, family }));
  return {
    name: `${number === 1 ? "ADD_ADDR with a port" : `${number} ADD_ADDR with ports`} of ${number === 1 ? "its" : "their"} own, ${family === "ipv4" ? "IPv4" : "IPv6"}`,
    without: { server: "our stack signals no ports" },
    lab: {
      serverAddresses: 1 + number,
      ...(family === "ipv6" && { ipv6: "all" }),
      kernel: {
        ...(family === "ipv6" && { sysctls: { "net.ipv4.tcp_timestamps": 0 } }),
        endpoints: servers.map(
          (port) => `${ipAddress(port)} dev ${interfaceName(port)} port ${7100 + port.index} signal`,
        ),
      },
    },
    async run(lab) {
      await connected(lab);
      await joins(lab, number);
      await counters(lab, { MPJoinPortSynRx: number, MPJoinPortAckRx: number });
      await carries(lab);
    },
  };
}

/** Two addresses of whichever side the kernel (or our stack) is, one of the other. */

const cases: Case[] = [
  {
    name: "an address is signalled to a client that has sent its first bytes and is silent",
    lab: { serverAddresses: 2 },
    async run(lab) {
      // Without the fourth ACK the first bytes come with MP_CAPABLE: no DSS follows (RFC 8684 §3.1).
      let silent = true;
      lab.fabric.rule(({ from, segment }) => {
        if (from.role === "client" && segment.payloadLength > 0) silent = false;
        return !silent || from.role === "client" || segment.has(tcpFlag.syn);
      });
      await lab.connect();
      await lab.transfer({ up: 1000 });
      await signalled(lab, 1);
      await joins(lab, 1);
    },
  },
  ...[1, 2, 3].map((number): Case => ({
    name: `${number === 1 ? "one signalled address" : `${number} signalled addresses`}, each joined`,
    lab: { serverAddresses: 1 + number },
    async run(lab) {
      await connected(lab);
      await signalled(lab, number);
      await joins(lab, number);
      await carries(lab);
    },
  })),
  {
    name: "a signalled address that the kernel may not accept is echoed and left alone",
    without: { client: "the kernel's server accepts no signals" },
    lab: { serverAddresses: 2, kernel: { addressesAccepted: 0 } },
    async run(lab) {
      await connected(lab);
      await signalled(lab, 1);
      await carries(lab);
      await counters(lab, { MPJoinSynTx: 0 });
    },
  },
  {
    name: "three signalled addresses, the kernel accepting two",
    without: { client: "the kernel's server accepts no signals" },
    lab: { serverAddresses: 4, kernel: { addressesAccepted: 2 } },
    async run(lab) {
      await connected(lab);
      await atLeast(lab, { AddAddr: 3 });
      await joins(lab, 2);
      await carries(lab);
    },
  },
  {
    name: "three signalled addresses, our stack accepting one",
    without: { server: "our stack is the one that signals: the case above" },
    lab: { serverAddresses: 4, our: { maximumAddressesAccepted: 1 } },
    async run(lab) {
      await connected(lab);
      await signalled(lab, 3);
      await joins(lab, 1);
      await carries(lab);
      await counters(lab, { MPJoinSynRx: 1 });
    },
  },
  {
    name: "SYNs to a signalled address vanish",
    lab: { serverAddresses: 2 },
    async run(lab) {
      const tried = lab.fabric.count(isToSecondOfServer);
      lab.fabric.rule((passing) => !isToSecondOfServer(passing));
      await connected(lab);
      await signalled(lab, 1);
      await lab.until("it is tried", () => tried.segments > 0);
      await carries(lab);
      await counters(lab, { MPJoinSynRx: 0, MPJoinSynAckRx: 0 });
    },
  },
  {
    name: "joins to a signalled address are reset",
    lab: { serverAddresses: 2 },
    async run(lab) {
      let resets = 0;
      lab.fabric.rule((passing) => {
        const { from, segment } = passing;
        if (from.role === "server" && from.index === 2 && segment.has(tcpFlag.syn)) {
          resets++;
          makeReset(passing);
        }
        return true;
      });
      await connected(lab);
      await signalled(lab, 1);
      await lab.until("it is reset", () => resets > 0);
      await carries(lab);
      await counters(lab, { MPJoinAckRx: 0, MPJoinSynAckRx: 0 });
    },
  },
  {
    name: "signalled addresses that no host can have: loopback and multicast",
    lab: (ours) => ({
      kernel: { endpoints: ours === "client" ? impossible.map((address) => `${address} signal`) : [] },
    }),
    async run(lab) {
      const strays = lab.fabric.count(({ segment }) => isJoinSyn(segment));
      await connected(lab);
      if (!lab.oursIsClient) impossible.forEach((address, i) => lab.ours.advertise(8 + i, address));
      await signalled(lab, impossible.length);
      await carries(lab);
      assert(strays.segments === 0, lab, "a join went out");
      await counters(lab, { MPJoinSynRx: 0, MPJoinSynAckRx: 0 });
    },
  },
  {
    name: "a signalled address that nobody has",
    lab: { kernel: { endpoints: [`${nobody} signal`] } },
    async run(lab) {
      await connected(lab);
      if (!lab.oursIsClient) lab.ours.advertise(9, nobody);
      await signalled(lab, 1);
      if (!lab.oursIsClient) await counters(lab, { MPJoinSynTx: 1 });
      await carries(lab);
      await counters(lab, { MPJoinSynAckRx: 0, MPJoinSynRx: 0 });
    },
  },
  {
    name: "two signalled addresses that nobody has, and one that is right",
    lab: (ours) => ({
      serverAddresses: 2,
      kernel: {
        endpoints: ours === "client" ? [`${nobody} signal`, "10.77.99.98 signal", "10.77.2.2 dev server2 signal"] : [],
      },
    }),
    async run(lab) {
      await connected(lab);
      if (!lab.oursIsClient) {
        lab.ours.advertise(9, nobody);
        lab.ours.advertise(8, "10.77.99.98");
      }
      await signalled(lab, 3);
      await countersOf(lab, { server: { MPJoinAckRx: 1 }, client: { MPJoinSynTx: 3, MPJoinSynAckRx: 1 } });
      await subflows(lab, 2);
      await carries(lab);
    },
  },
  ...(["ipv4", "ipv6"] as const).flatMap((family) => [1, 2].map((number) => signalledPorts(family, number))),
  {
    name: "ADD_ADDR is lost: it is sent again",
    lab: { serverAddresses: 2 },
    async run(lab) {
      const sent = lab.fabric.count(isAddAddress);
      loseFirst(lab, isAddAddress);
      await connected(lab);
      await joins(lab, 1);
      await signalled(lab, 1);
      assert(sent.segments >= 2, lab, `${sent.segments} ADD_ADDR on the wire`);
      await carries(lab);
    },
  },
  {
    name: "the echo of ADD_ADDR is lost: both are sent again",
    lab: { serverAddresses: 2 },
    async run(lab) {
      const sent = lab.fabric.count(isAddAddress);
      loseFirst(lab, isEcho);
      await connected(lab);
      await signalled(lab, 1);
      await atLeast(lab, lab.oursIsClient ? { AddAddrTx: 2 } : { AddAddr: 2, EchoAddTx: 2 });
      await joins(lab, 1);
      assert(sent.segments >= 2, lab, `${sent.segments} ADD_ADDR on the wire`);
      await carries(lab);
    },
  },
  {
    name: "ADD_ADDR never arrives: three times again, and the connection lives",
    lab: { serverAddresses: 2 },
    async run(lab) {
      const sent = lab.fabric.count(isAddAddress);
      lab.fabric.rule((passing) => !isAddAddress(passing));
      await connected(lab);
      await lab.until("three retransmissions", () => sent.segments >= 4);
      await carries(lab);
      await counters(lab, { MPJoinSynRx: 0, MPJoinSynTx: 0, AddAddr: 0, EchoAdd: 0 });
    },
  },
  {
    name: "ADD_ADDR with a wrong HMAC is not believed",
    lab: { serverAddresses: 2 },
    async run(lab) {
      const changed = lab.fabric.count(isAddAddress);
      lab.fabric.rule((passing) => {
        // The last octets of the option are the HMAC.
        if (isAddAddress(passing)) flip(passing, optionOffset(passing, mptcpSubtype.addAddress) + 12);
        return true;
      });
      await connected(lab);
      await lab.until("ADD_ADDR twice", () => changed.segments >= 2);
      await carries(lab);
      await counters(lab, { MPJoinSynRx: 0, MPJoinSynTx: 0, AddAddr: 0, EchoAdd: 0, EchoAddTx: 0 });
    },
  },
  {
    name: "the kernel gets a further address in mid-connection",
    lab: (ours) => ({ ...ofKernel(2, ours), kernel: { endpoints: [] } }),
    async run(lab) {
      await connected(lab);
      await lab.transfer({ up: 200_000, down: 200_000 });
      await counters(lab, { MPJoinSynRx: 0, MPJoinSynTx: 0 });
      await lab.ip(`mptcp endpoint add ${endpoint(lab, 2)}`);
      await joins(lab, 1);
      await carries(lab);
    },
  },
  {
    name: "our stack gets a further address in mid-connection",
    lab: (ours) => ofOurs(2, ours),
    async run(lab) {
      await lab.ourCable(2, "down");
      await connected(lab);
      await lab.transfer({ up: 200_000, down: 200_000 });
      await counters(lab, { MPJoinSynRx: 0, MPJoinSynTx: 0 });
      await lab.ourCable(2, "up");
      await joins(lab, 1);
      await carries(lab);
    },
  },
  ...addressRemovals,
];

export const addresses: CaseGroup = { title: "Addresses", cases };
