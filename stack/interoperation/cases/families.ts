/** IPv6, mapped IPv4 addresses, and both families in one connection. */

import { type Case, type CaseGroup, labOf } from "../case.ts";
import { assert, carries, connected, counters, joined, payloadOver } from "../expectations.ts";
import type { Lab } from "../lab.ts";
import { addresses } from "./addresses.ts";
import { checksums } from "./checksums.ts";
import { failures } from "./failures.ts";
import { fastOpen } from "./fast-open.ts";
import { middleboxes } from "./middleboxes.ts";
import { priorities } from "./priorities.ts";
import { subflowCases } from "./subflows.ts";
import { transfers } from "./transfers.ts";

/** What depends on the family: headers and their sums, ADD_ADDR with its HMAC, the choice of addresses; and one case of everything else. */
const alsoOverIpv6: readonly (readonly [CaseGroup, readonly string[]])[] = [
  [
    transfers,
    [
      "bytes from client to server",
      "bytes from server to client, which says nothing",
      "4 MiB both ways at once",
      "half-close: the server ends, the other still sends",
      "the kernel's socket is plain TCP",
    ],
  ],
  [
    subflowCases,
    [
      "2 addresses of the client, one of the server: one join",
      "full mesh of 1 × 2 addresses",
      "three subflows, transfers up and down at once",
      "SYN cookies: a join",
    ],
  ],
  [
    addresses,
    [
      "3 signalled addresses, each joined",
      "ADD_ADDR is lost: it is sent again",
      "ADD_ADDR with a wrong HMAC is not believed",
      "the kernel gets a further address in mid-connection",
      "our stack gets a further address in mid-connection",
      "the kernel removes its further address",
      "our stack removes its further address",
      "the kernel removes its initial address, id 0",
      "the kernel deletes an endpoint and adds it again",
    ],
  ],
  [priorities, ["MP_PRIO from our stack: backup, and back"]],
  [
    checksums,
    [
      "checksums: nobody asks",
      "checksums: the server asks",
      "checksums: the client asks",
      "checksums: both ask",
      "a changed byte from the client on one of two subflows: that subflow is reset with MP_FAIL, the data is whole",
      "a changed byte from the server on one of two subflows: that subflow is reset with MP_FAIL, the data is whole",
      "a changed byte from the server on the only subflow, with much to follow: MP_FAIL, and on as TCP",
    ],
  ],
  [
    failures,
    [
      "fast close by our stack, 2 subflows",
      "fast close by the kernel, 2 subflows",
      "the initial path goes silent in both directions during a transfer",
    ],
  ],
  [fastOpen, ["Fast Open with MPTCP: the second request is in the SYN"]],
  [
    middleboxes,
    [
      "MP_CAPABLE is stripped from the SYN: TCP",
      "MP_JOIN with a token of nobody is reset",
      "MP_JOIN with a wrong HMAC in the third ACK is reset",
    ],
  ],
];

function overIpv6({ cases }: CaseGroup, name: string): Case {
  const given = cases.find((known) => known.name === name);
  if (given === undefined) throw new Error(`no case "${name}"`);
  return { ...given, name: `over IPv6: ${name}`, lab: (ours) => ({ ...labOf(given, ours), ipv6: "all" }) };
}

/** The second path of client and server is of the other family than the first, and carries its share. */
async function carriesOnBoth(lab: Lab): Promise<void> {
  await joined(lab, 1);
  const second = payloadOver(lab, 2);
  lab.ours.setBackup(lab.ourSubflow(1), true);
  await counters(lab, { MPPrioRx: 1 });
  await lab.transfer({ up: 300_000, down: 300_000 });
  assert(second.payloadBytes > 0, lab, "the second path carried nothing");
  await carries(lab);
}

const cases: Case[] = [
  ...alsoOverIpv6.flatMap(([group, names]) => names.map((name) => overIpv6(group, name))),
  {
    name: "IPv4 on a socket of the kernel's that is of IPv6: the connection",
    lab: { mapped: true },
    async run(lab) {
      await lab.connect();
      await carries(lab);
    },
  },
  {
    name: "IPv4 on a socket of the kernel's that is of IPv6: a further address of the client",
    lab: { mapped: true, clientAddresses: 2 },
    async run(lab) {
      await joined(lab, 1);
      await carries(lab);
    },
  },
  {
    name: "IPv4 on a socket of the kernel's that is of IPv6: a signalled address",
    lab: { mapped: true, serverAddresses: 2 },
    async run(lab) {
      await joined(lab, 1);
      await carries(lab);
    },
  },
  {
    name: "the connection is of IPv4, a join of IPv6",
    lab: { mapped: true, clientAddresses: 2, serverAddresses: 2, ipv6: { client: [2], server: [2] } },
    run: carriesOnBoth,
  },
  {
    name: "the connection is of IPv6, a join of IPv4",
    lab: { clientAddresses: 2, serverAddresses: 2, ipv6: { client: [1], server: [1] } },
    run: carriesOnBoth,
  },
  {
    name: "the server signals an address of a family that the client does not have: it is left alone",
    lab: { mapped: true, serverAddresses: 2, ipv6: { client: [], server: [2] } },
    async run(lab) {
      await connected(lab);
      await lab.until("the address is signalled", () => {
        const { AddAddr, EchoAdd } = lab.counters();
        return AddAddr! + EchoAdd! > 0;
      });
      await carries(lab);
      await counters(lab, { MPJoinSynRx: 0, MPJoinSynAckRx: 0 });
    },
  },
];

export const families: CaseGroup = { title: "IPv6 and both families", cases };
