/** A SYN/ACK is lost: what the handshake took says nothing of the path. */

import { expect } from "chai";
import { mptcpPresent } from "../wire/mptcp-options.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import { converse, makePair, thirdGeneration, wifi } from "./pair.ts";
import { dropWhen } from "./wire-tap.ts";

const second = 1_000_000;

describe("a join whose SYN/ACK is lost", () => {
  it("is used as what it is, the faster path, also by a stream that does not fill the first", () => {
    const pair = makePair({ paths: [thirdGeneration, wifi] });
    const { network, links } = pair;
    const isSynOfJoin = (segment: TcpSegment): boolean =>
      segment.has(tcpFlag.syn) && segment.mptcp.has(mptcpPresent.join);
    const sent = { up: 0, down: 0 };
    // The second SYN as well: what comes at last is the SYN/ACK that the server sends again by itself, with the timestamp of the first.
    links[1]!.up.middlebox = dropWhen((segment) => isSynOfJoin(segment) && ++sent.up === 2);
    links[1]!.down.middlebox = dropWhen((segment) => isSynOfJoin(segment) && ++sent.down === 1);
    const { client } = converse(pair, 1_000, 0, { endsAfterSending: false });
    for (let i = 0; i < 20; i++) {
      network.run(second / 4);
      client.toSend += 5_000;
      client.send();
    }
    network.run(second);
    expect(sent).to.deep.equal({ up: 2, down: 2 });
    const joined = client.connection.info().subflows[1]!;
    expect(joined.smoothedRttMicroseconds).to.be.below(100_000);
    expect(joined.bytesAcked).to.be.above(60_000);
  });
});
