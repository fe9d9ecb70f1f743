import { EventEmitter, once } from "node:events";
import { isIPv6 } from "node:net";
import { expect } from "chai";
import type { MptcpSocket, Server } from "../net.ts";
import { errorOf, type Suite, textOf, thrownBy } from "./implementation.ts";

type Listen = (...args: unknown[]) => Server;

const closeOf = (server: Server): Promise<Error | undefined> => new Promise((resolve) => server.close(resolve));

export const servers: Suite = (bench) => {
  const made = (): Server => bench().keepServer(bench().net.server.createServer());

  const listen = (...args: unknown[]): unknown => (made().listen as Listen)(...args);

  it("listen by each form of arguments, and tell where", async () => {
    const { serverAddress: host } = bench().net;
    const noted: string[] = [];
    const callback = (): void => void noted.push("listening");
    const forms: unknown[][] = [
      [],
      [0],
      ["0"],
      [null],
      [undefined],
      [0, host],
      [0, 10],
      [0, host, 10],
      [{ port: 0 }],
      [{ port: 0, host }],
      [{ port: 0, host, backlog: 10 }],
      [{ port: 0, host, backlog: "10" }],
      [{ port: 0, host: null }],
      [{ port: 0, host: "" }],
      [{ port: undefined }],
    ];
    for (const form of forms) {
      for (const args of [form, [...form, callback]]) {
        const server = made();
        expect([server.listening, server.address()]).to.deep.equal([false, null]);
        expect((server.listen as Listen)(...args)).to.equal(server);
        await once(server, "listening");
        const { address, family, port } = server.address()!;
        const hasHost = JSON.stringify(args).includes(host);
        expect([address, family], JSON.stringify(args)).to.deep.equal(hasHost ? [host, "IPv4"] : ["::", "IPv6"]);
        expect([port > 0, server.listening]).to.deep.equal([true, true]);
        server.close();
        expect([server.listening, server.address()]).to.deep.equal([false, null]);
      }
    }
    expect(noted).to.have.length(forms.length);
  });

  it("on :: take both families, with ipv6Only the one", async () => {
    const { net } = bench();
    for (const ipv6Only of [false, true]) {
      const server = made();
      server.listen({ port: 0, host: "::", ipv6Only });
      await once(server, "listening");
      const { port } = server.address()!;
      const overIpv6 = bench().keep(net.client.connect(port, net.serverIpv6));
      await once(overIpv6, "connect");
      expect([overIpv6.remoteFamily, isIPv6(overIpv6.remoteAddress!)]).to.deep.equal(["IPv6", true]);
      const overIpv4 = bench().keep(net.client.connect(port, net.serverAddress));
      if (ipv6Only) expect((await errorOf(overIpv4)).code).to.equal("ECONNREFUSED");
      else await once(overIpv4, "connect");
    }
  });

  it("refuse what is no port and what is no way to listen", () => {
    const range = { code: "ERR_SOCKET_BAD_PORT", name: "RangeError" };
    for (const port of [-1, 1.5, 65_536, 1e9, Number.NaN, Infinity, "-1", " ", ""]) {
      expect(
        thrownBy(() => listen({ port })),
        `{ port: ${port} }`,
      ).to.deep.equal(range);
      if (typeof port === "number")
        expect(
          thrownBy(() => listen(port)),
          String(port),
        ).to.deep.equal(range);
    }
    for (const value of [true, false])
      expect(thrownBy(() => listen({ port: value }))?.code, `{ port: ${value} }`).to.equal("ERR_INVALID_ARG_VALUE");
    for (const options of [{}, { host: "localhost" }, { fd: -1 }])
      expect(thrownBy(() => listen(options))?.code, JSON.stringify(options)).to.equal("ERR_INVALID_ARG_VALUE");
    for (const options of [1, "path", true])
      expect(thrownBy(() => bench().net.server.createServer(options as never))?.code).to.equal("ERR_INVALID_ARG_TYPE");
  });

  it("on a port in use say EADDRINUSE with all fields, and may listen elsewhere then", async () => {
    const { serverAddress: host } = bench().net;
    const { port } = (await bench().listen()).address()!;
    const second = made();
    second.on("listening", () => expect(second.address()!.port).not.to.equal(port));
    second.listen(port, host);
    const error = await errorOf(second);
    expect(error).to.include({
      code: "EADDRINUSE",
      errno: -98,
      syscall: "listen",
      address: host,
      port,
      message: `listen EADDRINUSE: address already in use ${host}:${port}`,
    });
    expect([second.listening, second.address()]).to.deep.equal([false, null]);
    second.listen(0, host);
    await once(second, "listening");
  });

  it("on an address that the host does not have say EADDRNOTAVAIL", async () => {
    const server = made();
    const { foreignAddress: host } = bench().net;
    server.listen(0, host);
    const error = await errorOf(server);
    expect(error).to.include({ code: "EADDRNOTAVAIL", syscall: "listen", address: host });
    expect(error.message).to.equal(`listen EADDRNOTAVAIL: address not available ${host}`);
  });

  it("listen once at a time, on the same port again when they are closed", async () => {
    const { serverAddress: host } = bench().net;
    const server = await bench().listen();
    const { port } = server.address()!;
    expect(thrownBy(() => server.listen())).to.deep.equal({ code: "ERR_SERVER_ALREADY_LISTEN", name: "Error" });
    for (let i = 0; i < 3; i++) {
      server.close();
      await once(server, "close");
      server.listen(port, host);
      await once(server, "listening");
      expect(server.address()!.port).to.equal(port);
    }
  });

  it("closed before they listen, never tell that they do", async () => {
    const server = made();
    server.on("listening", () => expect.fail("listening"));
    server.listen(0, bench().net.serverAddress);
    server.close();
    await once(server, "close");
  });

  it("close when the last connection has ended, and take no other meanwhile", async () => {
    const { net } = bench();
    const { server, client, accepted } = await bench().connected();
    const { port } = server.address()!;
    let closed = 0;
    server.on("close", () => closed++);
    expect(server.close((error) => expect(error).to.equal(undefined))).to.equal(server);
    expect(server.listening).to.equal(false);
    expect((await errorOf(net.client.connect(port, net.serverAddress))).code).to.equal("ECONNREFUSED");
    expect(closed).to.equal(0);
    accepted.resume();
    client.resume().end();
    await once(server, "close");
    expect(closed).to.equal(1);
  });

  it("that do not listen say ERR_SERVER_NOT_RUNNING of close, also the second time", async () => {
    expect(await closeOf(made())).to.have.property("code", "ERR_SERVER_NOT_RUNNING");
    const server = await bench().listen();
    expect(await closeOf(server)).to.equal(undefined);
    expect(await closeOf(server)).to.have.property("code", "ERR_SERVER_NOT_RUNNING");
    (server.close as (callback: unknown) => void)("not a function");
  });

  it("are disposed of", async () => {
    const server = await bench().listen();
    await server[Symbol.asyncDispose]();
    expect(server.listening).to.equal(false);
    await server[Symbol.asyncDispose]();
  });

  it("are closed by a signal, before and after they listen", async () => {
    for (const early of [true, false]) {
      const controller = new AbortController();
      if (early) controller.abort();
      const server = made();
      const closed = once(server, "close");
      server.listen({ port: 0, host: bench().net.serverAddress, signal: controller.signal });
      if (!early) {
        await once(server, "listening");
        controller.abort();
      }
      await closed;
      expect(server.listening).to.equal(false);
    }
    expect(thrownBy(() => listen({ port: 0, signal: "INVALID_SIGNAL" }))?.code).to.equal("ERR_INVALID_ARG_TYPE");
  });

  it("count their connections, and drop those that are too many", async () => {
    const { net } = bench();
    const server = await bench().listen();
    server.maxConnections = 1;
    const count = (): Promise<number> =>
      new Promise((resolve) => expect(server.getConnections((_error, counted) => resolve(counted))).to.equal(server));
    expect(await count()).to.equal(0);
    const first = bench().connect(server);
    const [accepted] = (await once(server, "connection")) as [MptcpSocket];
    expect(await count()).to.equal(1);
    const second = bench().connect(server);
    const [dropped] = (await once(server, "drop")) as [object];
    expect(dropped).to.deep.include({
      localAddress: net.serverAddress,
      localPort: server.address()!.port,
      localFamily: "IPv4",
      remoteAddress: net.clientAddress,
      remotePort: second.localPort,
      remoteFamily: "IPv4",
    });
    second.on("error", () => undefined).resume();
    await once(second, "close");
    first.resume().end();
    accepted.resume();
    await once(accepted, "close");
    bench().connect(server);
    await once(server, "connection");
    expect(await count()).to.equal(1);
  });

  it("take no connection when none is allowed, and any number when that is null", async () => {
    const server = await bench().listen();
    server.maxConnections = 0;
    const refused = bench().connect(server);
    await once(server, "drop");
    await once(refused.on("error", () => undefined).resume(), "close");
    (server as { maxConnections: number | null }).maxConnections = null;
    expect(server.dropMaxConnection).to.equal(undefined);
    bench().connect(server);
    await once(server, "connection");
  });

  it("do not tell of who is on their block list, and end its connections", async () => {
    const { net } = bench();
    const blockList = new net.server.BlockList();
    blockList.addSubnet(net.clientAddress, 24, "ipv4");
    const server = await bench().listen({ blockList });
    for (const event of ["connection", "drop"] as const) server.on(event, () => expect.fail(event));
    const socket = bench().connect(server);
    await once(socket.on("error", () => undefined).resume(), "close");
    const others = new net.server.BlockList();
    others.addAddress(net.foreignAddress);
    const open = await bench().listen({ blockList: others });
    bench().connect(open);
    await once(open, "connection");
    const create = net.server.createServer as (options: unknown) => unknown;
    expect(thrownBy(() => create({ blockList: [net.clientAddress] }))).to.deep.equal({
      code: "ERR_INVALID_ARG_TYPE",
      name: "TypeError",
    });
  });

  it("hand sockets over without reading from them, if they shall", async () => {
    for (const pauseOnConnect of [true, false]) {
      const server = await bench().listen({ pauseOnConnect });
      const client = bench().connect(server);
      const finished = once(client, "finish");
      client.end("text");
      const [socket] = (await once(server, "connection")) as [MptcpSocket];
      expect(socket.isPaused()).to.equal(pauseOnConnect);
      await finished;
      if (pauseOnConnect) expect(socket.bytesRead).to.equal(0);
      expect(await textOf(socket.resume())).to.equal("text");
    }
  });

  it("give their high-water mark to the sockets, when it is one, and none of the options of others", async () => {
    const { Socket } = bench().net.server;
    for (const highWaterMark of [0, 10, -1]) {
      const options = { highWaterMark, signal: "none", objectMode: false };
      const { accepted } = await bench().connected(options);
      const expected = highWaterMark < 0 ? new Socket().readableHighWaterMark : highWaterMark;
      expect([accepted.readableHighWaterMark, accepted.writableHighWaterMark]).to.deep.equal([expected, expected]);
    }
    const create = bench().net.server.createServer as (options: unknown) => unknown;
    expect(thrownBy(() => create({ highWaterMark: "1" }))?.code).to.equal("ERR_INVALID_ARG_TYPE");
  });

  it("capture what handlers reject, where that is asked for", async () => {
    const before = EventEmitter.captureRejections;
    EventEmitter.captureRejections = true;
    const server = made();
    EventEmitter.captureRejections = before;
    const failure = new Error("of a handler");
    const told = new Promise((resolve) => {
      const rejects = (socket: MptcpSocket): unknown => {
        socket.on("error", resolve);
        return Promise.reject(failure);
      };
      server.on("connection", rejects);
    });
    server.listen(0, bench().net.serverAddress);
    await once(server, "listening");
    bench().connect(server);
    expect(await told).to.equal(failure);
  });

  it("give themselves to the sockets that they accept", async () => {
    const { server, accepted, client } = await bench().connected();
    expect(accepted.server).to.equal(server);
    expect(client.server ?? null).to.equal(null);
  });

  it("keep the callback of listen for one time", async () => {
    const server = made();
    let called = 0;
    server.listen(0, bench().net.serverAddress, () => called++);
    await once(server, "listening");
    server.close();
    await once(server, "close");
    server.listen(0, bench().net.serverAddress);
    await once(server, "listening");
    expect(called).to.equal(1);
    expect(server.ref().unref()).to.equal(server);
  });
};
