/** TCP Fast Open (RFC 7413), of plain TCP and with MPTCP (RFC 8684, appendix B): what the client writes first travels in its SYN, once it has the server's cookie. */

import { type Case, type CaseGroup, type CaseLab, PremiseError } from "../case.ts";
import { assert, atLeast, counters, kernelSubflows, speaksMptcp, speaksTcp } from "../expectations.ts";
import type { FastOpenClient } from "../fast-open-client.ts";
import { tcpFlag } from "../../wire/tcp-segment.ts";
import type { Lab } from "../lab.ts";
import { isIntact, type Stream } from "../stream.ts";

/** net.ipv4.tcp_fastopen: clients may ask (1), listeners serve (2), also those that have not asked to (0x400). */
const kernelServes = 0x403;
const kernelDoesNotServe = 0x001;
const requestBytes = 500;

export const answeredEarly = "Fast Open with MPTCP: the server answers before the third segment";

function lab(mptcp: boolean, fastOpen: number): CaseLab {
  return {
    fastOpen: true,
    our: { mptcp },
    kernel: { mptcp, sysctls: { "net.ipv4.tcp_fastopen": fastOpen } },
  };
}

/** SYNs of the client that carry bytes. */
function synsWithData(given: Lab): { readonly segments: number; readonly payloadBytes: number } {
  return given.fabric.count(
    ({ from, segment }) => from.role === "client" && segment.has(tcpFlag.syn) && segment.payloadLength > 0,
  );
}

/** A SYN that is not answered within a second is sent without the option, and for an hour none has it (RFC 7413 §4.1.3.1): that is no path's fault on a busy machine. */
function synsOf(given: Lab): { mustBe(number: number): void } {
  const seen = given.fabric.count(({ from, segment }) => from.role === "client" && segment.has(tcpFlag.syn));
  return {
    mustBe(number) {
      if (seen.segments > number) throw new PremiseError(`${seen.segments} SYNs of the client instead of ${number}`);
    },
  };
}

/** Nothing but its SYN comes through to the server of the connection that the client begins next. */
class HeldThirdSegment {
  #clientPort = -1;
  #holds = true;
  /** Segments of the client, so far. */
  lost = 0;
  /** Of the server in this connection, held or not. */
  answeredBytes = 0;

