/** Options that get lost one way only, under an application that says nothing: the fallback of one side has to reach the other (RFC 8684 §3.7). */

import { expect } from "chai";
import { mptcpPresent } from "../wire/mptcp-options.ts";
import { bound, onLink } from "./middlebox-row.ts";
import { converse, makePair } from "./pair.ts";
import { stripMptcp } from "./wire-tap.ts";

for (const paths of [1, 2]) {
  for (const delay of [5_000, 100_000]) {
    it(`options stripped from data towards a silent client, ${paths} path${paths === 1 ? "" : "s"} of ${delay / 1000} ms: every byte once, as plain TCP`, () => {
      const path = { rate: 20_000_000, delay, queueBytes: 100_000 };
      const pair = makePair({ paths: Array.from({ length: paths }, () => path) });
      pair.links.forEach((_, index) =>
        onLink(
          pair,
          index,
          undefined,
          stripMptcp((segment) => segment.payloadLength > 0 && !segment.mptcp.has(mptcpPresent.join)),
        ),
      );
      const conversation = converse(pair, 0, 4000, { endsAfterSending: false });
      const { client } = conversation;
      pair.network.run(bound, () => client.error !== undefined || conversation.server()?.error !== undefined);
      expect(client.corrupt).to.equal(false);
      expect(client.error).to.equal(undefined);
      expect(client.received).to.equal(4000);
      expect(client.connection.info().fallbackReason).to.equal("mapping-missing");
    });
  }
}
