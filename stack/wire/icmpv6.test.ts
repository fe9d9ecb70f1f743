import { expect } from "chai";
import fc from "fast-check";
import { finishIcmpv6, icmpv6ChecksumIsRight, icmpv6EchoReply, icmpv6Type, parseIcmpv6Error } from "./icmpv6.ts";
import { ipProtocol } from "./ipv4.ts";
import { writeIpv6Header } from "./ipv6.ts";
import { parseIpv6 } from "./ipv6-address.ts";
import { neighbourAdvertisement, neighbourSolicitation, parseNeighbourMessage } from "./neighbour-discovery.ts";

const [own, peer, router] = ["2001:db8::1", "2001:db8::2", "fe80::1"].map((text) => parseIpv6(text)!);
const mac = { high: 0x0200, low: 0xabcd_ef01 };

describe("ICMPv6 (RFC 4443)", () => {
  it("answers an echo request with the same bytes, from the one who was asked", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_400 }), (data) => {
        const request = Uint8Array.of(icmpv6Type.echoRequest, 0, 0, 0, 0x12, 0x34, 0, 7, ...data);
        finishIcmpv6(request, peer!, own!);
        expect(icmpv6ChecksumIsRight(request, 0, request.length, peer!, own!)).to.equal(true);
        const reply = icmpv6EchoReply(request, 0, request.length, own!, peer!)!;
        expect(reply[0]).to.equal(icmpv6Type.echoReply);
        expect(reply.subarray(4)).to.deep.equal(request.subarray(4));
        expect(icmpv6ChecksumIsRight(reply, 0, reply.length, own!, peer!)).to.equal(true);
        expect(icmpv6ChecksumIsRight(reply, 0, reply.length, own!, router!)).to.equal(false);
      }),
    );
    expect(icmpv6EchoReply(Uint8Array.of(129, 0, 0, 0, 0, 0, 0, 0), 0, 8, own!, peer!)).to.equal(undefined);
    expect(icmpv6EchoReply(Uint8Array.of(128, 0, 0, 0, 0, 0, 0), 0, 7, own!, peer!)).to.equal(undefined);
  });

  /** An error about a segment from `own` port 80 to `peer` port 99 with sequence number 12345. */
  function error(type: number, code: number, mtu = 0, next: number = ipProtocol.tcp): Uint8Array {
    const message = new Uint8Array(8 + 40 + 8);
    const view = new DataView(message.buffer);
    view.setUint8(0, type);
    view.setUint8(1, code);
    view.setUint32(4, mtu);
    writeIpv6Header(view, 8, 1000, next, own!, peer!);
    view.setUint16(48, 80);
    view.setUint16(50, 99);
    view.setUint32(52, 12_345);
    return message;
  }

  const parsed = (message: Uint8Array): ReturnType<typeof parseIcmpv6Error> =>
    parseIcmpv6Error(message, 0, message.length);

  it("tells of a segment that did not arrive: whose, and why", () => {
    expect(parsed(error(icmpv6Type.packetTooBig, 0, 1400))).to.deep.equal({
      kind: "too-big",
      segmentSize: 1340,
      source: own,
      destination: peer,
      sourcePort: 80,
      destinationPort: 99,
      sequence: 12_345,
    });
    const kinds = [0, 1, 3, 4, 5].map((code) => parsed(error(icmpv6Type.destinationUnreachable, code))!.kind);
    expect(kinds).to.deep.equal(["soft", "soft", "soft", "hard", "soft"]);
    expect(parsed(error(icmpv6Type.parameterProblem, 1))!.kind).to.equal("hard");
  });

  it("tells nothing when it is about another protocol, quotes too little, or claims less than every link takes", () => {
    expect(parsed(error(icmpv6Type.packetTooBig, 0, 1279))).to.equal(undefined);
    expect(parsed(error(icmpv6Type.packetTooBig, 0, 1280))!.segmentSize).to.equal(1220);
    expect(parsed(error(icmpv6Type.destinationUnreachable, 4, 0, 17))).to.equal(undefined);
    expect(parsed(error(icmpv6Type.echoReply, 0))).to.equal(undefined);
    expect(parsed(error(icmpv6Type.destinationUnreachable, 4).subarray(0, 55))).to.equal(undefined);
  });
});

describe("neighbour discovery (RFC 4861 §4)", () => {
  const parsed = (message: Uint8Array): ReturnType<typeof parseNeighbourMessage> =>
    parseNeighbourMessage(new DataView(message.buffer, message.byteOffset), 0, message.length);

  it("reads as it was written", () => {
    expect(parsed(neighbourSolicitation(peer!, own!, peer!, mac))).to.deep.equal({
      isSolicitation: true,
      target: peer,
      solicited: false,
      mac,
    });
    expect(parsed(neighbourSolicitation(peer!, own!, peer!, undefined))!.mac).to.equal(undefined);
    for (const solicited of [false, true]) {
      expect(parsed(neighbourAdvertisement(own!, peer!, mac, solicited))).to.deep.equal({
        isSolicitation: false,
        target: own,
        solicited,
        mac,
      });
    }
  });

  it("with an option of no length, or one that is cut, is none", () => {
    const whole = neighbourSolicitation(peer!, own!, peer!, mac);
    for (let length = 0; length < whole.length; length++)
      if (length !== 24) expect(parsed(whole.slice(0, length)), `${length}`).to.equal(undefined);
    whole[25] = 0;
    expect(parsed(whole)).to.equal(undefined);
  });

  it("of a group, or of another type, is none", () => {
    expect(parsed(neighbourSolicitation(parseIpv6("ff02::1")!, own!, peer!, mac))).to.equal(undefined);
    const other = neighbourSolicitation(peer!, own!, peer!, mac);
    other[0] = 133;
    expect(parsed(other)).to.equal(undefined);
  });
});
