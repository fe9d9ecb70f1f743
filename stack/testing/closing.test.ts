import { expect } from "chai";
import { checkStreams } from "./check-streams.ts";
import { converse, makePair, type Pair, serverPort, StreamApplication, wifi } from "./pair.ts";
import { segmentOf } from "./wire-tap.ts";

const second = 1_000_000;

function establish(pair: Pair): { client: StreamApplication; server: StreamApplication } {
  const conversation = converse(pair, 1_000, 1_000, { endsAfterSending: false });
  pair.network.run(second);
  const server = conversation.server()!;
  expect([conversation.client.received, server.received]).to.deep.equal([1_000, 1_000]);
  return { client: conversation.client, server };
}

for (const mptcp of [true, false]) {
  const options = { client: { mptcp } };

  describe(`the end of a connection, ${mptcp ? "MPTCP" : "plain TCP"}`, () => {
    it("half-closed by the client, the server still sends", () => {
      const pair = makePair(options);
      const { client, server } = establish(pair);
      client.connection.closeWrite(pair.network.now);
      pair.network.run(100 * second);
      expect([server.remoteEnded, server.closed, client.closed]).to.deep.equal([true, false, false]);
      server.toSend = 500_000;
      server.endsAfterSending = true;
      server.send();
      pair.network.run(10 * second, () => client.closed && server.closed);
      expect([client.received, client.error, server.error]).to.deep.equal([500_000, undefined, undefined]);
    });

    it("closed by both at the same instant", () => {
      const pair = makePair(options);
      const { client, server } = establish(pair);
      client.connection.closeWrite(pair.network.now);
      server.connection.closeWrite(pair.network.now);
      pair.network.run(5 * second, () => client.closed && server.closed);
      expect([client.closed, client.error, server.closed, server.error]).to.deep.equal([
        true,
        undefined,
        true,
        undefined,
      ]);
    });

    it("leaves nothing behind but TIME-WAIT, which ends after a minute", () => {
      const pair = makePair(options);
      const { client, server } = establish(pair);
      server.connection.closeWrite(pair.network.now);
      pair.network.run(second);
      client.connection.closeWrite(pair.network.now);
      pair.network.run(5 * second);
      const states = [...client.connection.info().subflows, ...server.connection.info().subflows].map(
        (subflow) => subflow.state,
      );
      expect(new Set(states)).to.deep.equal(new Set(["time-wait"]));
      pair.network.run(70 * second);
      expect([...pair.client.connections, ...pair.server.connections]).to.deep.equal([]);
      expect([pair.client.pollTimeout(), pair.server.pollTimeout()]).to.deep.equal([Infinity, Infinity]);
    });

    it("aborted by one, the other gets ECONNRESET at once", () => {
      const pair = makePair(options);
      const { client, server } = establish(pair);
      client.connection.abort(pair.network.now);
      pair.network.run(second);
      expect([server.closed, server.error]).to.deep.equal([true, "ECONNRESET"]);
      expect([client.closed, client.error]).to.deep.equal([true, undefined]);
      expect([...pair.client.connections, ...pair.server.connections]).to.deep.equal([]);
      expect(pair.network.eventsNamed("mptcp:fast-close")).to.have.length(mptcp ? 2 : 0);
    });

    it("aborted with data under way, likewise", () => {
      const pair = makePair(options);
      const conversation = converse(pair, 0, 20_000_000, { endsAfterSending: false });
      pair.network.run(3 * second);
      conversation.client.connection.abort(pair.network.now);
      pair.network.run(3 * second);
      expect(conversation.server()!.error).to.equal("ECONNRESET");
      expect([...pair.client.connections, ...pair.server.connections]).to.deep.equal([]);
    });

    it("writing after the end is EPIPE", () => {
      const pair = makePair(options);
      const { client } = establish(pair);
      client.connection.closeWrite(pair.network.now);
      expect(() => client.connection.write(new Uint8Array(1), pair.network.now))
        .to.throw()
        .with.property("code", "EPIPE");
    });

    it("a silent peer is given up with ETIMEDOUT, not waited for without end", () => {
      const pair = makePair({ paths: [wifi], ...options });
      const { client, server } = establish(pair);
      for (const link of pair.links) link.up.blackhole = link.down.blackhole = true;
      server.toSend = 100_000;
      server.send();
      pair.network.run(400 * second);
      expect([server.closed, server.error]).to.deep.equal([true, "ETIMEDOUT"]);
      expect(client.closed).to.equal(false);
    });

    it("a reader that stops reading stops the sender, and both go on", () => {
      const pair = makePair({ client: { mptcp, receiveBufferBytes: 50_000 } });
      const conversation = converse(pair, 0, 400_000);
      conversation.client.paused = true;
      pair.network.run(150 * second);
      expect(conversation.client.connection.info().receiveQueueBytes).to.be.within(45_000, 50_000);
      conversation.client.paused = false;
      conversation.client.read();
      pair.network.run(70 * second, () => conversation.client.closed && conversation.server()!.closed);
      conversation.client.connection.closeWrite(pair.network.now);
      pair.network.run(20 * second, () => conversation.client.closed && conversation.server()!.closed);
      checkStreams(conversation, 0, 400_000);
    });
  });
}

describe("a connection attempt", () => {
  it("to a port where nobody listens is refused", () => {
    const pair = makePair();
    const client = new StreamApplication(
      pair.network,
      pair.client.connect({ remoteAddress: "10.0.100.2", remotePort: 9 }, pair.network.now),
      0,
      true,
    );
    pair.network.run(second);
    expect([client.closed, client.error]).to.deep.equal([true, "ECONNREFUSED"]);
  });

  it("that nobody answers ends with ETIMEDOUT within a minute and a half", () => {
    const pair = makePair();
    for (const link of pair.links) link.up.middlebox = (frame) => segmentOf(frame) === undefined;
    const client = new StreamApplication(
      pair.network,
      pair.client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort }, pair.network.now),
      0,
      true,
    );
    pair.network.run(90 * second, () => client.closed);
    expect(client.error).to.equal("ETIMEDOUT");
  });

  it("whose first data are answered late is not given up, however long the host has been running", () => {
    for (const clock of [1, 1_000, 1_000_000]) {
      const pair = makePair({ paths: [wifi] });
      const { network, links } = pair;
      network.now = clock * second;
      const { client, server } = converse(pair, 1_000, 0);
      client.send(); // Before there is a connection: the data go out together with the third segment.
      network.run(second, () => client.established);
      links[0]!.down.blackhole = true;
      network.run(1.5 * second);
      links[0]!.down.blackhole = false;
      network.run(20 * second, () => client.closed);
      expect([client.error, server()?.received]).to.deep.equal([undefined, 1_000]);
    }
  });

  it("beyond the backlog is not accepted until there is room", () => {
    const pair = makePair({ paths: [wifi], server: { tcp: { synCookies: "never" } } });
    const listener = pair.server.listen({ port: serverPort, backlog: 2 }, pair.network.now);
    const clients = Array.from({ length: 4 }, () =>
      pair.client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort }, pair.network.now),
    );
    pair.network.run(0.5 * second);
    expect(clients.filter((client) => client.established)).to.have.length(2);
    expect([listener.accept(), listener.accept(), listener.accept()].filter(Boolean)).to.have.length(2);
    pair.network.run(5 * second);
    expect(clients.filter((client) => client.established)).to.have.length(4);
  });
});
