import { expect } from "chai";
import { mptcpOptionKind, mptcpSubtype } from "../wire/mptcp-options.ts";
import { checkStreams } from "./check-streams.ts";
import {
  converse,
  makePair,
  type Pair,
  type Conversation,
  type StreamApplication,
  thirdGeneration,
  wifi,
} from "./pair.ts";
import { optionsOf } from "./wire-tap.ts";

const second = 1_000_000;

/** Application goodput of a download in Mbit/s. */
function download(pair: Pair, bytes: number): number {
  const started = pair.network.now;
  const conversation = converse(pair, 100, bytes);
  pair.network.run(120 * second, () => conversation.client.closed && conversation.server()?.closed === true);
  checkStreams(conversation, 100, bytes);
  return (bytes * 8) / (conversation.client.lastArrival - started);
}

/** The server sends `rate` bit/s in pieces of 20 ms, without end. */
function stream(pair: Pair, rate: number): Conversation {
  const { network } = pair;
  const conversation = converse(pair, 0, 0, { endsAfterSending: false });
  const sendPiece = (): void => {
    const server = conversation.server()!;
    server.toSend += rate / 8 / 50;
    server.send();
    network.at(network.now + 20_000, sendPiece);
  };
  network.at(network.now + 200_000, sendPiece);
  return conversation;
}

function setBlackhole(pair: Pair, link: number, blackhole: boolean): void {
  pair.links[link]!.up.blackhole = blackhole;
  pair.links[link]!.down.blackhole = blackhole;
}

describe("WiFi and 3G at once (NSDI'12 profiles)", () => {
  it("carry 20 MB with at least 9.0 Mbit/s of payload, with LIA", () => {
    const pair = makePair();
    expect(download(pair, 20_000_000)).to.be.within(9.0, 9.5);
    expect(pair.network.eventsNamed("mptcp:subflow-established", pair.client)).to.have.length(2);
  });

  it("are faster than WiFi alone, which gives at most 7.8 Mbit/s", () => {
    expect(download(makePair({ paths: [wifi] }), 5_000_000)).to.be.within(7.0, 7.8);
    expect(download(makePair({ paths: [wifi], client: { mptcp: false } }), 5_000_000)).to.be.within(7.0, 7.8);
  });

  it("carry an upload as well", () => {
    const pair = makePair();
    const started = pair.network.now;
    const conversation = converse(pair, 10_000_000, 0);
    pair.network.run(120 * second, () => conversation.client.closed && conversation.server()?.closed === true);
    checkStreams(conversation, 10_000_000, 0);
    expect((10_000_000 * 8) / (conversation.server()!.lastArrival - started)).to.be.at.least(9.0);
  });

  it("with Reno instead of LIA reach the same", () => {
    expect(download(makePair({ server: { congestionControl: "reno" } }), 10_000_000)).to.be.at.least(9.0);
  });

  it("with a receive window of 100 kB are no slower than WiFi alone: the slow path does not block the fast one", () => {
    const receiveBufferBytes = 100_000;
    const alone = download(makePair({ paths: [wifi], client: { receiveBufferBytes } }), 5_000_000);
    const both = download(makePair({ client: { receiveBufferBytes } }), 5_000_000);
    expect(both).to.be.at.least(0.95 * alone);
  });
});

