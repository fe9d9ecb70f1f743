import { expect } from "chai";
import { converse, makePair, wifi } from "../testing/pair.ts";
import { dropWhen } from "../testing/wire-tap.ts";
import { mptcpPresent } from "../wire/mptcp-options.ts";

describe("an initiator that ends as soon as it is established", () => {
  // Until the peer has shown that it has both keys they stand where DATA_FIN was to stand (RFC 8684 §3.1).
  for (const bytes of [0, 1_000])
    it(`after ${bytes} bytes, tells so at once, not when a timer expires`, () => {
      const pair = makePair({ paths: [wifi] });
      const { client, server } = converse(pair, bytes, 0, { endsAfterSending: false });
      client.endsAfterSending = true;
      // Round trips of 20 ms: the handshake, what confirms it, the end. The data timer has 400 ms.
      pair.network.run(150_000);
      expect(server()).to.include({ received: bytes, remoteEnded: true, closed: false });
      expect(client.connection.plain).to.equal(false);
    });

  it("owes nothing when it is over: DATA_FIN is no byte", () => {
    const pair = makePair({ paths: [wifi] });
    converse(pair, 1_000, 1_000);
    // Beyond TIME-WAIT.
    pair.network.run(70_000_000);
    const closed = pair.network.eventsNamed("mptcp:subflow-closed");
    expect(closed.map(({ unacknowledgedBytes }) => unacknowledgedBytes)).to.deep.equal([0, 0]);
  });

  it("still ends, and over Multipath TCP, when the third packet is lost and the end overtakes it", () => {
    const pair = makePair({ paths: [wifi] });
    let lost = 0;
    pair.links[0]!.up.middlebox = dropWhen(
      ({ mptcp }) => mptcp.has(mptcpPresent.capable) && mptcp.capableKeys === 2 && lost++ === 0,
    );
    const { client, server } = converse(pair, 0, 0, { endsAfterSending: false });
    client.endsAfterSending = true;
    pair.network.run(5_000_000);
    expect(lost).to.be.greaterThan(1);
    expect(server()).to.include({ remoteEnded: true, closed: false });
    expect([client.connection.plain, server()!.connection.plain]).to.deep.equal([false, false]);
  });
});
