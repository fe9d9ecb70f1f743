import { expect } from "chai";
import { tcpFlag } from "../wire/tcp-segment.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import { makePair, type Pair, serverPort, StreamApplication } from "./pair.ts";
import { optionsOf, rewriteChecksum, segmentOf } from "./wire-tap.ts";
import type { PipeOptions } from "./network.ts";

const second = 1_000_000;
const path: PipeOptions = { rate: 10_000_000, delay: 50_000, queueBytes: 200_000 };

interface Scene extends Pair {
  /** Segments with SYN in the order in which they passed the client's link. */
  syns: TcpSegment[];
  accepted: StreamApplication[];
  /** Opens a connection of the client that sends `length` bytes, which the server answers with as many, and lets it end. */
  request: (length: number, fastOpen?: boolean) => Exchange;
}

interface Exchange {
  client: StreamApplication;
  server: StreamApplication;
  /** From the call of connect until the server's application has the first byte, and the client its answer. */
  requestMicroseconds: number;
  answerMicroseconds: number;
}

function scene(mptcp: boolean, options: { server?: boolean; paths?: number } = {}): Scene {
  const pair = makePair({ paths: Array.from({ length: options.paths ?? 1 }, () => path), client: { mptcp } });
  const { network, client, server, links } = pair;
  const accepted: StreamApplication[] = [];
  const listener = server.listen({ port: serverPort, fastOpen: options.server ?? true }, network.now);
  let answer = 0;
  listener.onConnection = () => {
    for (let next = listener.accept(); next !== undefined; next = listener.accept())
      accepted.push(new StreamApplication(network, next, answer, true));
  };
  const syns: TcpSegment[] = [];
  const watch = (frame: Uint8Array): boolean => {
    const segment = segmentOf(frame);
    if (segment?.has(tcpFlag.syn) === true) syns.push(segment);
    return true;
  };
  for (const link of links) {
    link.up.middlebox = watch;
    link.down.middlebox = watch;
  }
  const request = (length: number, fastOpen = true): Exchange => {
    const start = network.now;
    const before = accepted.length;
    answer = length;
    const connection = client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort, fastOpen }, start);
    const application = new StreamApplication(network, connection, length, true);
    application.send();
    network.run(60 * second, () => (accepted[before]?.received ?? 0) > 0);
    const requestMicroseconds = network.now - start;
    network.run(60 * second, () => application.received > 0);
    const answerMicroseconds = network.now - start;
    network.run(60 * second, () => application.closed && accepted[before]?.closed === true);
    return { client: application, server: accepted[before]!, requestMicroseconds, answerMicroseconds };
  };
  return { ...pair, syns, accepted, request };
}

function expectIntact({ client, server }: Exchange, length: number): void {
  expect([server.received, server.corrupt, client.received, client.corrupt]).to.deep.equal([
    length,
    false,
    length,
    false,
  ]);
  expect([client.error, server.error]).to.deep.equal([undefined, undefined]);
}

