import { expect } from "chai";
import { converse, makePair, wifi, thirdGeneration } from "../testing/pair.ts";
import { stripMptcp } from "../testing/wire-tap.ts";
import { tcpFlag } from "../wire/tcp-segment.ts";

const second = 1_000_000;

describe("the full mesh of path-manager", () => {
  it("opens nothing from an address that has no route to the peer", () => {
    const interfaces = [1, 2].map((network, index) => ({
      name: `eth${index}`,
      mac: `02:00:00:00:0${network}:01`,
      mtu: 1500,
      gso: false,
      addresses: [{ address: `10.0.${network}.2`, prefixLength: 24 }],
      ...(index === 0 && { gateway: "10.0.1.1" }),
    }));
    const pair = makePair({ client: { interfaces } });
    converse(pair, 1_000, 1_000, { endsAfterSending: false });
    pair.network.run(5 * second);
    expect(pair.network.eventsNamed("mptcp:subflow-created", pair.client)).to.have.length(1);
  });

  it("asks a pair of addresses that never answers ever more rarely", () => {
    const pair = makePair({ paths: [wifi, thirdGeneration] });
    pair.links[1]!.up.blackhole = true;
    converse(pair, 1_000, 1_000, { endsAfterSending: false });
    pair.network.run(3_600 * second);
    const created = pair.network.eventsNamed("mptcp:subflow-created", pair.client).length - 1;
    expect(created).to.be.within(10, 30);
  });

  it("asks a pair of addresses where options get lost ever more rarely (RFC 8684 §3.6)", () => {
    const pair = makePair({ paths: [wifi, thirdGeneration] });
    pair.links[1]!.up.middlebox = stripMptcp((segment) => !segment.has(tcpFlag.syn));
    converse(pair, 1_000, 1_000, { endsAfterSending: false });
    pair.network.run(3_600 * second);
    const created = pair.network.eventsNamed("mptcp:subflow-created", pair.client).length - 1;
    expect(created).to.be.within(10, 30);
  });

  it("wants no subflow again that closed because the connection had ended", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const lossy = { ...wifi, loss: 0.2 };
      const pair = makePair({ seed, paths: [lossy, { ...lossy, delay: 30_000 }] });
      const conversation = converse(pair, 3_000, 3_000);
      pair.network.run(300 * second, () => conversation.client.closed && conversation.server()?.closed === true);
      const retries = pair.network.eventsNamed("path-manager:subflow-retry", pair.client);
      const finished = pair.network
        .eventsNamed("mptcp:subflow-closed", pair.client)
        .filter(({ reason }) => reason === "finished");
      for (const { time } of retries) expect(finished.map((event) => event.time)).not.to.include(time);
      expect([conversation.client.error, conversation.server()!.error]).to.deep.equal([undefined, undefined]);
    }
  });
});
