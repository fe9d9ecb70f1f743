import { expect } from "chai";
import fc from "fast-check";
import { parseIpAddress } from "./ip-address.ts";
import { type MptcpOptions, mptcpPresent } from "./mptcp-options.ts";
import { sequenceNumber } from "./sequence.ts";
import { tcpOptionsLength, writeTcp } from "./tcp-emit.ts";
import { parseTcp } from "./tcp-parse.ts";
import { tcpFlag, tcpHeaderLength, TcpSegment } from "./tcp-segment.ts";

function roundTrip(segment: TcpSegment): TcpSegment {
  const bytes = new Uint8Array(80);
  const view = new DataView(bytes.buffer);
  const length = writeTcp(segment, view, 0);
  expect(length).to.equal(tcpHeaderLength + tcpOptionsLength(segment));
  expect(length % 4).to.equal(0);
  const parsed = new TcpSegment();
  expect(parseTcp(parsed, bytes, view, 0, length)).to.equal(true);
  return parsed;
}

function withOptions(fill: (options: MptcpOptions) => void): TcpSegment {
  const segment = new TcpSegment();
  segment.flags = tcpFlag.ack;
  fill(segment.mptcp);
  return segment;
}

const word = fc.integer({ min: 0, max: 0xffff_ffff });

describe("a TCP segment", () => {
  it("comes back from its bytes with all ordinary options", () => {
    fc.assert(
      fc.property(
        word,
        word,
        fc.nat(65535),
        fc.integer({ min: 0, max: 3 }),
        fc.boolean(),
        (sequence, acknowledgement, window, sacks, timestamps) => {
          const segment = new TcpSegment();
          segment.sourcePort = 1234;
          segment.destinationPort = 65535;
          segment.sequence = sequenceNumber(sequence);
          segment.acknowledgement = sequenceNumber(acknowledgement);
          segment.flags = tcpFlag.ack | tcpFlag.psh;
          segment.window = window;
          segment.hasTimestamps = timestamps;
          segment.timestampValue = sequence;
          segment.timestampEcho = acknowledgement;
          segment.sackCount = sacks;
          for (let i = 0; i < 2 * sacks; i++) segment.sackEdges[i] = (sequence + i * 1000) >>> 0;
          const parsed = roundTrip(segment);
          for (const field of [
            "sourcePort",
            "destinationPort",
            "sequence",
            "acknowledgement",
            "flags",
            "window",
            "hasTimestamps",
            "sackCount",
          ] as const) {
            expect(parsed[field], field).to.equal(segment[field]);
          }
          if (timestamps)
            expect([parsed.timestampValue, parsed.timestampEcho]).to.deep.equal([sequence, acknowledgement]);
          expect([...parsed.sackEdges.subarray(0, 2 * sacks)]).to.deep.equal([
            ...segment.sackEdges.subarray(0, 2 * sacks),
          ]);
        },
      ),
    );
  });

  it("comes back with the options of a SYN", () => {
    const segment = new TcpSegment();
    segment.flags = tcpFlag.syn;
    segment.mss = 1460;
    segment.windowScale = 8;
    segment.sackPermitted = true;
    segment.hasTimestamps = true;
    const parsed = roundTrip(segment);
    expect([parsed.mss, parsed.windowScale, parsed.sackPermitted, parsed.hasTimestamps]).to.deep.equal([
      1460,
      8,
      true,
      true,
    ]);
  });

  it("never reads beyond its bytes, whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        parseTcp(
          new TcpSegment(),
          bytes,
          new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
          0,
          bytes.length,
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe("MPTCP options come back from their bytes", () => {
  it("DSS in all combinations of 4 and 8 octets, checksum and DATA_FIN", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.option(fc.nat(65535)),
        word,
        word,
        (hasDataAck, dataAck64, hasMapping, dataSequence64, dataFin, checksum, high, low) => {
          const { mptcp } = roundTrip(
            withOptions((options) => {
              options.present = mptcpPresent.dss;
              Object.assign(options, {
                hasDataAck,
                dataAck64,
                dataAckHigh: high,
                dataAckLow: low,
                hasMapping,
                dataSequence64,
                dataSequenceHigh: low,
                dataSequenceLow: high,
                subflowSequence: low,
                dataLength: 65_000,
                dataFin: hasMapping && dataFin,
                checksum: hasMapping ? (checksum ?? -1) : -1,
              });
            }),
          );
          expect(mptcp.present).to.equal(mptcpPresent.dss);
          expect([mptcp.hasDataAck, mptcp.hasMapping, mptcp.dataFin]).to.deep.equal([
            hasDataAck,
            hasMapping,
            hasMapping && dataFin,
          ]);
          if (hasDataAck) expect([mptcp.dataAckHigh, mptcp.dataAckLow]).to.deep.equal([dataAck64 ? high : 0, low]);
          if (hasMapping) {
            expect([
              mptcp.dataSequenceHigh,
              mptcp.dataSequenceLow,
              mptcp.subflowSequence,
              mptcp.dataLength,
              mptcp.checksum,
            ]).to.deep.equal([dataSequence64 ? low : 0, high, low, 65_000, checksum ?? -1]);
          }
        },
      ),
    );
  });

  it("MP_CAPABLE of SYN, SYN/ACK, third ACK, with data and with checksum", () => {
    for (const [keys, dataLength, checksum, length] of [
      [0, 0, -1, 4],
      [1, 0, -1, 12],
      [2, 0, -1, 20],
      [2, 1400, -1, 24],
      [2, 1400, 77, 24],
    ] as const) {
      const segment = withOptions((options) => {
        Object.assign(options, {
          present: mptcpPresent.capable,
          capableFlags: 0x81,
          capableKeys: keys,
          capableDataLength: dataLength,
          checksum,
          senderKeyHigh: 0xdead_beef,
          senderKeyLow: 1,
          receiverKeyHigh: 2,
          receiverKeyLow: 0xffff_ffff,
        });
      });
      expect(tcpOptionsLength(segment)).to.equal(length);
      const { mptcp } = roundTrip(segment);
      expect([
        mptcp.capableVersion,
        mptcp.capableFlags,
        mptcp.capableKeys,
        mptcp.capableDataLength,
        mptcp.checksum,
      ]).to.deep.equal([1, 0x81, keys, dataLength, checksum]);
      if (keys > 0) expect([mptcp.senderKeyHigh, mptcp.senderKeyLow]).to.deep.equal([0xdead_beef, 1]);
      if (keys > 1) expect([mptcp.receiverKeyHigh, mptcp.receiverKeyLow]).to.deep.equal([2, 0xffff_ffff]);
    }
  });

  it("MP_JOIN of SYN, SYN/ACK and ACK", () => {
    for (const joinLength of [12, 16, 24]) {
      const { mptcp } = roundTrip(
        withOptions((options) => {
          Object.assign(options, {
            present: mptcpPresent.join,
            joinLength,
            joinBackup: true,
            joinAddressId: 7,
            joinToken: 0x8000_0001,
            joinNonce: 9,
          });
          options.joinHmac.fill(0xab);
        }),
      );
      expect(mptcp.joinLength).to.equal(joinLength);
      if (joinLength < 24) expect([mptcp.joinBackup, mptcp.joinAddressId, mptcp.joinNonce]).to.deep.equal([true, 7, 9]);
      if (joinLength === 12) expect(mptcp.joinToken).to.equal(0x8000_0001);
      else
        expect([...mptcp.joinHmac.subarray(0, joinLength === 16 ? 8 : 20)].every((byte) => byte === 0xab)).to.equal(
          true,
        );
    }
  });

  it("ADD_ADDR with and without port and echo", () => {
    for (const [echo, port, text] of [
      [false, 0, "10.0.1.2"],
      [false, 443, "10.0.1.2"],
      [true, 0, "10.0.1.2"],
      [true, 443, "10.0.1.2"],
      [false, 0, "2001:db8::1:2"],
      [false, 443, "2001:db8::1:2"],
      [true, 0, "2001:db8::1:2"],
      [true, 443, "2001:db8::1:2"],
    ] as const) {
      const given = { echo, id: 3, address: parseIpAddress(text)!, port, hmacHigh: 11, hmacLow: 0xffff_fff0 };
      const { mptcp } = roundTrip(
        withOptions((options) => {
          options.present = mptcpPresent.addAddress;
          Object.assign(options.addAddress, given);
        }),
      );
      expect(mptcp.addAddress).to.include(echo ? { ...given, hmacHigh: 0, hmacLow: 0 } : given);
    }
  });

  it("REMOVE_ADDR, MP_PRIO, MP_FAIL, MP_FASTCLOSE and MP_TCPRST", () => {
    const removed = roundTrip(
      withOptions((options) => {
        options.present = mptcpPresent.removeAddress;
        options.removeAddressCount = 3;
        options.removeAddressIds.set([1, 2, 255]);
      }),
    ).mptcp;
    expect([...removed.removeAddressIds.subarray(0, removed.removeAddressCount)]).to.deep.equal([1, 2, 255]);
    for (const backup of [true, false]) {
      const { mptcp } = roundTrip(
        withOptions((options) => Object.assign(options, { present: mptcpPresent.priority, priorityBackup: backup })),
      );
      expect([mptcp.present, mptcp.priorityBackup]).to.deep.equal([mptcpPresent.priority, backup]);
    }
    const reset = roundTrip(
      withOptions((options) =>
        Object.assign(options, {
          present: mptcpPresent.fastClose | mptcpPresent.reset | mptcpPresent.fail,
          fastCloseKeyHigh: 5,
          fastCloseKeyLow: 6,
          resetTransient: true,
          resetReason: 6,
          failSequenceHigh: 7,
          failSequenceLow: 8,
        }),
      ),
    ).mptcp;
    expect([
      reset.fastCloseKeyHigh,
      reset.fastCloseKeyLow,
      reset.resetTransient,
      reset.resetReason,
      reset.failSequenceHigh,
      reset.failSequenceLow,
    ]).to.deep.equal([5, 6, true, 6, 7, 8]);
  });
});
