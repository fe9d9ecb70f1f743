import { expect } from "chai";
import { checkStreams } from "./check-streams.ts";
import { converse, makePair } from "./pair.ts";
import { segmentOf } from "./wire-tap.ts";

const second = 1_000_000;

describe("segmentation offload", () => {
  it("sends super-packets of up to 44 segments with one mapping each, and takes them", () => {
    const pair = makePair({ paths: [{ delay: 500 }, { delay: 900 }], gso: true });
    let largest = 0;
    for (const { down } of pair.links) {
      down.middlebox = (frame) => {
        const segment = segmentOf(frame)!;
        largest = Math.max(largest, segment?.payloadLength ?? 0);
        if (segment?.mptcp.hasMapping && !segment.mptcp.dataFin)
          expect(segment.mptcp.dataLength).to.equal(segment.payloadLength);
        return true;
      };
    }
    const conversation = converse(pair, 100_000, 20_000_000);
    pair.network.run(60 * second, () => conversation.client.closed && conversation.server()?.closed === true);
    checkStreams(conversation, 100_000, 20_000_000);
    expect(largest).to.be.within(30 * 1428, 44 * 1428);
  });

  it("keeps the mapping of a super-packet when parts of it are sent again", () => {
    const pair = makePair({
      paths: [
        { delay: 2_000, loss: 0.03, rate: 50_000_000 },
        { delay: 5_000, loss: 0.03 },
      ],
      gso: true,
      seed: 5,
    });
    const mappings = new Map<string, number>();
    pair.links.forEach(({ down }, link) => {
      down.middlebox = (frame) => {
        const segment = segmentOf(frame);
        if (segment?.mptcp.hasMapping && segment.payloadLength > 0) {
          const { subflowSequence, dataLength } = segment.mptcp;
          const known = mappings.get(`${link} ${subflowSequence}`);
          // A receiver may hold the beginning already: the kernel refuses another mapping for the rest.
          if (known !== undefined) expect(dataLength).to.equal(known);
          mappings.set(`${link} ${subflowSequence}`, dataLength);
        }
        return true;
      };
    });
    const conversation = converse(pair, 100, 4_000_000);
    pair.network.run(120 * second, () => conversation.client.closed && conversation.server()?.closed === true);
    checkStreams(conversation, 100, 4_000_000);
    expect(
      conversation
        .server()!
        .connection.info()
        .subflows.some((subflow) => subflow.retransmissions > 0),
    ).to.equal(true);
  });
});
