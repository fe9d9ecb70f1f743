import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { makePair, type Pair, wifi } from "../testing/pair.ts";
import { connect, createServer, type MptcpSocket, type Server } from "./net.ts";
import { stackOf } from "./virtual-hosts.fixture.ts";

/** Lets virtual time pass, with turns of the event loop for the streams, until `done`. */
async function advance(pair: Pair, done: () => boolean): Promise<void> {
  for (let i = 0; i < 20_000 && !done(); i++) {
    pair.network.run(5_000);
    await turn();
  }
  expect(done(), "in a hundred seconds of virtual time").to.equal(true);
}

interface Ends {
  pair: Pair;
  server: Server;
  client: MptcpSocket;
  accepted: MptcpSocket;
}

async function connected(allowHalfOpen = false): Promise<Ends> {
  const pair = makePair({ paths: [wifi] });
  let accepted: MptcpSocket | undefined;
  const server = createServer(stackOf(pair, pair.server), { allowHalfOpen }, (socket) => {
    accepted = socket;
  });
  server.listen({ port: 80 });
  await once(server, "listening");
  const client = connect(stackOf(pair, pair.client), { host: "10.0.100.2", port: 80 });
  await advance(pair, () => accepted !== undefined && !client.connecting);
  return { pair, server, client, accepted: accepted! };
}

