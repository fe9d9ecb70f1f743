/** How many subflows come about: addresses of either side, limits, and joins that fail. */

import type { Case, CaseGroup, CaseLab } from "../case.ts";
import {
  assert,
  atLeast,
  carries,
  connected,
  counters,
  countersOf,
  joined,
  payloadOver,
  subflows,
} from "../expectations.ts";
import type { Role } from "../fabric.ts";
import { mptcpPresent } from "../../wire/mptcp-options.ts";

/** All addresses of a kernel client that makes the full mesh by itself. */
function meshEndpoints(clients: number): string[] {
  return Array.from({ length: clients }, (_, i) => `10.77.${i + 1}.1 dev client${i + 1} subflow fullmesh`);
}

/** Flag C of the server's MP_CAPABLE (RFC 8684 §3.1). */
function serverForbidsInitialAddress(ours: Role): CaseLab {
  return ours === "server"
    ? { our: { allowJoinInitialAddress: false } }
    : { kernel: { sysctls: { "net.mptcp.allow_join_initial_addr_port": 0 } } };
}

/** The server remembers nothing of a SYN (RFC 4987 §3.6). */
function withSynCookies(ours: Role): CaseLab {
  return ours === "server"
    ? { our: { tcp: { synCookies: "always" } } }
    : { kernel: { sysctls: { "net.ipv4.tcp_syncookies": 2 } } };
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

/** More than the first path takes at once: what does not fit in its window goes on the second. */
function shared(sender: Role): Case {
  return {
    name: `two subflows share a transfer ${sender === "client" ? "up" : "down"}`,
    lab: { clientAddresses: 2 },
    async run(lab) {
      await joined(lab, 1);
      const tallies = [payloadOver(lab, 1, sender), payloadOver(lab, 2, sender)];
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
  {
    name: "three addresses of the client, our limit being one further subflow",
    lab: { clientAddresses: 3, our: { maximumSubflows: 1 } },
    async run(lab) {
      await connected(lab);
      // The kernel's client tries both, and one of them is reset.
      await countersOf(lab, { server: { MPJoinAckRx: 1 }, client: { MPJoinSynTx: 2, MPJoinSynAckRx: 1 } });
      await subflows(lab, 2);
      await carries(lab);
      await countersOf(lab, { server: { MPJoinSynRx: 1 }, client: { MPJoinSynAckRx: 1 } });
    },
  },
  {
    name: "full mesh of 2 × 2 addresses, our limit being two further subflows",
    lab: (ours) => ({
      clientAddresses: 2,
      serverAddresses: 2,
      our: { maximumSubflows: 2 },
      ...(ours === "server" && { kernel: { endpoints: meshEndpoints(2) } }),
    }),
    async run(lab) {
      await connected(lab);
      await countersOf(lab, { server: { MPJoinAckRx: 2 }, client: { MPJoinSynTx: 3, MPJoinSynAckRx: 2 } });
      await subflows(lab, 3);
      await carries(lab);
      await countersOf(lab, { server: { MPJoinSynRx: 2 }, client: { MPJoinSynAckRx: 2 } });
    },
  },
  {
    name: "a join beyond the limit is reset, and MP_TCPRST says why",
    lab: (ours) => ({
      clientAddresses: 3,
      ...(ours === "server" ? { our: { maximumSubflows: 1 } } : { kernel: { subflows: 1 } }),
    }),
    async run(lab) {
      const reasons = lab.fabric.count(
        ({ from, segment: { mptcp } }) => from.role === "server" && mptcp.has(mptcpPresent.reset),
      );
      await connected(lab);
      await lab.until("MP_TCPRST is on the wire", () => reasons.segments > 0);
      if (lab.oursIsClient)
        await lab.until("our stack tells it", () =>
          lab.ours.events.some(({ name }) => name === "mptcp:reset-received"),
        );
      else await counters(lab, { MPJoinSynTx: 2, MPJoinSynAckRx: 1 }); // MPRstRx counts only what reaches an established subflow.
      await carries(lab);
    },
  },
  {
    name: "the limits of both sides are full, and neither asks for more",
    lab: { clientAddresses: 4, kernel: { subflows: 2 }, our: { maximumSubflows: 2 } },
    async run(lab) {
      await joined(lab, 2);
      await carries(lab);
      await counters(lab, { MPJoinRejected: 0 });
    },
  },
  {
    name: "four connections at a time, each with two subflows",
    lab: { clientAddresses: 2 },
    async run(lab) {
      await lab.listen();
      for (let i = 0; i < 4; i++) lab.begin();
      const both = [lab.ours, lab.kernel];
      await lab.until("all are connected", () =>
        both.every(({ streams }) => streams.length === 4 && streams.every(({ connected }) => connected)),
      );
      for (const { streams } of both) for (const stream of streams) stream.send(1000);
      await countersOf(lab, { server: { MPJoinAckRx: 4 }, client: { MPJoinSynTx: 4, MPJoinSynAckRx: 4 } });
      for (const { streams } of both) for (const stream of streams) stream.send(100_000);
      await lab.until("all bytes arrived", () =>
        both.every(({ streams }) => streams.every(({ received }) => received.bytes === 101_000)),
      );
      await counters(lab, { MPCurrEstab: 4, MPJoinNoTokenFound: 0 });
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
    lab: withSynCookies,
    async run(lab) {
      await lab.connect();
      await carries(lab);
      // A SYN that is sent again for a busy machine's sake gets another.
      if (lab.oursIsClient) await atLeast(lab, { TcpExtSyncookiesSent: 1 });
      if (lab.oursIsClient) await counters(lab, { TcpExtSyncookiesRecv: 1 });
      await countersOf(lab, { server: { MPCapableACKRX: 1 }, client: { MPCapableSYNACKRX: 1 } });
    },
  },
  {
    name: "SYN cookies: a join",
    lab: (ours) => ({ clientAddresses: 2, ...withSynCookies(ours) }),
    async run(lab) {
      await joined(lab, 1);
      await carries(lab);
      // A SYN that is sent again for a busy machine's sake gets another.
      if (lab.oursIsClient) await atLeast(lab, { TcpExtSyncookiesSent: 2 });
      if (lab.oursIsClient) await counters(lab, { TcpExtSyncookiesRecv: 2 });
    },
  },
  {
    name: "no joins to the initial address: none is tried",
    lab: (ours) => ({ clientAddresses: 2, ...serverForbidsInitialAddress(ours) }),
    async run(lab) {
      const tried = lab.fabric.count(({ segment: { mptcp } }) => mptcp.has(mptcpPresent.join));
      await connected(lab);
      await carries(lab);
      assert(tried.segments === 0, lab, `${tried.segments} segments with MP_JOIN`);
      await counters(lab, { MPJoinSynRx: 0, MPJoinSynTx: 0 });
    },
  },
  {
    name: "no joins to the initial address: they go to the signalled one",
    lab: (ours) => ({
      clientAddresses: 2,
      serverAddresses: 2,
      ...serverForbidsInitialAddress(ours),
      ...(ours === "server" && { kernel: { endpoints: meshEndpoints(2) } }),
    }),
    async run(lab) {
      const toInitial = lab.fabric.count(
        ({ to, segment }) => to.role === "server" && to.index === 1 && segment.mptcp.has(mptcpPresent.join),
      );
      await joined(lab, 2);
      await carries(lab);
      assert(toInitial.segments === 0, lab, `${toInitial.segments} segments with MP_JOIN to the initial address`);
    },
  },
];

export const subflowCases: CaseGroup = { title: "Further subflows", cases };
