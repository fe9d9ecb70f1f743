import { createHash, createHmac } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { hmacSha256, sha256 } from "./sha256.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("SHA-256", () => {
  it("gives the digests of FIPS 180-4's examples", () => {
    expect(hex(sha256(Buffer.from("abc")))).to.equal(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    expect(hex(sha256(new Uint8Array(0)))).to.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  });

  it("agrees with another implementation for any length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (message) => {
        expect(hex(sha256(message))).to.equal(createHash("sha256").update(message).digest("hex"));
      }),
    );
  });
});

describe("HMAC-SHA256", () => {
  it("gives the code of RFC 4231, test case 2", () => {
    expect(hex(hmacSha256(Buffer.from("Jefe"), Buffer.from("what do ya want for nothing?")))).to.equal(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
  });

  it("agrees with another implementation for any key and message", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), (key, message) => {
        expect(hex(hmacSha256(key, message))).to.equal(createHmac("sha256", key).update(message).digest("hex"));
      }),
    );
  });
});
