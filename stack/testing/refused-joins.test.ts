/** MP_JOIN answered with RST when no other subflow is left: the peer has forgotten the connection, or has no room for one more subflow now (RFC 8684 §3.6). */

import { expect } from "chai";
import { mptcpPresent, resetReason } from "../wire/mptcp-options.ts";
import { checkStreams } from "./check-streams.ts";
import { converse, type Conversation, makePair, type Pair, wifi } from "./pair.ts";
import { resetWhen } from "./segment-surgery.ts";

const second = 1_000_000;
const bytes = 8_000_000;

/** All of the client's interfaces lose their carrier in the middle of a download, and get it back. */
function carrierLostAndBack(meanwhile: (pair: Pair) => void = () => {}): { pair: Pair; conversation: Conversation } {
  const pair = makePair({ paths: [wifi, wifi, wifi, wifi], server: { maximumSubflows: 3 } });
  const conversation = converse(pair, 1_000, bytes);
  const { network, client, links } = pair;
  network.run(second);
  links.forEach((_, index) => client.setInterfaceUp(index, false, network.now));
  network.run(second / 2);
  meanwhile(pair);
  links.forEach((_, index) => client.setInterfaceUp(index, true, network.now));
  return { pair, conversation };
}

describe("joins refused while no subflow is left", () => {
  it("for lack of resources are tried again: the peer still holds the subflows that have gone", () => {
    const { pair, conversation } = carrierLostAndBack();
    const { client, server } = conversation;
    pair.network.run(300 * second, () => client.closed && server()?.closed === true);
    checkStreams(conversation, 1_000, bytes);
    const reasons = pair.network.eventsNamed("mptcp:reset-received", pair.client).map(({ reasonCode }) => reasonCode);
    expect(reasons.filter((reason) => reason === resetReason.lackOfResources)).to.have.length.of.at.least(3);
  });

  it("without a reason end the connection: the peer does not know it any more", () => {
    const { pair, conversation } = carrierLostAndBack(({ network, links }) => {
      for (const link of links)
        link.up.middlebox = resetWhen(network, link, ({ mptcp }) => mptcp.has(mptcpPresent.join));
    });
    const { client } = conversation;
    expect(pair.network.run(5 * second, () => client.closed)).to.equal(true);
    expect(client.error).to.equal("ECONNRESET");
  });
});
