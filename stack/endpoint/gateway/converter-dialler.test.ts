import { expect } from "chai";
import { stackOf, virtualHosts, type VirtualHosts } from "../../net/virtual-hosts.fixture.ts";
import type { MptcpSocket } from "../../net/net.ts";
import { thirdGeneration, wifi } from "../../testing/pair.ts";
import type { ConnectFailure } from "./connect-failure.ts";
import { ConverterDialler } from "./converter-dialler.ts";

const peer = { host: "10.0.100.2", port: 4460 };
const second = 1_000_000;

/** A phone with WiFi and 3G; the converter has one address, or two, and both networks reach each of them. */
describe("the way to a converter", () => {
  let hosts: VirtualHosts;
  let dialler: ConverterDialler;
  let accepted: MptcpSocket[];

  function begin(serverInterfaces: number): void {
    hosts = virtualHosts({ paths: [wifi, thirdGeneration], serverInterfaces });
    accepted = [];
    hosts.server.createServer((socket) => accepted.push(socket.on("error", () => undefined))).listen(peer.port);
    dialler = new ConverterDialler(stackOf(hosts.pair, hosts.pair.client), [peer]);
  }

  function blackhole(link: number, dead: boolean): void {
    const { up, down } = hosts.pair.links[link]!;
    up.blackhole = down.blackhole = dead;
  }

  /** Whence and whither the connection goes, and how long it took, in microseconds. */
  async function dial(): Promise<{ from: string; to: string; took: number }> {
    const { network } = hosts.pair;
    const started = network.now;
    const { socket } = await dialler.dial();
    return { from: socket.localAddress!, to: socket.remoteAddress!, took: network.now - started };
  }

  afterEach(() => hosts.close());

  it("is the first pair of addresses that there is, and no other is asked", async () => {
    begin(1);
    expect(await dial()).to.include({ from: "10.0.1.2", to: peer.host });
    hosts.pair.network.run(second);
    expect(hosts.pair.network.eventsNamed("connection:established", hosts.pair.server)).to.have.length(1);
  });

  it("is another one after 250 ms when the first is dead, and that one at once from then on", async () => {
    begin(1);
    blackhole(0, true);
    const first = await dial();
    expect(first.from).to.equal("10.0.2.2");
    expect(first.took).to.be.within(400_000, 600_000);
    expect((await dial()).took).to.be.within(150_000, 200_000);
  });

  it("is the first one again half a minute after it has come back", async () => {
    begin(1);
    blackhole(0, true);
    await dial();
    blackhole(0, false);
    hosts.pair.network.run(20 * second);
    expect((await dial()).from).to.equal("10.0.2.2");
    hosts.pair.network.run(20 * second);
    expect((await dial()).from).to.equal("10.0.1.2");
  });

  it("goes to an address that the converter has told of, when its own is gone", async () => {
    begin(2);
    dialler.learn("10.0.101.2");
    dialler.learn("10.0.101.2");
    hosts.pair.network.attachments[2]!.down.blackhole = true;
    const { to, took } = await dial();
    expect(to).to.equal("10.0.101.2");
    // The second attempt differs in both of its ends.
    expect(took).to.be.within(300_000, 500_000);
  });

  it("is doubted by one of many that wait at a time: a slow machine is not asked for twice as much", async () => {
    begin(1);
    for (const { up, down } of hosts.pair.links) up.options = down.options = { delay: 300_000 };
    const origins = await Promise.all(Array.from({ length: 50 }, async () => (await dial()).from));
    expect(new Set(origins)).to.deep.equal(new Set(["10.0.1.2"]));
    const created = hosts.pair.network.eventsNamed("mptcp:subflow-created", hosts.pair.client);
    // Joins have other numbers.
    expect(created.filter(({ subflow }) => subflow === 0)).to.have.length(51);
  });

  it("is another for all that wait, when one of them has found out", async () => {
    begin(1);
    blackhole(0, true);
    const ways = await Promise.all(Array.from({ length: 50 }, dial));
    expect(ways.map(({ from }) => from)).to.deep.equal(Array.from({ length: 50 }, () => "10.0.2.2"));
    expect(Math.max(...ways.map(({ took }) => took))).to.be.lessThan(1_000_000);
  });

  it("is tried as soon as another is refused", async () => {
    begin(2);
    dialler = new ConverterDialler(stackOf(hosts.pair, hosts.pair.client), [
      { ...peer, port: 9 },
      { ...peer, host: "10.0.101.2" },
    ]);
    // Two round trips of WiFi and 3G's handshake, but no waiting.
    expect((await dial()).took).to.be.lessThan(300_000);
  });

  it("does not exist when all refuse, or no route leads there", async () => {
    begin(1);
    const stack = stackOf(hosts.pair, hosts.pair.client);
    for (const host of [peer.host, "fd00::99"]) {
      const failure = await new ConverterDialler(stack, [{ host, port: 9 }])
        .dial()
        .catch((error: ConnectFailure) => error);
      expect(failure).to.include({ name: "ConnectFailure", code: "ENETUNREACH" });
    }
  });

  it("leaves nothing behind of the attempts that lost", async () => {
    begin(1);
    blackhole(0, true);
    const { socket } = await dialler.dial();
    blackhole(0, false);
    socket.end();
    socket.resume();
    hosts.pair.network.run(second);
    for (const each of accepted) each.end().resume();
    hosts.pair.network.run(120 * second);
    expect(hosts.pair.client.holdings).to.include({ connections: 0, subflows: 0, deadlines: 0 });
  });
});
