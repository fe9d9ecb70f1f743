import { once } from "node:events";
import { expect } from "chai";
import { wifi } from "../testing/pair.ts";
import type { MptcpSocket } from "./net.ts";
import { virtualHosts, type VirtualHosts } from "./virtual-hosts.fixture.ts";

const fast = { rate: 1_000_000_000, delay: 1_000, queueBytes: 1_000_000 };
const sendBufferBytes = 200_000;
const receiveBufferBytes = 200_000;

describe("applications that behave badly", () => {
  let hosts: VirtualHosts;
  beforeEach(() => {
    hosts = virtualHosts({ paths: [fast], client: { sendBufferBytes }, server: { receiveBufferBytes } });
  });
  afterEach(() => hosts.close());

  async function connected(): Promise<{ client: MptcpSocket; accepted: MptcpSocket }> {
    const server = hosts.server.createServer().listen(80);
    const client = hosts.client.connect(80, hosts.serverAddress);
    const [[accepted]] = await Promise.all([once(server, "connection"), once(client, "connect")]);
    return { client, accepted: accepted as MptcpSocket };
  }

  /** What the stack of the writer holds, and what that of the reader does. */
  const held = (client: MptcpSocket, accepted: MptcpSocket): number[] => {
    const { mptcpi_write_seq: written, mptcpi_snd_una: acknowledged } = client.info();
    const { receiveQueueBytes, reassemblyQueueBytes } = accepted.info();
    return [Number(written! - acknowledged!), receiveQueueBytes + reassemblyQueueBytes];
  };

  it("a hundred thousand tiny writes arrive whole, in segments that are full, and nothing of them is left", async () => {
    const { client, accepted } = await connected();
    const frames = hosts.pair.links[0]!.up.frames;
    let text = "";
    accepted.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
    for (let i = 0; i < 100_000; i++) client.write(`${i},`);
    client.end();
    await once(accepted, "end");
    expect(text).to.equal(`${Array.from({ length: 100_000 }, (_, i) => i).join(",")},`);
    // 588,890 bytes are 412 full segments of 1,428 octets: as many again would be waste.
    expect(hosts.pair.links[0]!.up.frames - frames).to.be.within(400, 824);
    await once(client.resume(), "close");
  });

  it("a hundred thousand writes of a byte without delay do not hold more than they are", async () => {
    const { client, accepted } = await connected();
    client.setNoDelay();
    let bytes = 0;
    accepted.on("data", (chunk: Buffer) => (bytes += chunk.length));
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let i = 0; i < 100_000; i++) {
      if (!client.write("x")) await once(client, "drain");
      if (i % 1_000 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    client.end();
    await once(accepted, "end");
    expect(bytes).to.equal(100_000);
    expect(most).to.be.lessThan(32 * 1024 * 1024);
  });

  it("a writer that ignores back-pressure fills its own stream, not the stack", async () => {
    const { client, accepted } = await connected();
    accepted.pause();
    const chunk = Buffer.alloc(100_000, "x");
    const answers = Array.from({ length: 100 }, () => client.write(chunk));
    // What the stack has taken at once may be answered with true.
    expect(answers.lastIndexOf(true) * chunk.length).to.be.lessThan(sendBufferBytes);
    const progress = once(client, "timeout");
    client.setTimeout(500);
    await progress;
    client.setTimeout(0);
    const [sender, receiver] = held(client, accepted);
    expect(sender).to.be.at.most(sendBufferBytes);
    expect(receiver).to.be.at.most(receiveBufferBytes);
    expect(client.bytesWritten).to.equal(10_000_000);
    expect(client.writableLength).to.be.greaterThan(9_000_000);
    let bytes = 0;
    accepted.on("data", (received: Buffer) => (bytes += received.length)).resume();
    client.end();
    await once(accepted, "end");
    expect(bytes).to.equal(10_000_000);
  });

  it("a slow reader holds its own connection back, and no other", async () => {
    const slow = await connected();
    slow.accepted.pause();
    slow.client.write(Buffer.alloc(5_000_000));
    const other = hosts.server.createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket)).listen(81);
    await once(other, "listening");
    const echo = hosts.client.connect(81, hosts.serverAddress);
    echo.end(Buffer.alloc(2_000_000));
    let bytes = 0;
    for await (const chunk of echo) bytes += (chunk as Buffer).length;
    expect(bytes).to.equal(2_000_000);
    expect(slow.accepted.bytesRead).to.be.lessThan(200_000);
    expect(held(slow.client, slow.accepted)[1]).to.be.at.most(receiveBufferBytes);
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => slow.client.once("error", resolve));
    slow.accepted.destroy();
    expect((await failed).code).to.equal("ECONNRESET");
  });

  for (const [what, mptcp, code, seconds] of [
    ["MPTCP waits for another way as long as a connection may be without one", true, "ETIMEDOUT", 60],
    // The first timeout after the user timeout of 100 s (RFC 9293 §3.8.3), of those that double.
    ["plain TCP goes on sending, as Linux does, until its user timeout is over", false, "ETIMEDOUT", 162],
  ] as const)
    it(`when the only interface vanishes in mid-transfer: ${what}; new connections have no route`, async () => {
      hosts.close();
      hosts = virtualHosts({ paths: [wifi], client: { mptcp, sendBufferBytes } });
      const { client, accepted } = await connected();
      client.write(Buffer.alloc(5_000_000));
      await once(accepted.resume(), "data");
      const { network } = hosts.pair;
      hosts.pair.client.setInterfaceUp(0, false, network.now);
      const before = network.now;
      const error = await new Promise<NodeJS.ErrnoException>((resolve) => client.once("error", resolve));
      expect(error).to.include({ code, syscall: "read" });
      expect(Math.round((network.now - before) / 1e6)).to.equal(seconds);
      const next = hosts.client.connect(80, hosts.serverAddress);
      expect(await new Promise((resolve) => next.once("error", resolve))).to.include({ code: "ENETUNREACH" });
      expect(hosts.pair.client.holdings).to.deep.include({ connections: 0, subflows: 0, tokens: 0 });
    });

  it("when one of two interfaces vanishes in mid-transfer the bytes arrive, each once, and other connections go on", async () => {
    hosts.close();
    hosts = virtualHosts({ paths: [wifi, wifi], serverInterfaces: 2, client: { sendBufferBytes } });
    const server = hosts.server.createServer().listen(80);
    await once(server, "listening");
    const payload = Buffer.from(Uint32Array.from({ length: 250_000 }, (_, i) => i).buffer);
    const transfers = Array.from({ length: 3 }, async () => {
      const client = hosts.client.connect(80, hosts.serverAddress);
      const [accepted] = (await once(server, "connection")) as [MptcpSocket];
      client.end(payload);
      client.resume();
      const chunks: Buffer[] = [];
      accepted.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        if (accepted.bytesRead > 300_000) hosts.pair.client.setInterfaceUp(0, false, hosts.pair.network.now);
      });
      await once(accepted, "end");
      return Buffer.concat(chunks);
    });
    for (const received of await Promise.all(transfers)) expect(received.equals(payload)).to.equal(true);
  });

  it("connections that are refused, without a route, or from nowhere leave nothing behind", async () => {
    const targets = [
      [{ port: 81, host: hosts.serverAddress }, "ECONNREFUSED"],
      [{ port: 80, host: "255.255.255.255" }, "ENETUNREACH"],
      [{ port: 80, host: "fd00:0:0:64::2" }, "ENETUNREACH"],
      [{ port: 80, host: hosts.serverAddress, localAddress: "10.9.9.9" }, "EADDRNOTAVAIL"],
    ] as const;
    for (const [target, code] of targets)
      for (let i = 0; i < 25; i++) {
        const socket = hosts.client.connect(target);
        const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.once("error", resolve));
        expect(error.code).to.equal(code);
      }
    expect(hosts.pair.client.holdings).to.deep.include({ connections: 0, subflows: 0, tokens: 0 });
  });

  it("a thousand sockets that are destroyed as soon as they connect leave nothing behind", async () => {
    const quick = virtualHosts({ paths: [wifi] });
    const server = quick.server.createServer((socket) => void socket.on("error", () => undefined).resume()).listen(80);
    await once(server, "listening");
    const sockets = Array.from({ length: 1_000 }, () => quick.client.connect(80, quick.serverAddress));
    await Promise.all(
      sockets.map(async (socket, i) => {
        if (i % 2 === 0) await once(socket, "connect");
        socket.destroy();
      }),
    );
    quick.close();
    quick.pair.network.run(130_000_000);
    for (const host of [quick.pair.client, quick.pair.server])
      expect(host.holdings).to.deep.include({ connections: 0, subflows: 0, tokens: 0 });
  });
});