describe("when WiFi dies silently beside a 3G path and comes back", () => {
  for (const [name, start] of [
    ["a bulk transfer", (pair: Pair) => converse(pair, 0, 40_000_000, { endsAfterSending: false })],
    ["a stream of 1.5 Mbit/s", (pair: Pair) => stream(pair, 1_500_000)],
    ["a stream of 5 Mbit/s", (pair: Pair) => stream(pair, 5_000_000)],
  ] as const) {
    it(`${name} pauses for at most 0.55 s, and uses WiFi again within 1.5 s`, () => {
      const pair = makePair();
      const { network } = pair;
      const conversation = start(pair);
      const wifiBytes = (): number =>
        conversation.client.connection.info().subflows.find((s) => s.interfaceName === "eth0")!.bytesReceived;
      network.run(10 * second);
      setBlackhole(pair, 0, true);
      network.run(10 * second);
      expect(conversation.client.longestGap).to.be.at.most(550_000);
      const before = wifiBytes();
      setBlackhole(pair, 0, false);
      expect(network.run(1.5 * second, () => wifiBytes() > before + 50_000)).to.equal(true);
      network.run(5 * second);
      expect(wifiBytes() - before).to.be.at.least(0.8 * Math.min(1_500_000 / 8, 1_000_000) * 4.5);
      expect(conversation.client.corrupt).to.equal(false);
      expect(network.eventsNamed("scheduler:stale", pair.server)).to.have.length(1);
      expect(network.eventsNamed("scheduler:recovered", pair.server)).to.have.length(1);
    });
  }

  it("an upload survives it too", () => {
    const pair = makePair();
    const conversation = converse(pair, 12_000_000, 0);
    pair.network.run(5 * second);
    setBlackhole(pair, 0, true);
    pair.network.run(10 * second);
    setBlackhole(pair, 0, false);
    pair.network.run(60 * second, () => conversation.client.closed && conversation.server()?.closed === true);
    checkStreams(conversation, 12_000_000, 0);
    expect(conversation.server()!.longestGap).to.be.at.most(800_000);
  });
});

describe("interfaces that go down and up", () => {
  it("close their subflow at once, tell the peer, and get a new one", () => {
    const pair = makePair();
    const { network, client, server } = pair;
    const conversation = converse(pair, 0, 40_000_000, { endsAfterSending: false });
    network.run(5 * second);
    client.setInterfaceUp(0, false, network.now);
    setBlackhole(pair, 0, true);
    // Keep-alives on the removed address have to go unanswered first.
    const subflows = (): number => conversation.server()!.connection.info().subflows.length;
    expect(network.run(6 * second, () => subflows() === 1)).to.equal(true);
    expect(conversation.client.longestGap).to.be.at.most(500_000);
    expect(network.eventsNamed("path-manager:address-removed", server)).to.have.length(1);
    setBlackhole(pair, 0, false);
    client.setInterfaceUp(0, true, network.now);
    network.run(0.5 * second);
    expect(conversation.server()!.connection.info().subflows).to.have.length(2);
    network.run(3 * second);
    expect(conversation.client.corrupt).to.equal(false);
  });

  it("may all be down for a while: the connection outlives its subflows", () => {
    const pair = makePair();
    const { network, client } = pair;
    const conversation = converse(pair, 0, 6_000_000);
    network.run(2 * second);
    client.setInterfaceUp(0, false, network.now);
    client.setInterfaceUp(1, false, network.now);
    network.run(5 * second);
    client.setInterfaceUp(1, true, network.now);
    network.run(60 * second, () => conversation.client.closed && conversation.server()?.closed === true);
    checkStreams(conversation, 0, 6_000_000);
  });
});

describe("a server's interface that goes down and up", () => {
  /** Addresses and ports of the subflows that both ends have. */
  const mesh = ({ client, server }: Conversation): string[] => {
    const pairsOf = (end: StreamApplication | undefined): string[] =>
      (end?.connection.info().subflows ?? []).map(({ localAddress, localPort, remoteAddress, remotePort }) =>
        [`${localAddress}:${localPort}`, `${remoteAddress}:${remotePort}`].sort().join(" "),
      );
    const atServer = new Set(pairsOf(server()));
    return pairsOf(client).filter((pair) => atServer.has(pair));
  };

  for (const clientToo of [false, true])
    for (const seconds of [0.05, 0.5, 3, 10])
      it(`${seconds} s later${clientToo ? ", with one of the client's," : ""} has its subflows back, and the dead ones are gone`, () => {
        const pair = makePair({ serverInterfaces: 2 });
        const { network, client, server } = pair;
        const conversation = converse(pair, 0, 400_000_000, { endsAfterSending: false });
        network.run(5 * second);
        expect(mesh(conversation)).to.have.length(4);
        const all = (up: boolean): void => {
          server.setInterfaceUp(1, up, network.now);
          if (clientToo) client.setInterfaceUp(1, up, network.now);
        };
        all(false);
        network.run(seconds * second);
        all(true);
        network.run(5 * second);
        expect(mesh(conversation)).to.have.length(4);
      });
});

