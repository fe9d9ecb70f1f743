import { expect } from "chai";
import fc from "fast-check";
import { ipProtocol } from "./ipv4.ts";
import { flowLabel, Ipv6Header, ipv6HeaderLength, writeIpv6Header } from "./ipv6.ts";
import { ipv6FromWords, isIpv4Mapped, isMulticast, parseIpv6, writeIpv6 } from "./ipv6-address.ts";

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const unicast = fc
  .tuple(word, word, word, word)
  .map((words) => ipv6FromWords(...words))
  .filter((address) => !isMulticast(address) && !isIpv4Mapped(address));

const source = parseIpv6("2001:db8::1")!;
const destination = parseIpv6("2001:db8::2")!;

/** A packet whose first header says `next`, with these octets behind it. */
function packet(next: number, ...rest: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(ipv6HeaderLength + rest.length);
  writeIpv6Header(new DataView(bytes.buffer), 0, rest.length, next, source, destination);
  bytes.set(rest, ipv6HeaderLength);
  return bytes;
}

/** What the packet carries and where it begins, or undefined when it is not accepted. */
function accepted(bytes: Uint8Array, length = bytes.length): [protocol: number, headerLength: number] | undefined {
  const header = new Ipv6Header();
  if (!header.parse(new DataView(bytes.buffer), 0, length)) return undefined;
  return [header.protocol, header.headerLength];
}

const { tcp } = ipProtocol;
const [hopByHop, routing, fragment, destinationOptions] = [0, 43, 44, 60] as const;

describe("an IPv6 header (RFC 8200 §3)", () => {
  it("reads as it was written, wherever it stands", () => {
    const octet = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(
        unicast,
        unicast,
        fc.integer({ min: 0, max: 65_535 }),
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 0, max: 0xf_ffff }),
        octet,
        fc.integer({ min: 0, max: 9 }),
        (from, to, length, ecn, label, hopLimit, offset) => {
          const view = new DataView(new ArrayBuffer(offset + ipv6HeaderLength));
          writeIpv6Header(view, offset, length, tcp, from, to, ecn, label, hopLimit);
          const header = new Ipv6Header();
          expect(header.parse(view, offset, ipv6HeaderLength + length)).to.equal(true);
          expect([header.source, header.destination]).to.deep.equal([from, to]);
          expect([header.totalLength, header.ecn, header.hopLimit]).to.deep.equal([40 + length, ecn, hopLimit]);
          expect([header.protocol, header.headerLength]).to.deep.equal([tcp, 40]);
          expect(view.getUint32(offset) & 0xf_ffff).to.equal(label);
        },
      ),
    );
  });

  it("of a packet that is cut short, or of another version, is none", () => {
    const whole = packet(tcp, 1, 2, 3, 4);
    expect(accepted(whole)).to.deep.equal([tcp, 40]);
    for (let length = 0; length < whole.length; length++)
      expect(accepted(whole, length), `${length}`).to.equal(undefined);
    whole[0] = 0x45;
    expect(accepted(whole)).to.equal(undefined);
  });

  it("may be followed by padding of the link", () => {
    const whole = packet(tcp, 1, 2, 3, 4);
    const padded = new Uint8Array(whole.length + 7);
    padded.set(whole);
    expect(accepted(padded)).to.deep.equal([tcp, 40]);
  });

  it("names nobody that cannot be: groups do not send, mapped addresses are not on wires", () => {
    for (const [at, text] of [
      [8, "ff02::1"],
      [8, "::ffff:10.0.0.1"],
      [24, "::ffff:10.0.0.1"],
    ] as const) {
      const bytes = packet(tcp);
      writeIpv6(new DataView(bytes.buffer), at, parseIpv6(text)!);
      expect(accepted(bytes), `${text} at ${at}`).to.equal(undefined);
    }
  });
});

