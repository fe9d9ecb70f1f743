import { expect } from "chai";
import { mptcpPresent } from "../wire/mptcp-options.ts";
import { converse, makePair } from "./pair.ts";
import { segmentOf, tcpStart } from "./wire-tap.ts";

const second = 1_000_000;

describe("ADD_ADDR with an IPv6 address (RFC 8684 §3.4.1)", () => {
  it("has all 40 octets of options to itself and the timestamps: no DATA_ACK beside it", () => {
    const pair = makePair({ clientFamilies: ["ipv4", "ipv6"], serverFamily: "both" });
    const headers: { length: number; dss: boolean }[] = [];
    pair.links[0]!.down.middlebox = (frame) => {
      const mptcp = segmentOf(frame)?.mptcp;
      if (mptcp?.has(mptcpPresent.addAddress) === true)
        headers.push({ length: frame.length - tcpStart, dss: mptcp.has(mptcpPresent.dss) });
      return true;
    };
    converse(pair, 1_000, 100_000, { endsAfterSending: false });
    pair.network.run(3 * second);
    expect(headers).to.deep.equal([{ length: 60, dss: false }]);
  });
});
