import { expect } from "chai";
import { ipv4FromNumber } from "./ip-address.ts";
import { mptcpOptionsLength, writeMptcpOptions } from "./mptcp-emit.ts";
import { MptcpOptions, mptcpPresent } from "./mptcp-options.ts";

/** The octets of an option, written over ones: what is not written shows. */
function octetsOf(fill: (options: MptcpOptions) => void): number[] {
  const options = new MptcpOptions();
  fill(options);
  const octets = new Uint8Array(60).fill(0xff);
  const end = writeMptcpOptions(options, new DataView(octets.buffer), 0);
  expect(end).to.equal(mptcpOptionsLength(options));
  return [...octets.subarray(0, end)];
}

describe("reserved bits", () => {
  it("of MP_JOIN are zero, in all three forms", () => {
    for (const length of [12, 16, 24]) {
      const octets = octetsOf((options) => {
        options.present = mptcpPresent.join;
        options.joinLength = length;
        options.joinBackup = true;
        options.joinAddressId = 9;
      });
      // The third packet has no flag and no address id (RFC 8684 §3.2, figure 8).
      expect(octets.slice(0, 4)).to.deep.equal(length === 24 ? [30, 24, 0x10, 0] : [30, length, 0x11, 9]);
    }
  });

  it("of a DSS are zero", () => {
    const octets = octetsOf((options) => {
      options.present = mptcpPresent.dss;
      options.hasDataAck = true;
      options.dataAck64 = true;
      options.hasMapping = true;
      options.dataSequence64 = true;
      options.dataFin = true;
    });
    expect(octets.slice(2, 4)).to.deep.equal([0x20, 0b0001_1111]);
  });

  it("of MP_FAIL, MP_FASTCLOSE, REMOVE_ADDR and MP_PRIO are zero", () => {
    expect(octetsOf((options) => (options.present = mptcpPresent.fail)).slice(2, 4)).to.deep.equal([0x60, 0]);
    expect(octetsOf((options) => (options.present = mptcpPresent.fastClose)).slice(2, 4)).to.deep.equal([0x70, 0]);
    const removal = octetsOf((options) => {
      options.present = mptcpPresent.removeAddress;
      options.removeAddressCount = 1;
    });
    expect(removal[2]).to.equal(0x40);
    expect(octetsOf((options) => (options.present = mptcpPresent.priority))[2]).to.equal(0x50);
  });

  it("of ADD_ADDR and MP_TCPRST are zero", () => {
    const advertisement = octetsOf((options) => {
      options.present = mptcpPresent.addAddress;
      options.addAddress.address = ipv4FromNumber(0x0a00_0001);
    });
    expect(advertisement[2]).to.equal(0x30);
    const reset = octetsOf((options) => {
      options.present = mptcpPresent.reset;
      options.resetReason = 1;
      options.resetTransient = false;
    });
    expect(reset.slice(2, 4)).to.deep.equal([0x80, 1]);
  });
});
