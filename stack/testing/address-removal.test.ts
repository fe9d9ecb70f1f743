import { expect } from "chai";
import { mptcpPresent } from "../wire/mptcp-options.ts";
import { checkStreams } from "./check-streams.ts";
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

describe("an address that was removed, when nothing else is left", () => {
  it("is tried once more: the peer may have it back, and no way to say so", () => {
    // Two paths that share nothing: neither address of the server is reached but over one of the client's.
    const onLink = (side: number) =>
      [1, 2].map((path) => ({
        name: `eth${path}`,
        mac: `02:00:00:00:0${path}:0${side}`,
        mtu: 1500,
        gso: false,
        addresses: [{ address: `10.0.${path}.${side}`, prefixLength: 24 }],
      }));
    const pair = makePair({
      paths: [wifi, wifi],
      client: { interfaces: onLink(2) },
      server: { interfaces: onLink(3) },
      serverInterfaces: 2,
    });
    const { network, client, server } = pair;
    for (const path of [1, 2]) network.route(`10.0.${path}.3`, network.attachments[path + 1]!);
    const bytes = 10_000_000;
    const conversation = converse(pair, 0, bytes, { remoteAddress: "10.0.1.3" });
    network.run(2 * second);
    server.setInterfaceUp(1, false, network.now);
    expect(
      network.run(second, () => network.eventsNamed("path-manager:address-removed", client).length === 1),
    ).to.equal(true);
    server.setInterfaceUp(1, true, network.now);
    for (const host of [client, server]) host.setInterfaceUp(0, false, network.now);
    network.run(60 * second, () => conversation.client.closed && conversation.server()?.closed === true);
    checkStreams(conversation, 0, bytes);
  });
});
