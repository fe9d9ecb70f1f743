/** What an application sets at a socket, as the wire and the clock show it. */
import { once } from "node:events";
import { expect } from "chai";
import { thirdGeneration, wifi } from "../testing/pair.ts";
import { MptcpSocket } from "./net.ts";
import { stackOf, virtualHosts, type VirtualHosts } from "./virtual-hosts.fixture.ts";

const differentiatedServicesAt = 15;
const isIpv4 = (frame: Uint8Array): boolean => frame[12] === 8 && frame[13] === 0;

describe("settings of a socket", () => {
  let hosts: VirtualHosts;
  afterEach(() => hosts.close());

  async function connected(options: object = {}): Promise<{ client: MptcpSocket; accepted: MptcpSocket }> {
    const server = hosts.server.createServer({ allowHalfOpen: true }).listen(80);
    const client = hosts.client.connect({ port: 80, host: hosts.serverAddress, ...options });
    const [[accepted]] = await Promise.all([once(server, "connection"), once(client, "connect")]);
    return { client, accepted: accepted as MptcpSocket };
  }

  it("the type of service stands in the packets of every subflow, from the SYN on, until it is changed", async () => {
    hosts = virtualHosts({ paths: [wifi, thirdGeneration], serverInterfaces: 2 });
    const seen = hosts.pair.links.map(() => new Set<number>());
    hosts.pair.links.forEach(({ up }, i) => {
      up.middlebox = (frame) => {
        if (isIpv4(frame)) seen[i]!.add(frame[differentiatedServicesAt]!);
        return true;
      };
    });
    const { client, accepted } = await connected({ typeOfService: 0xb8 });
    client.write(Buffer.alloc(200_000));
    accepted.resume();
    while (accepted.bytesRead < 200_000) await once(accepted, "data");
    expect(seen[0]).to.deep.equal(new Set([0xb8]));
    expect(seen[1]).to.deep.equal(new Set([0xb8]));
    for (const octets of seen) octets.clear();
    client.setTypeOfService(0x20).write(Buffer.alloc(200_000));
    while (accepted.bytesRead < 400_000) await once(accepted, "data");
    expect(seen[0]).to.deep.equal(new Set([0x20]));
  });

  for (const [milliseconds, seconds] of [
    [5_000, 5],
    [20_000, 20],
  ] as const)
    it(`a user timeout of ${seconds} s gives up who acknowledges nothing for so long`, async () => {
      hosts = virtualHosts({ paths: [wifi], client: { mptcp: false } });
      const { client } = await connected();
      hosts.pair.links[0]!.down.blackhole = true;
      const before = hosts.pair.network.now;
      expect(client.setUserTimeout(milliseconds)).to.equal(client);
      client.write("x");
      const [error] = (await once(client, "error").catch((failure: unknown) => [failure])) as [NodeJS.ErrnoException];
      expect(error.code).to.equal("ETIMEDOUT");
      // It is looked at when the retransmission timer expires, which doubles.
      expect((hosts.pair.network.now - before) / 1e6).to.be.within(seconds, 2.5 * seconds);
    });

  it("a user timeout of 0 is the host's again, and what is no time is refused", async () => {
    hosts = virtualHosts({ paths: [wifi], client: { mptcp: false, tcp: { userTimeoutMicroseconds: 3_000_000 } } });
    const { client } = await connected();
    expect(() => client.setUserTimeout(-1)).to.throw(RangeError);
    expect(() => client.setUserTimeout("1" as unknown as number)).to.throw(TypeError);
    hosts.pair.links[0]!.down.blackhole = true;
    const before = hosts.pair.network.now;
    client.setUserTimeout(60_000).setUserTimeout(0).write("x");
    await new Promise((resolve) => client.once("error", resolve));
    expect((hosts.pair.network.now - before) / 1e6).to.be.within(3, 8);
  });

  const keepAliveCalls: Readonly<Record<string, (socket: MptcpSocket) => unknown>> = {
    "an object": (socket) => socket.setKeepAlive({ enable: true, initialDelay: 2_000, interval: 3_000, count: 2 }),
    arguments: (socket) => socket.setKeepAlive(true, 2_000, 3_000, 2),
  };
  for (const [what, setKeepAlive] of Object.entries(keepAliveCalls))
    it(`keep-alive by ${what} probes a silent peer as often as that says`, async () => {
      hosts = virtualHosts({ paths: [wifi], client: { mptcp: false } });
      const { client } = await connected();
      hosts.pair.links[0]!.down.blackhole = true;
      const before = hosts.pair.network.now;
      setKeepAlive(client);
      const error = await new Promise<NodeJS.ErrnoException>((resolve) => client.once("error", resolve));
      expect(error.code).to.equal("ETIMEDOUT");
      expect((hosts.pair.network.now - before) / 1e6).to.be.within(7.9, 8.5);
    });

  it("a socket may be made of a connection that no server has accepted", async () => {
    hosts = virtualHosts({ paths: [wifi] });
    const { pair } = hosts;
    const listener = pair.server.listen({ port: 81 }, pair.network.now);
    const accepted = new Promise<MptcpSocket>((resolve) => {
      listener.onConnection = () =>
        resolve(new MptcpSocket(stackOf(pair, pair.server), {}, { connection: listener.accept()! }));
    });
    hosts.client.connect(81, hosts.serverAddress).end("hello");
    const socket = await accepted;
    expect(socket.server).to.equal(null);
    let text = "";
    for await (const chunk of socket.setEncoding("utf8")) text += chunk as string;
    expect(text).to.equal("hello");
  });
});
