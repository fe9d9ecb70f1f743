import { createHash, createHmac } from "node:crypto";
import { expect } from "chai";
import { parseIpAddress } from "../wire/ip-address.ts";
import { addAddressHmac, deriveKey, joinHmac } from "./keys.ts";

const a = { high: 0x0102_0304, low: 0x0506_0708 };
const b = { high: 0xf0e0_d0c0, low: 0xb0a0_9080 };
const keyA = Buffer.from("0102030405060708", "hex");
const keyB = Buffer.from("f0e0d0c0b0a09080", "hex");

describe("keys (RFC 8684 §3.1, §3.2, §3.4.1)", () => {
  it("give the token from the first, the initial data sequence number from the last bits of their hash", () => {
    const digest = createHash("sha256").update(keyA).digest();
    const { token, firstDataSequence } = deriveKey(a);
    expect(token).to.equal(digest.readUInt32BE(0));
    expect((BigInt(firstDataSequence.high) << 32n) + BigInt(firstDataSequence.low)).to.equal(
      BigInt.asUintN(64, digest.readBigUInt64BE(24) + 1n),
    );
  });

  it("authenticate a join with the sender's key and nonce first", () => {
    const expected = createHmac("sha256", Buffer.concat([keyA, keyB]))
      .update(Buffer.from("0000000900000007", "hex"))
      .digest();
    expect(Buffer.from(joinHmac(a, b, 9, 7)).equals(expected)).to.equal(true);
  });

  it("authenticate an address with the rightmost 64 bits over id, address and port", () => {
    const expected = createHmac("sha256", Buffer.concat([keyB, keyA]))
      .update(Buffer.from("050a00020301bb", "hex"))
      .digest();
    const hmac = addAddressHmac(b, a, 5, parseIpAddress("10.0.2.3")!, 443);
    expect([hmac.high, hmac.low]).to.deep.equal([expected.readUInt32BE(24), expected.readUInt32BE(28)]);
  });

  it("authenticate all 16 octets of an IPv6 address", () => {
    const expected = createHmac("sha256", Buffer.concat([keyB, keyA]))
      .update(Buffer.from("0520010db8000000000000000000020003 0000".replaceAll(" ", ""), "hex"))
      .digest();
    const hmac = addAddressHmac(b, a, 5, parseIpAddress("2001:db8::2:3")!, 0);
    expect([hmac.high, hmac.low]).to.deep.equal([expected.readUInt32BE(24), expected.readUInt32BE(28)]);
  });
});
