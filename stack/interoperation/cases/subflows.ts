/** How many subflows come about: addresses of either side, limits, and joins that fail. */

import type { Case, CaseGroup } from "../case.ts";
import { assert, carries, connected, counters, joined, payloadOver, subflows } from "../expectations.ts";
import type { Role } from "../fabric.ts";

/** All addresses of a kernel client that makes the full mesh by itself. */
function meshEndpoints(clients: number): string[] {
  return Array.from({ length: clients }, (_, i) => `10.77.${i + 1}.1 dev client${i + 1} subflow fullmesh`);
}

function clientAddresses(number: number): Case {
  return {
    name: `${number} addresses of the client, one of the server: ${number === 2 ? "one join" : `${number - 1} joins`}`,
    lab: { clientAddresses: number },
    async run(lab) {
      await joined(lab, number - 1);
      await carries(lab);
    },
  };
}

function fullMesh(clients: number, servers: number): Case {
  return {
    name: `full mesh of ${clients} × ${servers} addresses`,
    lab: (ours) => ({
      clientAddresses: clients,
      serverAddresses: servers,
      ...(ours === "server" && { kernel: { endpoints: meshEndpoints(clients) } }),
    }),
    async run(lab) {
      await joined(lab, clients * servers - 1);
      await carries(lab);
    },
  };
}

/** A first path with losses has no room for all: the second carries the rest. */
function shared(sender: Role): Case {
  return {
    name: `two subflows share a transfer ${sender === "client" ? "up" : "down"}`,
    lab: { clientAddresses: 2 },
    async run(lab) {
      await joined(lab, 1);
      let passed = 0;
      const tallies = [payloadOver(lab, 1, sender), payloadOver(lab, 2, sender)];
      lab.fabric.rule(({ from, to, segment }) => {
        const isOfFirst = from.role === sender && (sender === "client" ? from : to).index === 1;
        return !isOfFirst || segment.payloadLength === 0 || ++passed % 20 !== 0;
      });
      await lab.transfer(sender === "client" ? { up: 4 << 20 } : { down: 4 << 20 });
      for (const { payloadBytes } of tallies) assert(payloadBytes > 0, lab, "one of the two carried nothing");
      await carries(lab);
    },
  };
}

const cases: Case[] = [
  {
    name: "one address each: no join is tried",
    async run(lab) {
      await lab.connect();
      await carries(lab);
      await counters(lab, { MPJoinSynRx: 0, MPJoinSynTx: 0 });
    },
  },
  clientAddresses(2),
  clientAddresses(3),
  clientAddresses(4),
  fullMesh(1, 2),
  fullMesh(2, 1),
  fullMesh(2, 2),
  {
    name: "full mesh of 2 × 2 addresses, the kernel's limit being two further subflows",
    lab: (ours) => ({
      clientAddresses: 2,
      serverAddresses: 2,
      kernel: { subflows: 2, ...(ours === "server" && { endpoints: meshEndpoints(2) }) },
    }),
    async run(lab) {
      await connected(lab);
      // Our client tries again what was refused, with back-off: the number of refusals is a matter of time.
      if (lab.oursIsClient) await lab.until("a join is refused", () => lab.counters().MPJoinRejected! > 0);
      await subflows(lab, 3);
      await carries(lab);
      if (lab.oursIsClient) await counters(lab, { MPJoinAckRx: 2 });
      else await counters(lab, { MPJoinSynTx: 2, MPJoinSynAckRx: 2 });
    },
  },
  {
    name: "the kernel's limit is no further subflow",
    lab: { clientAddresses: 2, kernel: { subflows: 0 } },
    async run(lab) {
      await connected(lab);
      if (lab.oursIsClient) await lab.until("a join is refused", () => lab.counters().MPJoinRejected! > 0);
      await carries(lab);
      await counters(lab, lab.oursIsClient ? { MPJoinAckRx: 0 } : { MPJoinSynTx: 0 });
    },
  },
  {
    name: "three addresses of the client, the kernel's limit being one further subflow",
    lab: { clientAddresses: 3, kernel: { subflows: 1 } },
    async run(lab) {
      await connected(lab);
      if (lab.oursIsClient) await lab.until("a join is refused", () => lab.counters().MPJoinRejected! > 0);
      await subflows(lab, 2);
      await carries(lab);
      await counters(lab, lab.oursIsClient ? { MPJoinAckRx: 1 } : { MPJoinSynTx: 1, MPJoinSynAckRx: 1 });
    },
  },
  shared("client"),
  shared("server"),
  {
    name: "three subflows, transfers up and down at once",
    lab: { clientAddresses: 3 },
    async run(lab) {
      await joined(lab, 2);
      await lab.transfer({ up: 2 << 20, down: 2 << 20 });
      await carries(lab);
    },
  },
  {
    name: "SYN cookies: the connection",
    without: { server: "our stack has no SYN cookies" },
    lab: { kernel: { sysctls: { "net.ipv4.tcp_syncookies": 2 } } },
    async run(lab) {
      await lab.connect();
      await carries(lab);
      await counters(lab, { TcpExtSyncookiesSent: 1, TcpExtSyncookiesRecv: 1, MPCapableACKRX: 1 });
    },
  },
  {
    name: "SYN cookies: a join",
    without: { server: "our stack has no SYN cookies" },
    lab: { clientAddresses: 2, kernel: { sysctls: { "net.ipv4.tcp_syncookies": 2 } } },
    async run(lab) {
      await joined(lab, 1);
      await carries(lab);
      await counters(lab, { TcpExtSyncookiesSent: 2, TcpExtSyncookiesRecv: 2 });
    },
  },
  {
    name: "no joins to the initial address: none is tried",
    without: { server: "our stack does not forbid them" },
    lab: { clientAddresses: 2, kernel: { sysctls: { "net.mptcp.allow_join_initial_addr_port": 0 } } },
    async run(lab) {
      await connected(lab);
      await carries(lab);
      await counters(lab, { MPJoinSynRx: 0 });
    },
  },
  {
    name: "no joins to the initial address: they go to the signalled one",
    without: { server: "our stack does not forbid them" },
    lab: {
      clientAddresses: 2,
      serverAddresses: 2,
      kernel: { sysctls: { "net.mptcp.allow_join_initial_addr_port": 0 } },
    },
    async run(lab) {
      await joined(lab, 2);
      await carries(lab);
      const toInitial = lab.ours.events.filter(
        (event) => event.name === "mptcp:subflow-created" && event.remoteAddress === "10.77.1.2",
      );
      if (toInitial.length !== 1) throw new Error(`${toInitial.length} subflows to the initial address`);
    },
  },
];

export const subflowCases: CaseGroup = { title: "Further subflows", cases };
