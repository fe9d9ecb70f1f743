import { expect } from "chai";
import { converse, makePair, thirdGeneration, wifi } from "../testing/pair.ts";

const second = 1_000_000;

describe("the single path of path-manager", () => {
  it("opens the next subflow when the interface of the one before goes down, and none when it comes back", () => {
    const pair = makePair({ paths: [wifi, thirdGeneration], client: { pathManager: "single-path" } });
    const { client, network } = pair;
    const bytes = 4_000_000;
    const conversation = converse(pair, bytes, 1_000);
    const created = () => network.eventsNamed("mptcp:subflow-created", client).length;
    network.run(second);
    expect(created()).to.equal(1);
    client.setInterfaceUp(0, false, network.now);
    network.run(second);
    expect(created()).to.equal(2);
    client.setInterfaceUp(0, true, network.now);
    network.run(300 * second, () => conversation.client.closed && conversation.server()?.closed === true);
    expect(created()).to.equal(2);
    expect(conversation.client.error).to.equal(undefined);
  });

  it("finds out that the path under a download is silent: half a second, and three questions of 200 ms", () => {
    const pair = makePair({ paths: [wifi, thirdGeneration], client: { pathManager: "single-path" } });
    const { network, client, links } = pair;
    converse(pair, 1_000, 20_000_000, { endsAfterSending: false });
    network.run(2 * second);
    links[0]!.up.blackhole = true;
    links[0]!.down.blackhole = true;
    const silentSince = network.now;
    network.run(2 * second);
    const [, next] = network.eventsNamed("mptcp:subflow-created", client);
    // What waits in the link's buffer of 80 ms still comes.
    expect(next!.time - silentSince).to.be.within(1_100_000, 1_200_000);
  });

  it("does not keep a listener from telling its addresses", () => {
    const pair = makePair({ paths: [wifi, thirdGeneration], server: { pathManager: "single-path" } });
    converse(pair, 1_000, 1_000, { endsAfterSending: false });
    pair.network.run(5 * second);
    expect(pair.network.eventsNamed("mptcp:subflow-created", pair.client)).to.have.length(2);
  });
});
