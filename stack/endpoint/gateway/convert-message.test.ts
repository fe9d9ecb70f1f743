import { expect } from "chai";
import fc from "fast-check";
import { isUnicast } from "../../unicast.ts";
import { ipv4FromNumber, parseIpAddress } from "../../wire/ip-address.ts";
import { ipv6FromWords, isIpv4Mapped } from "../../wire/ipv6-address.ts";
import {
  convertError,
  ConvertMessageError,
  type ConvertTlv,
  messageLength,
  parseMessage,
  type TransportAddress,
  writeMessage,
} from "./convert-message.ts";

const word = fc.integer({ min: 0, max: 0xffffffff });
const addressOf: fc.Arbitrary<TransportAddress> = fc.record({
  address: fc.oneof(
    word.map(ipv4FromNumber),
    fc
      .tuple(word, word, word, word)
      .map((words) => ipv6FromWords(...words))
      .filter((each) => !isIpv4Mapped(each)),
  ),
  port: fc.integer({ min: 0, max: 65_535 }),
});
/** Whom a client may ask for (§6.2.5). */
const remoteOf = addressOf.filter(({ address, port }) => isUnicast(address, []) && port > 0);
/** TCP options are padded to words by those who write them. */
const optionsOf = (offset: number) =>
  fc.integer({ min: 0, max: 9 }).chain((words) => {
    const length = words * 4 + offset;
    return fc.uint8Array({ minLength: length, maxLength: length });
  });
const tlvOf: fc.Arbitrary<ConvertTlv> = fc.oneof(
  fc.constant({ type: "info" } as const),
  fc.record({ type: fc.constant("connect" as const), remote: remoteOf, tcpOptions: optionsOf(0) }),
  fc.record({ type: fc.constant("extended-tcp-header" as const), tcpOptions: optionsOf(0) }),
  fc.record({
    type: fc.constant("supported-tcp-extensions" as const),
    kinds: fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 9 }),
  }),
  fc.record({ type: fc.constant("error" as const), code: fc.integer({ min: 0, max: 255 }), value: optionsOf(1) }),
  fc.record({ type: fc.constant("cookie" as const), cookie: optionsOf(0) }),
  fc.record({ type: fc.constant("source" as const), application: addressOf }),
);

function codeOf(bytes: Uint8Array): number | undefined {
  try {
    parseMessage(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof ConvertMessageError) return error.code;
    throw error;
  }
}

describe("messages of the Convert Protocol (RFC 8803)", () => {
  it("come out as they went in, in whole words", () => {
    fc.assert(
      fc.property(fc.uniqueArray(tlvOf, { selector: ({ type }) => type }), (tlvs) => {
        const message = writeMessage(tlvs);
        expect(messageLength(message)).to.equal(message.length);
        expect(parseMessage(message)).to.deep.equal(tlvs);
      }),
    );
  });

  it("are taken or refused with a code, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, begun) => {
        if (begun && bytes.length >= 4) bytes.set([1, Math.ceil(bytes.length / 4), 0x22, 0x63]);
        if (bytes.length >= 4) expect(codeOf(bytes) ?? 0).to.be.within(0, 97);
        else expect(messageLength(bytes)).to.equal(undefined);
      }),
    );
  });

  it("look on the wire as §6.2.1 and §6.2.5 draw them", () => {
    const remote = { address: parseIpAddress("192.0.2.80")!, port: 80 };
    const message = writeMessage([{ type: "connect", remote, tcpOptions: new Uint8Array(0) }]);
    const expected = "01062263 0a050050 0000000000000000 0000ffffc0000250".replaceAll(" ", "");
    expect(Buffer.from(message).toString("hex")).to.equal(expected);
  });

  it("of another version, another protocol, or unknown TLVs are told apart", () => {
    expect(codeOf(Uint8Array.of(2, 1, 0x22, 0x63))).to.equal(convertError.unsupportedVersion);
    expect(codeOf(Buffer.from("GET / HTTP/1.1\r\n"))).to.equal(convertError.malformedMessage);
    expect(codeOf(Uint8Array.of(1, 2, 0x22, 0x63, 99, 1, 0, 0))).to.equal(convertError.unsupportedMessage);
    expect(codeOf(Uint8Array.of(1, 2, 0x22, 0x63, 10, 2, 0, 0))).to.equal(convertError.malformedMessage);
    expect(codeOf(Uint8Array.of(1, 2, 0x22, 0x63, 10, 0, 0, 0))).to.equal(convertError.malformedMessage);
  });

  it("are not written longer than they can say", () => {
    const tlvs = Array.from({ length: 60 }, () => ({ type: "error", code: 1, value: new Uint8Array(29) }) as const);
    expect(() => writeMessage(tlvs)).to.throw(RangeError);
  });
});
