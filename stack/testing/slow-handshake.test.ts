/** A handshake takes longer than a round trip of its path: that says nothing of the path. */

import { expect } from "chai";
import { etherType } from "../wire/ethernet.ts";
import { mptcpPresent } from "../wire/mptcp-options.ts";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import { converse, makePair, type Pair, thirdGeneration, wifi } from "./pair.ts";
import { dropWhen } from "./wire-tap.ts";

const second = 1_000_000;
const isSynOfJoin = (segment: TcpSegment): boolean => segment.has(tcpFlag.syn) && segment.mptcp.has(mptcpPresent.join);

/** What the server sends again by itself, with the timestamp of the first SYN, is the one SYN/ACK that comes. */
function loseSynAck({ links }: Pair): void {
  const sent = { up: 0, down: 0 };
  links[1]!.up.middlebox = dropWhen((segment) => isSynOfJoin(segment) && ++sent.up === 2);
  links[1]!.down.middlebox = dropWhen((segment) => isSynOfJoin(segment) && ++sent.down === 1);
}

function loseAddressRequest({ links }: Pair): void {
  let sent = 0;
  links[1]!.up.middlebox = (frame) => ((frame[12]! << 8) | frame[13]!) !== etherType.arp || sent++ > 0;
}

describe("a join that took long", () => {
  for (const [why, lose] of [
    ["its SYN/ACK was lost", loseSynAck],
    ["the router's address was asked for in vain", loseAddressRequest],
  ] as const)
    it(`is used as what it is, the faster path, also by a stream that does not fill the first: ${why}`, () => {
      const pair = makePair({ paths: [thirdGeneration, wifi] });
      lose(pair);
      const { network } = pair;
      const { client } = converse(pair, 1_000, 0, { endsAfterSending: false });
      for (let i = 0; i < 20; i++) {
        network.run(second / 4);
        client.toSend += 5_000;
        client.send();
      }
      network.run(second);
      const [joined] = network
        .eventsNamed("mptcp:subflow-established", pair.client)
        .filter(({ interfaceName }) => interfaceName === "eth1");
      expect(joined!.handshakeMicroseconds).to.be.above(400_000);
      const info = client.connection.info().subflows[1]!;
      expect(info.smoothedRttMicroseconds).to.be.below(100_000);
      expect(info.bytesAcked).to.be.above(60_000);
    });
});
