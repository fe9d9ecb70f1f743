import { expect } from "chai";
import { checksumState } from "../frame.ts";
import { converse, makePair, type Pair, wifi } from "../testing/pair.ts";
import { segmentOf } from "../testing/wire-tap.ts";
import { checksumAdd, checksumFinish } from "../wire/checksum.ts";
import { parseIpv4 } from "../wire/ip-address.ts";
import { ipProtocol, writeIpv4Header } from "../wire/ipv4.ts";

const second = 1_000_000;

/** "Destination unreachable" from the router, which quotes the packet in `frame` with its sequence number moved by `shift`. */
function unreachable(pair: Pair, frame: Uint8Array, code: number, mtu: number, shift = 0): void {
  const quoted = frame.slice(14, 14 + 28);
  const quotedView = new DataView(quoted.buffer);
  quotedView.setUint32(24, quotedView.getUint32(24) + shift);
  const reply = new Uint8Array(14 + 20 + 8 + quoted.length);
  const view = new DataView(reply.buffer);
  view.setUint16(12, 0x0800);
  const router = parseIpv4("10.0.1.1")!;
  writeIpv4Header(view, 14, reply.length - 14, 0, ipProtocol.icmp, router, parseIpv4("10.0.1.2")!);
  reply.set([3, code, 0, 0, 0, 0, mtu >> 8, mtu & 255], 34);
  reply.set(quoted, 42);
  view.setUint16(36, checksumFinish(checksumAdd(0, reply, 34, reply.length - 34)));
  pair.network.at(pair.network.now + 1_000, () =>
    pair.client.handleFrame(0, reply, 0, reply.length, checksumState.valid, pair.network.now),
  );
}

/** A path that takes packets of `mtu` bytes; `answer` says what the router does with larger ones. */
function transfer(mtu: number, mptcp: boolean, answer: (pair: Pair, frame: Uint8Array) => void) {
  const pair = makePair({ paths: [wifi], client: { mptcp } });
  let dropped = 0;
  pair.links[0]!.up.middlebox = (frame) => {
    if (frame.length - 14 <= mtu) return true;
    dropped++;
    answer(pair, frame);
    return false;
  };
  const { server } = converse(pair, 300_000, 0);
  const done = pair.network.run(60 * second, () => server()?.received === 300_000);
  return { done, dropped, pair, intact: server()?.corrupt === false };
}

for (const mptcp of [false, true]) {
  describe(`a path with a smaller MTU, ${mptcp ? "MPTCP" : "plain TCP"}`, () => {
    it("is learnt from ICMP within a round trip (RFC 1191)", () => {
      const { done, intact, dropped, pair } = transfer(1280, mptcp, (p, frame) => unreachable(p, frame, 4, 1280));
      expect([done, intact]).to.deep.equal([true, true]);
      expect(dropped).to.be.at.most(10);
      expect(pair.network.eventsNamed("recovery:rto")).to.have.length(0);
    });

    it("is found by experience where ICMP is filtered (RFC 2923 §2.1)", () => {
      const { done, intact, dropped } = transfer(1280, mptcp, () => {});
      expect([done, intact]).to.deep.equal([true, true]);
      expect(dropped).to.be.at.most(60);
    });
  });
}

describe("ICMP errors", () => {
  it("about what is not under way are ignored (RFC 5927 §4.1)", () => {
    const { dropped } = transfer(1280, false, (pair, frame) => unreachable(pair, frame, 4, 1280, 10_000_000));
    expect(dropped).to.be.greaterThan(10);
  });

  it("refuse an attempt to connect (hard), or let it go on (soft)", () => {
    for (const [code, closed] of [
      [3, true],
      [1, false],
    ] as const) {
      const pair = makePair({ paths: [wifi], client: { mptcp: false } });
      pair.links[0]!.up.middlebox = (frame) => {
        if (segmentOf(frame) === undefined) return true;
        unreachable(pair, frame, code, 0);
        return false;
      };
      const { client } = converse(pair, 1_000, 0);
      pair.network.run(second / 2);
      expect([client.closed, client.error]).to.deep.equal([closed, closed ? "ECONNREFUSED" : undefined]);
    }
  });

  it("that may pass are told to the application: at once as an event, and in the end as what made the attempt fail (SHLD-25)", () => {
    for (const soft of [true, false]) {
      const pair = makePair({ paths: [wifi], client: { mptcp: false } });
      pair.links[0]!.up.middlebox = (frame) => {
        if (segmentOf(frame) === undefined) return true;
        if (soft) unreachable(pair, frame, 1, 0);
        return false;
      };
      const { client } = converse(pair, 1_000, 0);
      pair.network.run(second / 2);
      expect(pair.network.eventsNamed("tcp:soft-error")).to.have.length(soft ? 1 : 0);
      pair.network.run(60 * second, () => client.closed);
      expect(client.error).to.equal(soft ? "EHOSTUNREACH" : "ETIMEDOUT");
    }
  });

  it("do not end what is established (RFC 5927 §6)", () => {
    const { done } = transfer(1280, false, (pair, frame) => {
      unreachable(pair, frame, 3, 0);
      unreachable(pair, frame, 4, 1280);
    });
    expect(done).to.equal(true);
  });
});
