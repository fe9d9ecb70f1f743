import { expect } from "chai";
import { addressAfter, addressBytes, addressText, canonicalAddress } from "./address-text.ts";

describe("addresses of scripts", () => {
  it("have one form for each value (RFC 5952)", () => {
    for (const text of ["2001:DB8:0:0:0:0:0:1", "2001:0db8::0001", "2001:db8::1"])
      expect(canonicalAddress(text)).to.equal("2001:db8::1");
    expect(canonicalAddress("192.0.2.1")).to.equal("192.0.2.1");
    expect(canonicalAddress("192.0.2.256")).to.equal(undefined);
    expect(canonicalAddress("2001:db8::1::2")).to.equal(undefined);
  });

  it("have the bytes of packets, and come back from them", () => {
    expect([...addressBytes("192.0.2.1")]).to.deep.equal([192, 0, 2, 1]);
    expect(Buffer.from(addressBytes("2001:db8::7:1")).toString("hex")).to.equal("20010db8000000000000000000070001");
    for (const text of [
      "0.0.0.0",
      "255.255.255.255",
      "::",
      "::1",
      "fe80::",
      "2001:db8:1:2:3:4:5:6",
      "::ffff:192.0.2.1",
    ])
      expect(addressText(addressBytes(canonicalAddress(text)!)), text).to.equal(canonicalAddress(text));
  });

  it("are counted on beyond the end of an octet", () => {
    expect(addressAfter("192.0.2.255", 1)).to.equal("192.0.3.0");
    expect(addressAfter("2001:db8::ffff", 2)).to.equal("2001:db8::1:1");
  });
});