describe("a socket shaped as net.Socket", () => {
  it("connects, carries bytes with back-pressure, and ends", async () => {
    const { pair, client, accepted } = await connected(true);
    const payload = Buffer.alloc(8_000_000, "pathlab ");
    const received: Buffer[] = [];
    let ended = false;
    client.on("data", (chunk: Buffer) => received.push(chunk));
    client.on("end", () => (ended = true));
    const closed = Promise.all([once(client, "close"), once(accepted, "close")]);
    accepted.resume();
    expect(accepted.write(payload)).to.equal(false);
    accepted.end();
    await advance(pair, () => ended && client.destroyed && accepted.destroyed);
    await closed;
    expect(Buffer.concat(received).equals(payload)).to.equal(true);
    expect([client.bytesRead, accepted.bytesWritten]).to.deep.equal([payload.length, payload.length]);
  });

  it("connects over IPv6, and takes mapped addresses for IPv4", async () => {
    const pair = makePair({ paths: [wifi], clientFamilies: ["both"], serverFamily: "both" });
    const server = createServer(stackOf(pair, pair.server), {}, (socket) => void socket.end());
    server.listen({ port: 80, host: "::" });
    await once(server, "listening");
    expect(server.address()).to.deep.equal({ address: "::", port: 80, family: "IPv6" });
    for (const [host, remote] of [
      ["fd00:0:0:64:0::2", ["fd00:0:0:64::2", "IPv6"]],
      ["::ffff:10.0.100.2", ["10.0.100.2", "IPv4"]],
    ] as const) {
      const client = connect(stackOf(pair, pair.client), { host, port: 80 });
      await advance(pair, () => !client.connecting);
      expect([client.remoteAddress, client.remoteFamily]).to.deep.equal(remote);
    }
    const refused = connect(stackOf(pair, pair.client), { host: "fd00:0:0:64::2", port: 81 });
    let message = "";
    refused.on("error", (error) => (message = error.message));
    await advance(pair, () => message !== "");
    expect(message).to.contain("ECONNREFUSED fd00:0:0:64::2:81");
  });

  it("tells addresses and state", async () => {
    const { client, accepted } = await connected();
    expect([client.remoteAddress, client.remotePort, client.localAddress]).to.deep.equal([
      "10.0.100.2",
      80,
      "10.0.1.2",
    ]);
    expect([accepted.remoteAddress, accepted.remotePort, accepted.localPort]).to.deep.equal([
      "10.0.1.2",
      client.localPort,
      80,
    ]);
    expect(client.info().mptcp).to.equal(true);
    expect(client.info().subflows).to.have.length(1);
  });

  it("does not read more than its reader takes: the sender stops", async () => {
    const { pair, client, accepted } = await connected();
    client.pause();
    accepted.write(Buffer.alloc(20_000_000));
    for (let i = 0; i < 5_000; i++) pair.network.run(10_000);
    await turn();
    expect(client.info().receiveWindow).to.be.lessThan(10_000);
    expect(accepted.writableNeedDrain).to.equal(true);
  });

  it("destroyed, still sends what was written, and the end; nothing of it is left", async () => {
    const { pair, client, accepted } = await connected();
    let bytes = 0;
    accepted.on("data", (chunk: Buffer) => (bytes += chunk.length));
    client.write(Buffer.alloc(1_000_000), () => client.destroy());
    await advance(pair, () => accepted.destroyed);
    expect([bytes, accepted.errored]).to.deep.equal([1_000_000, null]);
    await advance(pair, () => pair.client.connections.length === 0);
  });

  for (const [what, unread] of [
    ["that were unread", true],
    ["that come later", false],
  ] as const) {
    it(`destroyed, answers data ${what} with a reset`, async () => {
      const { pair, client, accepted } = await connected(true);
      accepted.on("error", () => undefined);
      if (unread) client.pause();
      else client.destroy();
      accepted.write(Buffer.alloc(1_000_000));
      pair.network.run(200_000);
      if (unread) client.destroy();
      await advance(pair, () => pair.server.connections.length === 0);
      await advance(pair, () => pair.client.connections.length === 0);
      // Who has read the end waits for nothing more: only a write tells.
      if (!unread) accepted.write("anybody there?");
      await advance(pair, () => accepted.destroyed);
      expect(accepted.errored).to.have.property("code", unread ? "ECONNRESET" : "EPIPE");
    });
  }

  it("destroyed, waits a minute for a peer that does not end", async () => {
    const { pair, client, accepted } = await connected(true);
    const start = pair.network.now;
    client.destroy();
    await advance(pair, () => pair.client.connections.length === 0);
    expect(pair.network.now - start).to.be.within(60_000_000, 61_000_000);
    expect([accepted.destroyed, accepted.readyState]).to.deep.equal([false, "writeOnly"]);
    accepted.end();
    await advance(pair, () => accepted.destroyed);
    expect(accepted.errored).to.equal(null);
  });

  it("reset, tells the peer ECONNRESET", async () => {
    const { pair, client, accepted } = await connected();
    let error: (Error & { code?: string }) | undefined;
    accepted.on("error", (received) => (error = received));
    client.resetAndDestroy();
    await advance(pair, () => accepted.destroyed);
    expect(error?.code).to.equal("ECONNRESET");
  });

  it("refused, says ECONNREFUSED of connect", async () => {
    const pair = makePair({ paths: [wifi] });
    const client = connect(stackOf(pair, pair.client), { host: "10.0.100.2", port: 81 });
    let error: (Error & { code?: string; syscall?: string }) | undefined;
    client.on("error", (received) => (error = received));
    await advance(pair, () => client.destroyed && error !== undefined);
    expect([error?.code, error?.syscall]).to.deep.equal(["ECONNREFUSED", "connect"]);
  });

  it("ended before it is connected still sends what was written", async () => {
    const pair = makePair({ paths: [wifi] });
    let text = "";
    let ended = false;
    const server = createServer(stackOf(pair, pair.server), {}, (socket) => {
      socket
        .setEncoding("utf8")
        .on("data", (chunk: string) => (text += chunk))
        .on("end", () => (ended = true));
    });
    server.listen({ port: 80 });
    const client = connect(stackOf(pair, pair.client), { host: "10.0.100.2", port: 80 });
    client.end("hello");
    await advance(pair, () => ended);
    expect(text).to.equal("hello");
  });
});

