import { expect } from "chai";
import { adaptOptions, isFourthPacket, type Latitude } from "./latitude.ts";
import { parseScript } from "./parse-script.ts";
import type { PacketSpec } from "./syntax.ts";
import type { WireOption } from "./wire-option.ts";

function packet(text: string): PacketSpec {
  const [statement] = parseScript(text, "t.pkt").statements;
  if (statement?.action.kind !== "packet") throw new Error("no packet");
  return statement.action.packet;
}

function adapted(expected: string, seen: WireOption[]): { kinds: string[]; taken: Latitude[] } {
  const taken: Latitude[] = [];
  const options = adaptOptions(packet(`+0 > . 1:1(0) ack 1 <${expected}>`).tcp!.options!, seen, (one) =>
    taken.push(one),
  );
  return { kinds: options.map(({ kind }) => kind), taken };
}

const dss = (octets: 4 | 8): WireOption => ({
  kind: "dss",
  acknowledgement: { octets, value: 1n },
  mapping: undefined,
  fin: false,
});
const reset: WireOption = { kind: "mp_reset", reason: 1, flags: 0 };

describe("what RFCs leave open", () => {
  it("is the fourth packet of MP_CAPABLE, and no other acknowledgement", () => {
    expect(isFourthPacket(packet("+0 > . 1:1(0) ack 1 <dss dack4=1 nocs>"))).to.equal(true);
    for (const other of [
      "+0 > . 1:1(0) ack 101 <dss dack4=101 nocs>",
      "+0 > P. 1:2(1) ack 1 <dss dack4=1 dsn4=1 ssn=1 dll=1 nocs>",
      "+0 > . 1:1(0) ack 1",
      "+0 > . 1:1(0) ack 1 <dss dack4=1 nocs, add_address addr[a1] addr_echo>",
    ])
      expect(isFourthPacket(packet(other)), other).to.equal(false);
  });

  it("is how many octets a DATA_ACK has, not what it says", () => {
    expect(adapted("dss dack4=1 nocs", [dss(8)]).taken).to.deep.equal(["octets-of-numbers"]);
    expect(adapted("dss dack4=1 nocs", [dss(4)]).taken).to.deep.equal([]);
  });

  it("is MP_TCPRST beside a RST", () => {
    expect(adapted("mp_fastclose", [{ kind: "mp_fastclose", key: 1n }, reset])).to.deep.equal({
      kinds: ["mp_fastclose", "mp_reset"],
      taken: ["reason-of-reset"],
    });
    expect(adapted("mp_reset 1", []).kinds).to.deep.equal([]);
    expect(adapted("mp_reset 1", [reset]).taken).to.deep.equal([]);
  });

  it("is not that an option of MPTCP is missing", () => {
    expect(adapted("dss dack4=1 nocs", [])).to.deep.equal({ kinds: ["dss"], taken: [] });
  });
});
