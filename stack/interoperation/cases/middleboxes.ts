/** What middleboxes and strangers do to the handshakes (RFC 8684 §3.1, §3.2, §3.6, §3.7). */

import type { Case, CaseGroup } from "../case.ts";
import {
  assert,
  carries,
  connected,
  counters,
  countersOf,
  established,
  joined,
  payloadOver,
  speaksMptcp,
  speaksTcp,
} from "../expectations.ts";
import type { Passing } from "../fabric.ts";
import type { Lab } from "../lab.ts";
import { mptcpPresent, mptcpSubtype } from "../../wire/mptcp-options.ts";
import { tcpFlag, tcpOptionKind } from "../../wire/tcp-segment.ts";
import { flip, makeReset, optionOffset, strip } from "../surgery.ts";

const much = 300_000;

const isSyn = ({ segment }: Passing): boolean => (segment.flags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn;
const isSynAck = ({ segment }: Passing): boolean => segment.has(tcpFlag.syn) && segment.has(tcpFlag.ack);
const isSegment = ({ segment }: Passing): boolean => !segment.has(tcpFlag.syn);
const isJoin = ({ segment }: Passing): boolean => segment.mptcp.has(mptcpPresent.join);
const isCapable = ({ segment }: Passing): boolean => segment.mptcp.has(mptcpPresent.capable);
const isThirdJoinAck = (passing: Passing): boolean => isJoin(passing) && passing.segment.mptcp.joinLength === 24;

/** Changes every segment for which `applies`. */
function change(
  lab: Lab,
  applies: (passing: Passing) => boolean,
  how: (passing: Passing) => void,
): { segments: number } {
  const state = { segments: 0 };
  lab.fabric.rule((passing) => {
    if (applies(passing)) {
      state.segments++;
      how(passing);
    }
    return true;
  });
  return state;
}

async function carriesTcp(lab: Lab): Promise<void> {
  await lab.transfer({ up: much, down: much });
  await speaksTcp(lab);
  await lab.finish();
}

/** The connection stays MPTCP on its first subflow: the second path carries nothing. */
async function carriesOnFirstPath(lab: Lab, tried: { segments: number }): Promise<void> {
  await connected(lab);
  await lab.until("the second path was tried", () => tried.segments > 0);
  const tally = payloadOver(lab, 2);
  await lab.transfer({ up: much, down: much });
  await speaksMptcp(lab);
  assert(tally.payloadBytes === 0, lab, `${tally.payloadBytes} bytes went over the second path`);
  assert(established(lab) <= 2, lab, "too many subflows");
}

function fallback(
  name: string,
  applies: (passing: Passing) => boolean,
  how: (passing: Passing) => void = (passing) => strip(passing),
): Case {
  return {
    name,
    async run(lab) {
      const changed = change(lab, applies, how);
      await lab.connect();
      await carriesTcp(lab);
      assert(changed.segments > 0, lab, "nothing was changed");
    },
  };
}

function harmless(name: string, applies: (passing: Passing) => boolean, how: (passing: Passing) => void): Case {
  return {
    name,
    lab: { clientAddresses: 2 },
    async run(lab) {
      const changed = change(lab, applies, how);
      await joined(lab, 1);
      await carries(lab);
      assert(changed.segments > 0, lab, "nothing was changed");
    },
  };
}

const capable = (passing: Passing): number => optionOffset(passing, mptcpSubtype.capable);
const join = (passing: Passing): number => optionOffset(passing, mptcpSubtype.join);

const cases: Case[] = [
  fallback("MP_CAPABLE is stripped from the SYN: TCP", isSyn),
  fallback("MP_CAPABLE is stripped from the SYN/ACK: TCP", isSynAck),
  fallback("options are stripped from all that is no SYN: TCP", isSegment),
  fallback(
    "options are stripped from all that is no SYN, from client to server: TCP",
    (passing) => isSegment(passing) && passing.from.role === "client",
  ),
  fallback(
    "options are stripped from all that is no SYN, from server to client: TCP",
    (passing) => isSegment(passing) && passing.from.role === "server",
  ),
  fallback(
    "the SYN asks for version 0: TCP",
    (passing) => isSyn(passing) && isCapable(passing),
    (passing) => flip(passing, capable(passing) + 2, 0x01),
  ),
  fallback(
    "the SYN/ACK has a version that was not asked for: TCP",
    (passing) => isSynAck(passing) && isCapable(passing),
    (passing) => flip(passing, capable(passing) + 2, 0x03),
  ),
  {
    name: "the SYN asks for a version of the future: version 1 or TCP, as the server says",
    async run(lab) {
      const changed = change(
        lab,
        (passing) => isSyn(passing) && isCapable(passing),
        (passing) => flip(passing, capable(passing) + 2, 0x03),
      );
      await lab.connect();
      await lab.transfer({ up: much, down: much });
      await (lab.ours.info.mptcp ? speaksMptcp : speaksTcp)(lab);
      assert(changed.segments > 0, lab, "nothing was changed");
      await lab.finish();
    },
  },
  fallback(
    "the SYN lacks the flag H, no algorithm is common: TCP",
    (passing) => isSyn(passing) && isCapable(passing),
    (passing) => flip(passing, capable(passing) + 3, 0x01),
  ),
  fallback(
    "the SYN has the flag B, an extension that nobody knows: TCP",
    (passing) => isSyn(passing) && isCapable(passing),
    (passing) => flip(passing, capable(passing) + 3, 0x40),
  ),
  {
    name: "the third ACK is lost: the connection is MPTCP all the same",
    async run(lab) {
      let lost = false;
      lab.fabric.rule((passing) => {
        if (lost || !isCapable(passing) || passing.segment.has(tcpFlag.syn)) return true;
        lost = true;
        return false;
      });
      await lab.listen();
      lab.begin();
      await lab.until(
        "the client is connected",
        () => (lab.oursIsClient ? lab.ours : lab.kernel).streams[0]?.connected === true,
      );
      lab.client.send(much);
      await lab.until(
        "the server is connected",
        () => (lab.oursIsClient ? lab.kernel : lab.ours).streams[0]?.connected === true,
      );
      await lab.transfer({ down: much });
      assert(lost, lab, "nothing was lost");
      await speaksMptcp(lab);
      await lab.finish();
    },
  },
  {
    name: "MP_JOIN is stripped from its SYN: the first path carries all",
    lab: { clientAddresses: 2 },
    async run(lab) {
      await carriesOnFirstPath(
        lab,
        change(lab, (passing) => isSyn(passing) && isJoin(passing), strip),
      );
      await counters(lab, { MPJoinSynRx: 0, MPJoinAckRx: 0, MPJoinSynAckRx: 0 });
    },
  },
  {
    name: "MP_JOIN is stripped from its SYN/ACK: the first path carries all",
    lab: { clientAddresses: 2 },
    async run(lab) {
      await carriesOnFirstPath(
        lab,
        change(lab, (passing) => isSynAck(passing) && isJoin(passing), strip),
      );
      await counters(lab, { MPJoinAckRx: 0, MPJoinSynAckRx: 0 });
    },
  },
  {
    name: "MP_JOIN is stripped from its third ACK: the first path carries all",
    lab: { clientAddresses: 2 },
    async run(lab) {
      await carriesOnFirstPath(lab, change(lab, isThirdJoinAck, strip));
      await counters(lab, { MPJoinAckRx: 0 });
    },
  },
  {
    name: "SYNs with MP_JOIN vanish: the first path carries all",
    lab: { clientAddresses: 2 },
    async run(lab) {
      const tried = lab.fabric.count(isJoin);
      lab.fabric.rule((passing) => !isJoin(passing));
      await carriesOnFirstPath(lab, tried);
      await countersOf(lab, { server: { MPJoinSynRx: 0 }, client: { MPJoinSynAckRx: 0 } });
    },
  },
  {
    name: "SYN/ACKs with MP_JOIN are turned into resets: the first path carries all",
    lab: { clientAddresses: 2 },
    async run(lab) {
      await carriesOnFirstPath(
        lab,
        change(lab, (passing) => isSynAck(passing) && isJoin(passing), makeReset),
      );
      await counters(lab, { MPJoinAckRx: 0, MPJoinSynAckRx: 0 });
    },
  },
  {
    name: "MP_JOIN with a token of nobody is reset",
    lab: { clientAddresses: 2 },
    async run(lab) {
      const resets = lab.fabric.count(({ from, segment }) => from.role === "server" && segment.has(tcpFlag.rst));
      const tried = change(
        lab,
        (passing) => isSyn(passing) && isJoin(passing),
        (passing) => flip(passing, join(passing) + 4),
      );
      await carriesOnFirstPath(lab, tried);
      await lab.until("the server resets", () => resets.segments > 0);
      if (lab.oursIsClient) await lab.until("the token is counted", () => lab.counters().MPJoinNoTokenFound! > 0);
      await counters(lab, { MPJoinAckRx: 0, MPJoinSynAckRx: 0 });
    },
  },
  {
    name: "MP_JOIN with a wrong HMAC in the SYN/ACK is reset",
    lab: { clientAddresses: 2 },
    async run(lab) {
      const resets = lab.fabric.count(({ from, segment }) => from.role === "client" && segment.has(tcpFlag.rst));
      const tried = change(
        lab,
        (passing) => isSynAck(passing) && isJoin(passing),
        (passing) => flip(passing, join(passing) + 4),
      );
      await carriesOnFirstPath(lab, tried);
      await lab.until("the client resets", () => resets.segments > 0);
      if (lab.oursIsClient) await counters(lab, { MPJoinAckRx: 0 });
      else await lab.until("the HMAC is counted", () => lab.counters().MPJoinSynAckHMacFailure! > 0);
    },
  },
  {
    name: "MP_JOIN with a wrong HMAC in the third ACK is reset",
    lab: { clientAddresses: 2 },
    async run(lab) {
      const resets = lab.fabric.count(({ from, segment }) => from.role === "server" && segment.has(tcpFlag.rst));
      const tried = change(lab, isThirdJoinAck, (passing) => flip(passing, join(passing) + 4));
      await carriesOnFirstPath(lab, tried);
      await lab.until("the server resets", () => resets.segments > 0);
      if (lab.oursIsClient) await lab.until("the HMAC is counted", () => lab.counters().MPJoinAckHMacFailure! > 0);
    },
  },
  harmless(
    "timestamps are stripped from SYNs",
    ({ segment }) => segment.has(tcpFlag.syn),
    (passing) => strip(passing, tcpOptionKind.timestamps),
  ),
  harmless(
    "SACK is stripped from SYNs",
    ({ segment }) => segment.has(tcpFlag.syn),
    (passing) => strip(passing, tcpOptionKind.sackPermitted),
  ),
  harmless(
    "window scale is stripped from SYNs",
    ({ segment }) => segment.has(tcpFlag.syn),
    (passing) => strip(passing, tcpOptionKind.windowScale),
  ),
  harmless(
    "window scale is stripped from SYNs of the second path alone",
    (passing) => passing.segment.has(tcpFlag.syn) && isJoin(passing),
    (passing) => strip(passing, tcpOptionKind.windowScale),
  ),
  {
    name: "options are stripped from all of the second path in mid-connection: the first carries all",
    lab: { clientAddresses: 2 },
    async run(lab) {
      await joined(lab, 1);
      change(lab, ({ from, to }) => (from.role === "client" ? from : to).index === 2, strip);
      await lab.transfer({ up: 2 << 20, down: 2 << 20 });
      await speaksMptcp(lab);
    },
  },
  {
    name: "SYNs with MP_CAPABLE vanish: TCP, in bounded time, and MPTCP stays on",
    lab: { kernel: { fallsBackUnanswered: true } },
    async run(lab) {
      lab.fabric.rule((passing) => !(isSyn(passing) && isCapable(passing)));
      await lab.connect();
      await carriesTcp(lab);
    },
  },
];

export const middleboxes: CaseGroup = { title: "Middleboxes and strangers", cases };