describe("a socket that reads into the application's buffer", () => {
  const payload = Buffer.from(Uint8Array.from({ length: 700_000 }, (_, i) => (i * 13 + (i >> 9)) & 255));

  interface Reader {
    readonly socket: MptcpSocket;
    readonly received: Buffer[];
    ended: boolean;
  }

  /** Servers on `ports`, whose connections all read into `buffer`. */
  async function reading(
    buffer: Buffer,
    ports: readonly number[],
  ): Promise<{ pair: Pair; readers: Reader[]; clients: MptcpSocket[] }> {
    const pair = makePair({ paths: [wifi] });
    const readers: Reader[] = [];
    const clients: MptcpSocket[] = [];
    for (const port of ports) {
      const received: Buffer[] = [];
      const callback = (bytes: number): void => {
        received.push(Buffer.from(buffer.subarray(0, bytes)));
        buffer.fill(0);
      };
      const server = createServer(stackOf(pair, pair.server), { onread: { buffer, callback } }, (socket) => {
        const reader = { socket, received, ended: false };
        readers.push(reader);
        socket.on("end", () => (reader.ended = true));
      });
      server.listen({ port });
      await once(server, "listening");
      clients.push(connect(stackOf(pair, pair.client), { host: "10.0.100.2", port }));
    }
    await advance(pair, () => readers.length === ports.length);
    return { pair, readers, clients };
  }

  it("loses nothing, through slabs of every size", async () => {
    const { pair, readers, clients } = await reading(Buffer.alloc(50_000), [80]);
    clients[0]!.end(payload);
    await advance(pair, () => readers[0]!.ended);
    expect(Buffer.concat(readers[0]!.received).equals(payload)).to.equal(true);
  });

  it("gets its own bytes where another has the same buffer", async () => {
    const { pair, readers, clients } = await reading(Buffer.alloc(50_000), [80, 81]);
    const other = Buffer.from(payload).reverse();
    clients[0]!.end(payload);
    clients[1]!.end(other);
    await advance(pair, () => readers.every(({ ended }) => ended));
    expect(readers.map(({ received }) => Buffer.concat(received))).to.have.deep.members([payload, other]);
  });

  it("leaves the buffer alone while it is paused", async () => {
    const buffer = Buffer.alloc(50_000);
    const { pair, readers, clients } = await reading(buffer, [80]);
    const [{ socket, received }] = readers as [Reader];
    clients[0]!.write(payload.subarray(0, 100_000));
    await advance(pair, () => received.length > 3);
    socket.pause();
    clients[0]!.end(payload.subarray(100_000));
    pair.network.run(2_000_000);
    expect(buffer.every((byte) => byte === 0)).to.equal(true);
    socket.resume();
    await advance(pair, () => readers[0]!.ended);
    expect(Buffer.concat(received).equals(payload)).to.equal(true);
  });

  it("from some time on gets what was read before first, and may pause in the middle of it", async () => {
    const { pair, client, accepted } = await connected();
    client.end(payload);
    await advance(pair, () => accepted.readableLength > 10_000);
    const buffer = Buffer.alloc(4_000);
    const received: Buffer[] = [];
    let ended = false;
    accepted.on("end", () => (ended = true));
    accepted.readInto({
      buffer,
      callback: (bytes) => {
        received.push(Buffer.from(buffer.subarray(0, bytes)));
        return received.length % 3 !== 0;
      },
    });
    expect(Buffer.concat(received).equals(payload.subarray(0, 12_000))).to.equal(true);
    await advance(pair, () => {
      accepted.resume();
      return ended;
    });
    expect(Buffer.concat(received).equals(payload)).to.equal(true);
    expect(accepted.bytesRead).to.equal(payload.length);
    expect(() => accepted.readInto({ buffer } as never)).to.throw(TypeError);
  });

  it("into none, says ENOBUFS of read", async () => {
    const { pair, readers, clients } = await reading(Buffer.alloc(0), [80]);
    let code: string | undefined;
    readers[0]!.socket.on("error", (error: NodeJS.ErrnoException) => (code = `${error.syscall} ${error.code}`));
    clients[0]!.on("error", () => undefined).write("x");
    await advance(pair, () => code !== undefined);
    expect(code).to.equal("read ENOBUFS");
  });
});

describe("a server shaped as net.Server", () => {
  it("says EADDRINUSE of listen", async () => {
    const { pair } = await connected();
    const second = createServer(stackOf(pair, pair.server), {});
    second.listen({ port: 80 });
    const [error] = (await once(second, "error")) as [Error & { code: string; syscall: string }];
    expect([error.code, error.syscall]).to.deep.equal(["EADDRINUSE", "listen"]);
  });

  it("closes when its last connection has ended", async () => {
    const { pair, server, client, accepted } = await connected();
    let closed = false;
    server.close(() => (closed = true));
    await turn();
    expect(closed).to.equal(false);
    accepted.resume();
    client.resume();
    client.end();
    await advance(pair, () => closed);
    expect(server.listening).to.equal(false);
  });
});
