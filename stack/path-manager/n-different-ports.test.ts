import { expect } from "chai";
import { resetWhen } from "../testing/segment-surgery.ts";
import { mptcpPresent } from "../wire/mptcp-options.ts";
import { converse, makePair, type Pair, wifi } from "../testing/pair.ts";

const second = 1_000_000;

function pairWith(subflows: number): Pair {
  return makePair({ paths: [wifi], client: { pathManager: "n-different-ports", maximumSubflows: subflows - 1 } });
}

describe("n different ports of path-manager", () => {
  for (const subflows of [1, 2, 4, 8]) {
    it(`has ${subflows} subflows between one pair of addresses, each from a port of its own, and loses no byte`, () => {
      const pair = pairWith(subflows);
      const conversation = converse(pair, 300_000, 300_000, { endsAfterSending: false });
      pair.network.run(30 * second);
      const infos = conversation.client.connection.info().subflows;
      expect(infos.filter(({ state }) => state === "established")).to.have.length(subflows);
      expect(
        new Set(
          infos.map(({ localAddress, remoteAddress, remotePort }) => `${localAddress} ${remoteAddress} ${remotePort}`),
        ).size,
      ).to.equal(1);
      expect(new Set(infos.map(({ localPort }) => localPort)).size).to.equal(subflows);
      expect([conversation.client.received, conversation.server()!.received]).to.deep.equal([300_000, 300_000]);
    });
  }

  it("opens again what died, and not more", () => {
    const pair = pairWith(4);
    const conversation = converse(pair, 1_000, 1_000, { endsAfterSending: false });
    pair.network.run(2 * second);
    pair.client.setInterfaceUp(0, false, pair.network.now);
    pair.network.run(4 * second);
    pair.client.setInterfaceUp(0, true, pair.network.now);
    pair.network.run(30 * second);
    const living = conversation.client.connection.info().subflows.filter(({ state }) => state === "established");
    expect(living).to.have.length(4);
  });

  it("asks ever more rarely for those that are refused, however long the ones before have lived", () => {
    const pair = pairWith(2);
    const conversation = converse(pair, 1_000, 1_000, { endsAfterSending: false });
    pair.network.run(30 * second);
    let refused = 0;
    pair.links[0]!.up.middlebox = resetWhen(pair.network, pair.links[0]!, ({ mptcp }) => {
      if (mptcp.has(mptcpPresent.join)) refused++;
      return mptcp.has(mptcpPresent.join);
    });
    conversation.client.connection.subflows[1]!.endpoint.abort("timeout", pair.network.now);
    pair.network.run(20 * second);
    expect(refused).to.be.within(4, 8);
  });
});
