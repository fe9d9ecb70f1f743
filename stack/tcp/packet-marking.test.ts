import { expect } from "chai";
import { converse, makePair, thirdGeneration, wifi } from "../testing/pair.ts";
import { segmentOf } from "../testing/wire-tap.ts";
import { PacketMarking } from "./packet-marking.ts";

const second = 1_000_000;
const serverAddress = { ipv4: "10.0.100.2", ipv6: "fd00:0:0:64::2" };

/** Code point and hops of a frame. */
function markingOf(frame: Uint8Array): [codePoint: number, hops: number] {
  const isIpv6 = frame[12] === 0x86;
  const trafficClass = isIpv6 ? ((frame[14]! & 15) << 4) | (frame[15]! >> 4) : frame[15]!;
  return [trafficClass >> 2, isIpv6 ? frame[21]! : frame[22]!];
}

describe("the marking of a connection's packets (RFC 9293 §3.9.1.9, §3.9.2)", () => {
  for (const family of ["ipv4", "ipv6"] as const) {
    it(`is the application's, on every segment of every subflow, and may change in mid-stream: ${family}`, () => {
      const pair = makePair({ paths: [wifi, thirdGeneration], clientFamilies: [family, family], serverFamily: family });
      const seen = pair.links.map(() => new Set<string>());
      for (const [i, link] of pair.links.entries()) {
        link.up.middlebox = (frame) => {
          if (segmentOf(frame) !== undefined) seen[i]!.add(markingOf(frame).join());
          return true;
        };
      }
      const conversation = converse(pair, 500_000, 0, { remoteAddress: serverAddress[family] });
      const { marking } = conversation.client.connection;
      marking.differentiatedServices = 46;
      marking.hopLimit = 7;
      pair.network.run(second / 4);
      expect(seen.map((values) => [...values])).to.deep.equal([["46,7"], ["46,7"]]);
      marking.differentiatedServices = 8;
      pair.network.run(5 * second);
      expect(conversation.server()!.received).to.equal(500_000);
      expect(seen.map((values) => [...values])).to.deep.equal([
        ["46,7", "8,7"],
        ["46,7", "8,7"],
      ]);
    });
  }

  it("is best effort and 64 hops by default", () => {
    const pair = makePair({ paths: [wifi] });
    const seen = new Set<string>();
    pair.links[0]!.up.middlebox = (frame) => {
      if (segmentOf(frame) !== undefined) seen.add(markingOf(frame).join());
      return true;
    };
    converse(pair, 10_000, 0);
    pair.network.run(second);
    expect([...seen]).to.deep.equal(["0,64"]);
  });

  it("that cannot be is refused", () => {
    const marking = new PacketMarking();
    for (const value of [-1, 64, 1.5, Number.NaN]) {
      expect(() => (marking.differentiatedServices = value), `${value}`).to.throw(RangeError);
    }
    for (const value of [0, 256, 2.5]) expect(() => (marking.hopLimit = value), `${value}`).to.throw(RangeError);
  });
});