describe("a full mesh", () => {
  it("of two and two addresses has four subflows, by ADD_ADDR", () => {
    const pair = makePair({ serverInterfaces: 2 });
    const conversation = converse(pair, 0, 3_000_000, { endsAfterSending: false });
    pair.network.run(4 * second);
    expect(conversation.client.connection.info().subflows).to.have.length(4);
    expect(conversation.client.received).to.equal(3_000_000);
    expect(pair.network.eventsNamed("path-manager:address-advertised", pair.client)).to.have.length(1);
  });

  it("leaves a backup path idle while the other lives", () => {
    const pair = makePair();
    const interfaces = [0, 1].map((i) => ({
      name: `eth${i}`,
      mac: `02:00:00:00:0${i + 1}:01`,
      mtu: 1500,
      gso: false,
      backup: i === 1,
      addresses: [{ address: `10.0.${i + 1}.2`, prefixLength: 24 }],
      gateway: `10.0.${i + 1}.1`,
    }));
    const backed = makePair({ paths: [wifi, thirdGeneration], client: { interfaces } });
    for (const [{ network, links }, isBackup, ...rest] of [
      [pair, false, pair],
      [backed, true, backed],
    ] as const) {
      const conversation = converse(rest[0], 0, 20_000_000, { endsAfterSending: false });
      network.run(5 * second);
      const received = conversation.client.connection
        .info()
        .subflows.find((s) => s.interfaceName === "eth1")!.bytesReceived;
      expect(received === 0).to.equal(isBackup);
      links[0]!.up.blackhole = links[0]!.down.blackhole = true;
      const before = conversation.client.received;
      network.run(3 * second);
      expect(conversation.client.received).to.be.greaterThan(before + 300_000);
    }
  });

  it("stops using a path when MP_PRIO makes it a backup, and uses it again when MP_PRIO says so", () => {
    const pair = makePair();
    const { network } = pair;
    const { client } = converse(pair, 0, 40_000_000, { endsAfterSending: false });
    network.run(2 * second);
    const wifiSubflow = client.connection.subflows[0]!;
    const receivedIn = (duration: number): number => {
      const before = wifiSubflow.info.bytesReceived;
      network.run(duration);
      return wifiSubflow.info.bytesReceived - before;
    };
    client.connection.paths.setBackup(wifiSubflow, true, network.now);
    network.run(0.5 * second);
    expect(receivedIn(second)).to.equal(0);
    client.connection.paths.setBackup(wifiSubflow, false, network.now);
    network.run(0.5 * second);
    expect(receivedIn(second)).to.be.greaterThan(800_000);
    expect(network.eventsNamed("mptcp:priority", pair.server)).to.have.length(2);
  });

  it("says MP_PRIO in three octets on the very subflow that it is about", () => {
    const pair = makePair();
    const { network, links } = pair;
    const { client } = converse(pair, 0, 40_000_000, { endsAfterSending: false });
    network.run(2 * second);
    const said: [path: number, octets: number[]][] = [];
    links.forEach(({ up }, path) => {
      up.middlebox = (frame) => {
        for (const { at, length } of optionsOf(frame))
          if (frame[at] === mptcpOptionKind && frame[at + 2]! >> 4 === mptcpSubtype.priority)
            said.push([path, [...frame.subarray(at, at + length)]]);
        return true;
      };
    });
    for (const subflow of client.connection.subflows)
      client.connection.paths.setBackup(subflow, subflow.local.interfaceName === "eth1", network.now);
    network.run(second);
    expect(said).to.have.deep.members([
      [0, [30, 3, 0x50]],
      [1, [30, 3, 0x51]],
    ]);
  });
});
