/** TCP Fast Open (RFC 7413), of plain TCP and with MPTCP (RFC 8684, appendix B): what the client writes first travels in its SYN, once it has the server's cookie. */

import { type Case, type CaseGroup, type CaseLab, PremiseError } from "../case.ts";
import { assert, atLeast, counters, speaksMptcp, speaksTcp } from "../expectations.ts";
import { tcpFlag } from "../../wire/tcp-segment.ts";
import type { Lab } from "../lab.ts";

/** net.ipv4.tcp_fastopen: clients may ask (1), listeners serve (2), also those that have not asked to (0x400). */
const kernelServes = 0x403;
const kernelDoesNotServe = 0x001;
const requestBytes = 500;
const answer = "HTTP/1.0 200 OK\r\n\r\nanswered";

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

/** Our stack asks: what it writes in the turn in which it connects may leave at once. */
async function request(given: Lab): Promise<void> {
  const before = given.ours.streams.length;
  given.begin();
  const client = given.ours.streams[before]!;
  client.send(requestBytes);
  await given.until("the request arrives", () => given.kernel.streams[before]?.received.bytes === requestBytes);
  const server = given.kernel.streams[before]!;
  server.send(requestBytes);
  await given.until("the answer arrives", () => client.received.bytes === requestBytes);
}

async function inOrder(given: Lab): Promise<void> {
  for (const end of [given.ours.streams, given.kernel.streams]) for (const stream of end) stream.end();
  await given.until("all is closed", () =>
    [given.ours.streams, given.kernel.streams].every((end) => end.every(({ closed }) => closed)),
  );
  const errors = [...given.ours.streams, ...given.kernel.streams].map(({ error }) => error);
  assert(
    errors.every((error) => error === undefined),
    given,
    `ended with errors: ${errors.join(", ")}`,
  );
}

/** It asks for the peer's address right after a connect that Fast Open puts off, and ends where the kernel has none yet. */
function ofCurl(error: Error): Error {
  return error.message.includes("getpeername() failed") ? new PremiseError(error.message) : error;
}

/** The kernel's client is curl: one request with Fast Open. */
async function curlIsAnswered(given: Lab): Promise<void> {
  const number = given.ours.streams.length;
  const asked = given.curl("--tcp-fastopen").catch((error: Error) => Promise.reject(ofCurl(error)));
  await Promise.race([
    given.until("the request arrives", () => (given.ours.streams[number]?.received.bytes ?? 0) > 0),
    asked,
  ]);
  given.ours.streams[number]!.socket.end(answer);
  const body = await asked;
  assert(body === "answered", given, `curl got "${body}"`);
}

/** A connection with a request and its answer. */
async function once(given: Lab): Promise<void> {
  await (given.oursIsClient ? request(given) : curlIsAnswered(given));
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

const cases: Case[] = [
  inTheSyn(false),
  inTheSyn(true),
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