  constructor({ fabric }: Lab) {
    fabric.rule(({ from, segment }) => {
      if (from.role === "server") {
        if (segment.destinationPort === this.#clientPort) this.answeredBytes += segment.payloadLength;
        return true;
      }
      if (segment.has(tcpFlag.syn)) this.#clientPort = segment.sourcePort;
      else if (this.#holds && segment.sourcePort === this.#clientPort) {
        this.lost++;
        return false;
      }
      return true;
    });
  }

  release(): void {
    this.#holds = false;
  }
}

/** A connection with a request, which the server has. */
interface Exchange {
  readonly client: Stream | FastOpenClient;
  readonly server: Stream;
}

/** Our stack asks as users do: what it writes in the turn in which it connects may leave at once. */
function beginRequest(given: Lab, number: number): Stream | FastOpenClient {
  if (!given.oursIsClient) return given.fastOpenRequest(requestBytes);
  given.begin();
  const client = given.ours.streams[number]!;
  client.send(requestBytes);
  return client;
}

async function ask(given: Lab): Promise<Exchange> {
  const { streams } = given.oursIsClient ? given.kernel : given.ours;
  const number = streams.length;
  const client = beginRequest(given, number);
  await until(given, "the request arrives", client, () => streams[number]?.received.bytes === requestBytes);
  return { client, server: streams[number]! };
}

async function until(given: Lab, what: string, client: Exchange["client"], holds: () => boolean): Promise<void> {
  await given.until(what, () => {
    if (client.error !== undefined) throw new Error(client.error);
    return holds();
  });
}

/** The kernel's client reads until the end. */
function writeAnswer(given: Lab, { server }: Exchange): void {
  server.send(requestBytes);
  if (!given.oursIsClient) server.end();
}

async function answered(given: Lab, { client, server }: Exchange): Promise<void> {
  await until(
    given,
    "the answer arrives",
    client,
    () => client.received.bytes === requestBytes && (given.oursIsClient || client.closed),
  );
  assert(isIntact(server, client), given, "not the answer that was sent");
  assert(isIntact(client, server), given, "not the request that was sent");
}

/** What Linux writes before that it keeps (known-failures.ts). */
async function kernelHasThirdSegment(given: Lab): Promise<void> {
  await kernelSubflows(given, given.kernel.streams.length);
}

/** A connection with a request and its answer. */
async function once(given: Lab): Promise<void> {
  const exchange = await ask(given);
  if (given.oursIsClient) await kernelHasThirdSegment(given);
  writeAnswer(given, exchange);
  await answered(given, exchange);
}

async function inOrder(given: Lab): Promise<void> {
  const all = [...given.ours.streams, ...given.kernel.streams];
  for (const stream of all) stream.end();
  await given.until("all is closed", () => all.every(({ closed }) => closed));
  const errors = all.map(({ error }) => error);
  assert(
    errors.every((error) => error === undefined),
    given,
    `ended with errors: ${errors.join(", ")}`,
  );
}

function inTheSyn(mptcp: boolean): Case {
  return {
    name: `Fast Open ${mptcp ? "with MPTCP" : "of plain TCP"}: the second request is in the SYN`,
    lab: () => lab(mptcp, kernelServes),
    async run(given) {
      await given.listen();
      const syns = synsOf(given);
      const seen = synsWithData(given);
      await once(given);
      syns.mustBe(1);
      assert(seen.payloadBytes === 0, given, "bytes without a cookie");
      await once(given);
      syns.mustBe(2);
      assert(seen.segments === 1, given, `${seen.segments} SYNs with bytes`);
      if (given.oursIsClient) {
        await (mptcp ? speaksMptcp(given) : speaksTcp(given));
        await counters(given, { TcpExtTCPFastOpenPassive: 1, TcpExtTCPFastOpenCookieReqd: 1 });
        await inOrder(given);
      } else await atLeast(given, { TcpExtTCPFastOpenActive: 1 });
      if (mptcp) await counters(given, given.oursIsClient ? { MPCapableACKRX: 2 } : { MPCapableSYNACKRX: 2 });
    },
  };
}

interface EarlyAnswer extends Exchange {
  readonly held: HeldThirdSegment;
}

/** With a cookie, and with the third segment held: the server has written its answer. */
async function answersEarly(given: Lab): Promise<EarlyAnswer> {
  await given.listen();
  const syns = synsOf(given);
  await once(given);
  syns.mustBe(1);
  const held = new HeldThirdSegment(given);
  const exchange = await ask(given);
  await given.until("the client has answered the SYN/ACK", () => held.lost > 0);
  syns.mustBe(2);
  writeAnswer(given, exchange);
  return { ...exchange, held };
}

/** As many bytes wait in its send queue. */
async function kernelHasWritten(given: Lab): Promise<void> {
  const { localPort } = given.ours.streams[1]!.socket;
  await given.untilAsync("the kernel has the answer", async () => {
    const listed = await given.ss("-HMinO", `dport = :${localPort}`);
    const [, written, acknowledged] = /write_seq:(\w+) snd_una:(\w+)/.exec(listed) ?? [];
    return BigInt(`0x${written ?? 0}`) - BigInt(`0x${acknowledged ?? 0}`) === BigInt(requestBytes);
  });
}

const cases: Case[] = [
  inTheSyn(false),
  inTheSyn(true),
  {
    name: "Fast Open of plain TCP: what the server answers before the third segment is there before it",
    lab: () => lab(false, kernelServes),
    async run(given) {
      const early = await answersEarly(given);
      await given.until("the answer is sent", () => early.held.answeredBytes >= requestBytes);
      early.held.release();
      await answered(given, early);
    },
  },
  {
    name: answeredEarly,
    lab: () => lab(true, kernelServes),
    async run(given) {
      const early = await answersEarly(given);
      if (given.oursIsClient) await kernelHasWritten(given);
      else await given.until("our server sends its SYN/ACK again, which is answered, too", () => early.held.lost > 1);
      assert(early.held.answeredBytes === 0, given, "the server sent bytes without knowing the client's key");
      early.held.release();
      await answered(given, early);
    },
  },
  {
    name: "Fast Open with MPTCP: what the server answers before the third segment comes when the client says more",
    without: { server: "our server sends its answer behind the third segment, the case above" },
    lab: () => lab(true, kernelServes),
    async run(given) {
      const early = await answersEarly(given);
      await kernelHasWritten(given);
      early.held.release();
      await kernelHasThirdSegment(given);
      // The first segment with bytes has MP_CAPABLE, and no room for a DATA_ACK (RFC 8684 §3.1); the second has one.
      for (const total of [requestBytes + 1, requestBytes + 2]) {
        given.ours.streams[1]!.send(1);
        await given.until(`${total} bytes`, () => early.server.received.bytes === total);
      }
      await answered(given, early);
      await speaksMptcp(given);
      await inOrder(given);
    },
  },
  {
    name: "Fast Open with MPTCP: a server that gives no cookie gets no bytes in a SYN",
    lab: (ours) => ({ ...lab(true, kernelDoesNotServe), fastOpen: ours === "client" }),
    async run(given) {
      await given.listen();
      const seen = synsWithData(given);
      await once(given);
      await once(given);
      assert(seen.segments === 0, given, `${seen.segments} SYNs with bytes`);
    },
  },
  {
    name: "Fast Open with MPTCP: the server's key is another meanwhile, and the request is sent again",
    without: { server: "our key changes with the host" },
    lab: () => lab(true, kernelServes),
    async run(given) {
      await given.listen();
      const syns = synsOf(given);
      await once(given);
      syns.mustBe(1);
      await given.sysctl("net.ipv4.tcp_fastopen_key", "01234567-89abcdef-01234567-89abcdef");
      const seen = synsWithData(given);
      await once(given);
      syns.mustBe(2);
      assert(seen.segments > 0, given, "no bytes in the SYN");
      await counters(given, { TcpExtTCPFastOpenPassive: 0, TcpExtTCPFastOpenPassiveFail: 1 });
      await speaksMptcp(given);
      await inOrder(given);
    },
  },
  {
    name: "Fast Open with MPTCP: the SYN with the request is lost",
    lab: () => lab(true, kernelServes),
    async run(given) {
      await given.listen();
      const syns = synsOf(given);
      await once(given);
      syns.mustBe(1);
      let lost = 0;
      given.fabric.rule(({ segment }) => !(segment.has(tcpFlag.syn) && segment.payloadLength > 0 && lost++ === 0));
      await once(given);
      assert(lost > 0, given, "no bytes in the SYN");
    },
  },
];

export const fastOpen: CaseGroup = { title: "TCP Fast Open", cases };
