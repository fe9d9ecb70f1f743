import { expect } from "chai";
import { checkStreams } from "../testing/check-streams.ts";
import { converse, makePair, wifi } from "../testing/pair.ts";
import { dropWhen } from "../testing/wire-tap.ts";
import { SequenceWidth } from "./sequence-width.ts";

const second = 1_000_000;

/** Sends at a steady rate for ten minutes; whether 8 octets were in use at the end of each minute. */
function longAfterMinutes(bytesPerSecond: number): boolean[] {
  const width = new SequenceWidth();
  const minutes: boolean[] = [];
  for (let time = 0; time <= 600; time++) {
    width.note(time * bytesPerSecond, time * second);
    if (time > 0 && time % 60 === 0) minutes.push(width.isLong);
  }
  return minutes;
}

describe("data sequence numbers", () => {
  it("have 4 octets at rates at which these cannot wrap in two lifetimes of a segment", () => {
    expect(longAfterMinutes(8_000_000)).to.deep.equal(Array(10).fill(false));
  });

  it("have 8 octets where 4 would wrap within one, and before they do", () => {
    expect(longAfterMinutes(36_000_000).slice(1)).to.deep.equal(Array(9).fill(true));
  });

  it("have 4 octets again when the sender has become slow", () => {
    const width = new SequenceWidth();
    width.note(0, 0);
    width.note(2 ** 31 + 1, second);
    expect(width.isLong).to.equal(true);
    width.note(2 ** 31 + 2, 121 * second);
    width.note(2 ** 31 + 3, 242 * second);
    expect(width.isLong).to.equal(false);
  });

  for (const dssChecksum of [false, true]) {
    it(`of 8 octets cross in mid-stream${dssChecksum ? ", with checksums" : ""}, and are acknowledged with as many`, () => {
      const pair = makePair({ paths: [wifi], client: { dssChecksum } });
      let widths = { data: [0, 0], acknowledgements: [0, 0] };
      pair.links[0]!.up.middlebox = dropWhen(({ mptcp }) => {
        if (mptcp.hasMapping) widths.data[mptcp.dataSequence64 ? 1 : 0]!++;
        return false;
      });
      pair.links[0]!.down.middlebox = dropWhen(({ mptcp }) => {
        if (mptcp.hasDataAck) widths.acknowledgements[mptcp.dataAck64 ? 1 : 0]!++;
        return false;
      });
      const conversation = converse(pair, 600_000, 1_000);
      const { client } = conversation;
      pair.network.run(60 * second, () => client.connection.info().bytesAcked > 200_000);
      const { sequenceWidth } = client.connection;
      // As after 2 GiB in a short time.
      sequenceWidth.note = () => void (sequenceWidth.isLong = true);
      widths = { data: [0, 0], acknowledgements: [0, 0] };
      pair.network.run(60 * second, () => client.closed && conversation.server()?.closed === true);
      checkStreams(conversation, 600_000, 1_000);
      expect(widths.data[1]).to.be.greaterThan(100);
      expect(widths.acknowledgements[1]).to.be.greaterThan(50);
    });
  }
});
