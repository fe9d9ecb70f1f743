import { expect } from "chai";
import { mptcpPresent } from "../wire/mptcp-options.ts";
import { converse, makePair, wifi } from "./pair.ts";
import { segmentOf } from "./wire-tap.ts";

const second = 1_000_000;

describe("REMOVE_ADDR (RFC 8684 §3.4.2)", () => {
  it("lists the addresses that are lost in the same moment, on one acknowledgement", () => {
    const pair = makePair({ paths: [wifi, wifi, wifi] });
    const { network, client, server, links } = pair;
    converse(pair, 0, 20_000_000, { endsAfterSending: false });
    network.run(2 * second);
    const lists: number[] = [];
    links[0]!.up.middlebox = (frame) => {
      const mptcp = segmentOf(frame)?.mptcp;
      if (mptcp?.has(mptcpPresent.removeAddress) === true) lists.push(mptcp.removeAddressCount);
      return true;
    };
    client.setInterfaceUp(1, false, network.now);
    client.setInterfaceUp(2, false, network.now);
    network.run(second);
    expect(lists).to.deep.equal([2]);
    expect(network.eventsNamed("path-manager:address-removed", server)).to.have.length(2);
  });

  it("does not name an address that was back before anything was said", () => {
    const pair = makePair({ paths: [wifi, wifi, wifi] });
    const { network, client, server } = pair;
    converse(pair, 0, 20_000_000, { endsAfterSending: false });
    network.run(2 * second);
    client.setInterfaceUp(1, false, network.now);
    client.setInterfaceUp(2, false, network.now);
    client.setInterfaceUp(1, true, network.now);
    network.run(second);
    const removed = network.eventsNamed("path-manager:address-removed", server);
    expect(removed.map((event) => event.addressId)).to.have.length(1);
    expect(client.connections[0]!.subflows.filter(({ usable }) => usable)).to.have.length(2);
  });
});