describe("extension headers (RFC 8200 §4)", () => {
  it("that ask for nothing are skipped, in a row too", () => {
    expect(accepted(packet(hopByHop, tcp, 0, 1, 4, 0, 0, 0, 0, 9, 9))).to.deep.equal([tcp, 48]);
    expect(accepted(packet(destinationOptions, tcp, 0, 0, 0, 0, 0, 0, 0))).to.deep.equal([tcp, 48]);
    const long = Array.from({ length: 14 }, () => 0);
    expect(accepted(packet(destinationOptions, tcp, 1, ...long))).to.deep.equal([tcp, 56]);
    const row = [destinationOptions, 0, 1, 4, 0, 0, 0, 0, routing, 0, 1, 4, 0, 0, 0, 0, tcp, 0, 0, 0, 0, 0, 0, 0];
    expect(accepted(packet(hopByHop, ...row))).to.deep.equal([tcp, 64]);
  });

  it("with an option that has to be understood are refused, one that may be skipped is skipped", () => {
    const withOption = (type: number): Uint8Array => packet(destinationOptions, tcp, 0, type, 4, 0, 0, 0, 0);
    expect(accepted(withOption(0x1e))).to.deep.equal([tcp, 48]);
    for (const type of [0x5e, 0x9e, 0xde]) expect(accepted(withOption(type)), `${type}`).to.equal(undefined);
  });

  it("whose options go beyond their end are refused", () => {
    expect(accepted(packet(destinationOptions, tcp, 0, 1, 5, 0, 0, 0, 0))).to.equal(undefined);
    expect(accepted(packet(destinationOptions, tcp, 0, 1, 3, 0, 0, 0, 1))).to.equal(undefined);
  });

  it("for every hop stand first or not at all", () => {
    const second = [hopByHop, 0, 1, 4, 0, 0, 0, 0, tcp, 0, 1, 4, 0, 0, 0, 0];
    expect(accepted(packet(destinationOptions, ...second))).to.equal(undefined);
  });

  it("that would route on are refused, with nothing left to visit they are skipped (RFC 5095)", () => {
    const routed = (type: number, left: number): Uint8Array => packet(routing, tcp, 0, type, left, 0, 0, 0, 0);
    expect(accepted(routed(0, 0))).to.deep.equal([tcp, 48]);
    for (const type of [0, 2, 4]) expect(accepted(routed(type, 1)), `${type}`).to.equal(undefined);
  });

  it("of fragments are refused, but for those that are whole packets (RFC 6946)", () => {
    const part = (offsetAndFlags: number): Uint8Array =>
      packet(fragment, tcp, 0, offsetAndFlags >> 8, offsetAndFlags & 255, 1, 2, 3, 4);
    expect(accepted(part(0))).to.deep.equal([tcp, 48]);
    for (const offsetAndFlags of [1, 8, 9, 0xfff8]) expect(accepted(part(offsetAndFlags))).to.equal(undefined);
  });

  it("never lead beyond the packet, whatever they say", () => {
    const kind = fc.constantFrom<number>(hopByHop, routing, fragment, destinationOptions, tcp);
    const octet = fc.oneof(fc.integer({ min: 0, max: 255 }), kind, fc.constant(0));
    fc.assert(
      fc.property(kind, fc.array(octet, { maxLength: 80 }), (next, rest) => {
        const bytes = packet(next, ...rest);
        const result = accepted(bytes);
        if (result !== undefined) expect(result[1]).to.be.within(ipv6HeaderLength, bytes.length);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a flow label (RFC 6437 §3)", () => {
  it("is the flow's, in 20 bits, and never 0", () => {
    fc.assert(
      fc.property(unicast, unicast, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (from, to, ports) => {
        const label = flowLabel(from, to, ports);
        expect(label).to.be.within(1, 0xf_ffff);
        expect(flowLabel(from, to, ports)).to.equal(label);
      }),
    );
  });

  it("differs from port to port", () => {
    const labels = new Set(Array.from({ length: 1_000 }, (_, i) => flowLabel(source, destination, i * 0x10000 + 80)));
    expect(labels.size).to.be.above(950);
  });
});