for (const mptcp of [false, true]) {
  describe(`TCP Fast Open, ${mptcp ? "MPTCP" : "plain TCP"} (RFC 7413${mptcp ? "; RFC 8684, appendix B" : ""})`, () => {
    it("asks for a cookie with the first connection, and sends its data with the SYN of the second", () => {
      const { request, syns } = scene(mptcp);
      const first = request(1_000);
      expectIntact(first, 1_000);
      expect(syns.map(({ fastOpenCookie, payloadLength }) => [fastOpenCookie?.length, payloadLength])).to.deep.equal([
        [0, 0],
        [6, 0],
      ]);
      syns.length = 0;
      const second = request(1_000);
      expectIntact(second, 1_000);
      expect(syns.map(({ fastOpenCookie, payloadLength }) => [fastOpenCookie?.length, payloadLength])).to.deep.equal([
        [6, 1_000],
        [undefined, 0],
      ]);
      expect(syns.map((syn) => syn.mptcp.present !== 0)).to.deep.equal([mptcp, mptcp]);
      expect(second.client.connection.info().mptcp).to.equal(mptcp);
      // A round trip, 100 ms, sooner.
      const ordinary = request(1_000, false);
      expect(ordinary.requestMicroseconds - second.requestMicroseconds).to.be.within(95_000, 105_000);
      if (!mptcp) expect(ordinary.answerMicroseconds - second.answerMicroseconds).to.be.within(95_000, 105_000);
    });

    for (const length of [1, 1_400, 20_000, 300_000]) {
      it(`carries ${length} bytes each way, of which the SYN has as many as fit`, () => {
        const { request, syns, network } = scene(mptcp, { paths: 2 });
        request(1);
        syns.length = 0;
        expectIntact(request(length), length);
        expect(syns[0]!.payloadLength).to.be.within(Math.min(length, 1_300), 1_460);
        if (mptcp && length > 10_000)
          expect(network.eventsNamed("mptcp:subflow-established").length).to.be.greaterThan(4);
      });
    }

    it("sends again what the server did not take: it has forgotten its key", () => {
      const { request, syns, links } = scene(mptcp);
      request(1_000);
      syns.length = 0;
      corruptCookie(links[0]!.up);
      expectIntact(request(5_000), 5_000);
      expect(syns.map(({ payloadLength }) => payloadLength > 0)).to.deep.equal([true, false]);
    });

    it("goes without, and without a word more for an hour, where SYNs with the option vanish", () => {
      const { request, syns, links, network } = scene(mptcp);
      request(1_000);
      const passes = links[0]!.up.middlebox!;
      links[0]!.up.middlebox = (frame, now) => {
        const segment = segmentOf(frame);
        return (
          passes(frame, now) !== false && !(segment?.has(tcpFlag.syn) === true && segment.fastOpenCookie !== undefined)
        );
      };
      syns.length = 0;
      expectIntact(request(5_000), 5_000);
      const options = (): (number | undefined)[] => syns.map(({ fastOpenCookie }) => fastOpenCookie?.length);
      expect(options()).to.deep.equal([6, undefined, undefined]);
      syns.length = 0;
      expectIntact(request(5_000), 5_000);
      expect(options()).to.deep.equal([undefined, undefined]);
      network.run(3_600 * second);
      syns.length = 0;
      expectIntact(request(5_000), 5_000);
      expect(options()).to.deep.equal([6, undefined, undefined]);
    });

    it("goes on with a cookie of the server's last key, and gets one of the new", () => {
      const { request, syns, network } = scene(mptcp);
      const day = 86_400 * second;
      request(1_000);
      network.run(day);
      syns.length = 0;
      expectIntact(request(1_000), 1_000);
      expect(syns.map(({ payloadLength }) => payloadLength)).to.deep.equal([1_000, 0]);
      expect(syns[1]!.fastOpenCookie).to.have.length(6).and.not.deep.equal(syns[0]!.fastOpenCookie);
      network.run(2 * day);
      syns.length = 0;
      expectIntact(request(1_000), 1_000);
      expect(syns.map(({ payloadLength, fastOpenCookie }) => [payloadLength, fastOpenCookie])).to.deep.equal([
        [1_000, syns[0]!.fastOpenCookie],
        [0, syns[1]!.fastOpenCookie],
      ]);
    });

    it("is an ordinary connection with a server that does not offer it", () => {
      const { request, syns } = scene(mptcp, { server: false });
      request(1_000);
      expectIntact(request(5_000), 5_000);
      expect(syns.map(({ payloadLength }) => payloadLength)).to.deep.equal([0, 0, 0, 0]);
    });

    it("ends the stream as soon as the third segment, when all of it went with the SYN", () => {
      const { request, client, server, network } = scene(mptcp);
      request(1_000);
      const accepted: StreamApplication[] = [];
      const listener = server.listen({ port: serverPort + 1, fastOpen: true }, network.now);
      listener.onConnection = () => void accepted.push(new StreamApplication(network, listener.accept()!, 0, false));
      const start = network.now;
      const target = { remoteAddress: "10.0.100.2", remotePort: serverPort + 1, fastOpen: true };
      const application = new StreamApplication(network, client.connect(target, start), 500, true);
      application.send();
      expect(network.run(60 * second, () => accepted[0]?.remoteEnded === true)).to.equal(true);
      // A round trip and a half: the SYN, its answer, and the end.
      expect(network.now - start).to.be.below(160_000);
      expect(accepted[0]!.received).to.equal(500);
    });

    it("grants a cookie with the first SYN/ACK only: a repeated one goes without", () => {
      const { request, links, syns } = scene(mptcp);
      const watch = links[0]!.down.middlebox!;
      let lost = 0;
      links[0]!.down.middlebox = (frame, now) => {
        watch(frame, now);
        return segmentOf(frame)?.has(tcpFlag.syn) !== true || lost++ > 0;
      };
      expectIntact(request(1_000), 1_000);
      const cookies = syns.filter((syn) => syn.has(tcpFlag.ack)).map(({ fastOpenCookie }) => fastOpenCookie?.length);
      expect(cookies.slice(0, 2)).to.deep.equal([6, undefined]);
    });

    it("loses nothing when the SYN/ACK is lost", () => {
      const { request, links } = scene(mptcp);
      request(1_000);
      let lost = 0;
      links[0]!.down.middlebox = (frame) => segmentOf(frame)?.has(tcpFlag.syn) !== true || lost++ > 0;
      expectIntact(request(5_000), 5_000);
      expect(lost).to.be.greaterThan(0);
    });
  });
}

/** Changes the cookie of each SYN. */
function corruptCookie(up: {
  middlebox: ((frame: Uint8Array, now: number) => boolean | Uint8Array[]) | undefined;
}): void {
  const before = up.middlebox!;
  up.middlebox = (frame, now) => {
    const segment = segmentOf(frame);
    before(frame, now);
    if (segment?.has(tcpFlag.syn) !== true || segment.fastOpenCookie === undefined) return true;
    for (const { at, length } of optionsOf(frame)) if (frame[at] === 34 && length > 2) frame[at + 2]! ^= 1;
    rewriteChecksum(frame);
    return true;
  };
}
