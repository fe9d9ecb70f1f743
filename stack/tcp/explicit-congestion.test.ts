import { expect } from "chai";
import { converse, makePair, wifi } from "../testing/pair.ts";
import { segmentOf } from "../testing/wire-tap.ts";
import { checksumAdd, checksumFinish } from "../wire/checksum.ts";
import { tcpFlag } from "../wire/tcp-segment.ts";

const second = 1_000_000;
const on = { explicitCongestionNotification: true };

/** Marks one frame with CE. */
function markCongestion(frame: Uint8Array): void {
  frame[15]! |= 3;
  frame[24] = 0;
  frame[25] = 0;
  const sum = checksumFinish(checksumAdd(0, frame, 14, 20));
  frame[24] = sum >> 8;
  frame[25] = sum & 255;
}

/** The client sends 200 kB; the router marks the data segment number `marked`. */
function transfer(client: object, server: object, marked = -1) {
  const pair = makePair({ paths: [wifi], client: { mptcp: false, tcp: client }, server: { tcp: server } });
  const seen = { ect: 0, pureAckEct: 0, cwr: 0, echoes: 0, synFlags: [] as number[] };
  const link = pair.links[0]!;
  let data = 0;
  link.up.middlebox = (frame) => {
    const segment = segmentOf(frame);
    if (segment === undefined) return true;
    const isCapable = (frame[15]! & 3) === 2;
    if (segment.has(tcpFlag.syn)) seen.synFlags.push(segment.flags & 192);
    else if (segment.payloadLength === 0) seen.pureAckEct += isCapable ? 1 : 0;
    else {
      seen.ect += isCapable ? 1 : 0;
      seen.cwr += segment.has(tcpFlag.cwr) ? 1 : 0;
      if (++data === marked) markCongestion(frame);
    }
    return true;
  };
  link.down.middlebox = (frame) => {
    const segment = segmentOf(frame);
    if (segment?.has(tcpFlag.syn)) seen.synFlags.push(segment.flags & 192);
    else if (segment?.has(tcpFlag.ece)) seen.echoes++;
    return true;
  };
  const conversation = converse(pair, 200_000, 0);
  pair.network.run(5 * second);
  const info = conversation.client.connection.info();
  expect(conversation.server()!.received).to.equal(200_000);
  return { ...seen, info, losses: pair.network.eventsNamed("recovery:fast-retransmit").length };
}

describe("explicit congestion notification (RFC 3168)", () => {
  it("is off by default: no flags, no marks", () => {
    const { ect, synFlags } = transfer({}, on);
    expect([ect, synFlags]).to.deep.equal([0, [0, 0]]);
  });

  it("is not used when the server does not grant it", () => {
    const { ect, synFlags } = transfer(on, {});
    expect([ect, synFlags]).to.deep.equal([0, [192, 0]]);
  });

  it("marks data as capable, but no pure acknowledgements (§6.1.4)", () => {
    const { ect, pureAckEct, synFlags, echoes } = transfer(on, on);
    expect([synFlags, pureAckEct, echoes]).to.deep.equal([[192, 64], 0, 0]);
    expect(ect).to.be.greaterThan(130);
  });

  it("echoes a mark until the window is reduced, once, and without a loss (§6.1.2, §6.1.3)", () => {
    const { cwr, echoes, losses } = transfer(on, on, 30);
    expect([cwr, losses]).to.deep.equal([1, 0]);
    expect(echoes).to.be.greaterThan(1);
  });
});
