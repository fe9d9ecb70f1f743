import { expect } from "chai";
import type { ConnectionRequest, Host, NetworkError } from "./host.ts";
import { addressesAt, makePair, type Pair, StreamApplication, wifi } from "./testing/pair.ts";

const second = 1_000_000;

/** A client, and a host that is everybody. */
function everybody(family: "ipv4" | "ipv6" = "ipv4"): Pair & { requests: ConnectionRequest[] } {
  const tun = { name: "tun0", mac: "02:00:00:00:00:99", mtu: 1500, gso: false, addresses: [], transparent: true };
  const pair = makePair({
    paths: [wifi],
    clientFamilies: [family],
    serverFamily: family,
    client: { mptcp: false },
    server: { mptcp: false, interfaces: [tun] },
  });
  const requests: ConnectionRequest[] = [];
  pair.server.listenTransparently({ backlog: 3 }).onRequest = (request) => requests.push(request);
  return { ...pair, requests };
}

function connect({ network, client }: Pair, remotePort: number, toSend = 0, remoteAddress = "10.0.100.2") {
  const connection = client.connect({ remoteAddress, remotePort }, network.now);
  return new StreamApplication(network, connection, toSend, true);
}

describe("a listener for connections to anybody", () => {
  for (const family of ["ipv4", "ipv6"] as const) {
    it(`answers when the application has decided, as whom the peer asked for (${family})`, () => {
      const pair = everybody(family);
      const { network, requests } = pair;
      const [address] = addressesAt(100, family);
      const application = connect(pair, 8080, 200_000, address);
      network.run(5 * second);
      // The SYN has come several times by now.
      expect(application.established).to.equal(false);
      expect(requests.map(({ localAddress, localPort }) => [localAddress, localPort])).to.deep.equal([[address, 8080]]);

      const connection = requests[0]!.accept(network.now)!;
      const accepted = new StreamApplication(network, connection, 100_000, true);
      network.run(20 * second);
      expect([accepted.received, application.received]).to.deep.equal([200_000, 100_000]);
      expect([accepted.corrupt, application.corrupt, application.error]).to.deep.equal([false, false, undefined]);
      expect([connection.localAddress, connection.remoteAddress]).to.deep.equal([address, addressesAt(1, family)[0]]);
    });
  }

  it("refuses with RST, and hears of each attempt anew", () => {
    const pair = everybody();
    for (const attempt of [1, 2]) {
      const application = connect(pair, 81);
      pair.network.run(pair.network.now + second);
      expect(pair.requests).to.have.length(attempt);
      pair.requests[attempt - 1]!.refuse(pair.network.now);
      pair.network.run(pair.network.now + second);
      expect(application.error).to.equal("ECONNREFUSED");
    }
  });

  it("knows of no more requests than its backlog, and of none that were withdrawn", () => {
    const pair = everybody();
    const applications = [1, 2, 3, 4, 5].map((port) => connect(pair, port));
    pair.network.run(second);
    expect(pair.requests).to.have.length(3);
    for (const request of pair.requests) request.ignore();
    expect(pair.requests[0]!.accept(pair.network.now)).to.equal(undefined);
    // Those who were ignored, and those for whom there was no room, ask again.
    pair.network.run(10 * second);
    expect(pair.requests.length).to.be.greaterThan(3);
    expect(applications.every(({ established }) => !established)).to.equal(true);
  });

  it("is the only one, and takes an interface that brings such packets", () => {
    const { client, server } = everybody();
    const codeOf = (host: Host): string => {
      try {
        host.listenTransparently();
        return "none";
      } catch (error) {
        return (error as NetworkError).code ?? (error as Error).message;
      }
    };
    expect(codeOf(server)).to.equal("EADDRINUSE");
    expect(codeOf(client)).to.match(/^interfaces: client has no transparent interface/);
  });

  it("lets the host speak as anybody", () => {
    const pair = everybody();
    const { network, client, server } = pair;
    const listener = client.listen({ port: 80 }, network.now);
    const options = { localAddress: "10.0.100.2", localPort: 4711, remoteAddress: "10.0.1.2", remotePort: 80 };
    const speaker = new StreamApplication(network, server.connect(options, network.now), 50_000, true);
    network.run(second);
    const accepted = new StreamApplication(network, listener.accept()!, 0, true);
    network.run(10 * second);
    expect([accepted.received, accepted.corrupt, speaker.error]).to.deep.equal([50_000, false, undefined]);
    expect(accepted.connection.remotePort).to.equal(4711);
  });
});
