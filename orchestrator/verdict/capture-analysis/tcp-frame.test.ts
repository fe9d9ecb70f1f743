import { expect } from "chai";
import { readTcpFrame } from "./tcp-frame.ts";

/** A SYN from 2001:db8:0:1::2, byte by byte. */
const syn = Buffer.from(
  [
    "020000000102 020000000101 86dd",
    "60000000 0014 06 40",
    "20010db8 00000001 00000000 00000002",
    "20010db8 00000009 00000000 00000002",
    "9c40 1389 00000007 00000000 5002 ffff 0000 0000",
  ]
    .join("")
    .replaceAll(" ", ""),
  "hex",
);

describe("TCP over IPv6 in a capture", () => {
  it("has the ends that plan and metrics name", () => {
    const frame = readTcpFrame(syn, syn.length)!;
    expect(frame.source()).to.equal("[2001:db8:0:1::2]:40000");
    expect(frame.destination()).to.equal("[2001:db8:0:9::2]:5001");
    expect(frame).to.include({ syn: true, ack: false, sequence: 7, payloadLength: 0 });
  });

  it("is told from what only carries its number in another place", () => {
    const other = Buffer.from(syn);
    other[20] = 58;
    expect(readTcpFrame(other, other.length)).to.equal(undefined);
  });

  it("counts the payload by the header, not by what was captured", () => {
    const cut = Buffer.from(syn);
    cut.writeUInt16BE(20 + 1408, 18);
    expect(readTcpFrame(cut, 54 + 20 + 1408)!.payloadLength).to.equal(1408);
  });
});
