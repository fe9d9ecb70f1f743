/** What RFC 8684 asks of each subflow while others carry the stream: silence before the fourth packet, retransmission, FIN. */

import { expect } from "chai";
import { mptcpPresent } from "../wire/mptcp-options.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import { converse, makePair, streamByte, wifi } from "./pair.ts";
import { chain, dropWhen, segmentOf } from "./wire-tap.ts";

const second = 1_000_000;
const isSyn = (segment: TcpSegment): boolean => segment.has(tcpFlag.syn);

describe("a subflow", () => {
  it("carries no data of its initiator before the fourth packet of its handshake (§3.2)", () => {
    const pair = makePair({ paths: [wifi, wifi] });
    let [thirds, data, answersPass] = [0, 0, false];
    pair.links[1]!.up.middlebox = dropWhen((segment) => {
      if (segment.mptcp.has(mptcpPresent.join) && !isSyn(segment)) thirds++;
      if (segment.payloadLength > 0) data++;
      return false;
    });
    pair.links[1]!.down.middlebox = dropWhen((segment) => !isSyn(segment) && !answersPass);
    const conversation = converse(pair, 3_000_000, 1_000);
    pair.network.run(second);
    expect([thirds > 1, data]).to.deep.equal([true, 0]);
    answersPass = true;
    pair.network.run(60 * second, () => conversation.client.closed);
    expect(data).to.be.greaterThan(100);
  });

  it("sends again what it has sent, the same bytes, although DATA_ACK covers them by now (§3.3.2, §3.3.6)", () => {
    const pair = makePair({ paths: [wifi, wifi] });
    const conversation = converse(pair, 1_000_000, 1_000, { endsAfterSending: false });
    const { client } = conversation;
    pair.network.run(second / 5);
    const { links } = pair;
    links[1]!.up.blackhole = true;
    const held = (): number => client.connection.subflows[1]?.endpoint.sender.outstanding ?? 0;
    pair.network.run(10 * second, () => client.connection.info().bytesAcked === 1_000_000);
    expect(client.connection.info().bytesAcked).to.equal(1_000_000);
    expect(held()).to.be.greaterThan(0);
    let again = 0;
    const wrong: number[] = [];
    const base = client.connection.localKey!.firstDataSequence.low;
    const { initialSequence } = client.connection.subflows[1]!.endpoint.sender;
    links[1]!.up.middlebox = (frame) => {
      const segment = segmentOf(frame);
      if (segment === undefined || segment.payloadLength === 0) return true;
      const { dataSequenceLow, subflowSequence, hasMapping } = segment.mptcp;
      expect(hasMapping).to.equal(true);
      const inMapping = (segment.sequence - initialSequence - subflowSequence) | 0;
      const dataOffset = ((dataSequenceLow - base) | 0) + inMapping;
      for (let i = 0; i < segment.payloadLength; i++)
        if (frame[segment.payloadOffset + i] !== streamByte(dataOffset + i)) wrong.push(dataOffset + i);
      again++;
      return true;
    };
    links[1]!.up.blackhole = false;
    pair.network.run(20 * second, () => held() === 0);
    expect(held()).to.equal(0);
    expect(again).to.be.greaterThan(0);
    expect(wrong).to.deep.equal([]);
  });

  it("that is silent at the end gets a FIN like the others (§3.3.3)", () => {
    const pair = makePair({ paths: [wifi, wifi] });
    const conversation = converse(pair, 500_000, 1_000, { endsAfterSending: false });
    pair.network.run(second / 5);
    const fins = [0, 0];
    pair.links.forEach(({ up }, index) => {
      up.middlebox = chain(
        dropWhen((segment) => {
          if (segment.has(tcpFlag.fin)) fins[index]!++;
          return false;
        }),
        dropWhen(() => index === 1),
      );
    });
    pair.network.run(10 * second);
    conversation.client.connection.closeWrite(pair.network.now);
    conversation.server()!.connection.closeWrite(pair.network.now);
    pair.network.run(400 * second, () => pair.client.connections.length === 0);
    expect(fins[0]).to.be.greaterThan(0);
    expect(fins[1]).to.be.greaterThan(0);
    expect(pair.client.holdings.subflows).to.equal(0);
  });
});
