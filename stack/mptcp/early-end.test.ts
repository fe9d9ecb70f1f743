import { expect } from "chai";
import { converse, makePair, wifi } from "../testing/pair.ts";

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
});
