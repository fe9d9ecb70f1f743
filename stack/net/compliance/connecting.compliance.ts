import { once } from "node:events";
import { ADDRCONFIG } from "node:dns";
import type { LookupFunction } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { expect } from "chai";
import type { MptcpSocket, Net } from "../net.ts";
import { errorOf, type Suite, textOf, thrownBy } from "./implementation.ts";

/** All ways to begin a connection, with and without callback. */
function waysToConnect(net: Net, args: unknown[]): (() => MptcpSocket)[] {
  type Call = (...args: unknown[]) => MptcpSocket;
  const calls: Call[] = [
    net.connect as Call,
    net.createConnection as Call,
    (...given) => (new net.Socket().connect as Call).call(new net.Socket(), ...given),
  ];
  return calls.flatMap((call) => [() => call(...args), () => call(...args, () => undefined)]);
}

const found =
  (address: string, family: number): LookupFunction =>
  (_name, options, tell) => {
    process.nextTick(() => {
      if (options.all === true) tell(null, [{ address, family }]);
      else tell(null, address, family);
    });
  };

const refusing: LookupFunction = () => {
  throw new Error("an address is no name");
};

export const connecting: Suite = (bench) => {
  it("takes port and host, as numbers, strings, options, with and without a callback", async () => {
    let connections = 0;
    const { net } = bench();
    const server = await bench().listen({}, (socket) => {
      connections++;
      socket.end("ok");
    });
    const { port } = server.address()!;
    const host = net.serverAddress;
    const sockets = [port, String(port), `0x${port.toString(16)}`].flatMap((each) => [
      ...waysToConnect(net.client, [each, host]),
      ...waysToConnect(net.client, [{ port: each, host }]),
    ]);
    await Promise.all(sockets.map(async (begin) => expect(await textOf(bench().keep(begin()))).to.equal("ok")));
    expect(connections).to.equal(sockets.length);
  });

  it("refuses what is no port", () => {
    const { client, serverAddress: host } = bench().net;
    const type = { code: "ERR_INVALID_ARG_TYPE", name: "TypeError" };
    const range = { code: "ERR_SOCKET_BAD_PORT", name: "RangeError" };
    for (const port of [true, false, null])
      for (const begin of [...waysToConnect(client, [port, host]), ...waysToConnect(client, [{ port, host }])])
        expect(thrownBy(begin), String(port)).to.deep.equal(type);
    for (const port of ["", " ", Number.NaN, Infinity, -1, 65_536, 1.5])
      for (const begin of [...waysToConnect(client, [port, host]), ...waysToConnect(client, [{ port, host }])])
        expect(thrownBy(begin), String(port)).to.deep.equal(range);
    for (const port of ["0x", "-0x1"])
      for (const begin of waysToConnect(client, [{ port, host }])) expect(thrownBy(begin), port).to.deep.equal(range);
    for (const port of [[], {}])
      for (const begin of waysToConnect(client, [{ port, host }]))
        expect(thrownBy(begin), JSON.stringify(port)).to.deep.equal(type);
  });

  it("refuses no arguments, options of other streams, wrong local ends and lookups", () => {
    const { client, serverAddress: host } = bench().net;
    const connect = client.connect as unknown as (options?: unknown) => MptcpSocket;
    expect(thrownBy(() => new client.Socket().connect(...([] as never)))?.code).to.equal("ERR_MISSING_ARGS");
    expect(thrownBy(() => connect({ host }))?.code).to.equal("ERR_MISSING_ARGS");
    for (const mode of ["objectMode", "readableObjectMode", "writableObjectMode"])
      expect(thrownBy(() => connect({ port: 80, host, [mode]: true }))?.code).to.equal("ERR_INVALID_ARG_VALUE");
    expect(thrownBy(() => connect({ port: 80, host, localAddress: "foobar" }))?.code).to.equal(
      "ERR_INVALID_IP_ADDRESS",
    );
    expect(thrownBy(() => connect({ port: 80, host, localPort: "foobar" }))?.code).to.equal("ERR_INVALID_ARG_TYPE");
    expect(thrownBy(() => connect({ port: 80, host: "a.test", lookup: "foobar" }))?.code).to.equal(
      "ERR_INVALID_ARG_TYPE",
    );
    expect(thrownBy(() => connect({ port: 80, host: "a.test", hints: 9_999 }))?.code).to.equal("ERR_INVALID_ARG_VALUE");
  });

  it("looks names up by the function that it is given, and tells of it", async () => {
    const { net } = bench();
    const server = await bench().listen({}, (socket) => void socket.end());
    for (const autoSelectFamily of [true, false]) {
      const lookup = found(net.serverAddress, 4);
      const socket = bench().connect(server, { host: "server.test", lookup, autoSelectFamily });
      expect(await once(socket, "lookup")).to.deep.equal([null, net.serverAddress, 4, "server.test"]);
      await once(socket, "connect");
      expect(socket.remoteAddress).to.equal(net.serverAddress);
    }
  });

  it("does not look addresses up", async () => {
    const server = await bench().listen();
    await once(bench().connect(server, { lookup: refusing }), "connect");
  });

  it("tells what a lookup function has got wrong, and its error", async () => {
    const { client } = bench().net;
    const failed = Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
    const cases: [LookupFunction, string][] = [
      [(_name, _options, tell) => process.nextTick(tell, failed, ""), "ENOTFOUND"],
      [found("not an address", 4), "ERR_INVALID_IP_ADDRESS"],
      [found("127.0.0.1", 5), "ERR_INVALID_ADDRESS_FAMILY"],
    ];
    for (const [lookup, code] of cases) {
      const socket = client.connect({ host: "server.test", port: 80, lookup, autoSelectFamily: false });
      expect((await errorOf(socket)).code).to.equal(code);
    }
  });

  it("tries the addresses of a name one after the other", async () => {
    const { net } = bench();
    const server = await bench().listen();
    const { port } = server.address()!;
    const lookup: LookupFunction = (_name, _options, tell) =>
      process.nextTick(tell, null, [
        { address: net.serverIpv6, family: 6 },
        { address: net.serverAddress, family: 4 },
      ]);
    const socket = bench().connect(server, { host: "server.test", lookup, autoSelectFamily: true });
    const told: unknown[] = [];
    socket.on("connectionAttempt", (...args) => told.push(["attempt", ...args]));
    socket.on("connectionAttemptFailed", (address, _port, family) => told.push(["failed", address, family]));
    await once(socket, "connect");
    expect(told).to.deep.equal([
      ["attempt", net.serverIpv6, port, 6],
      ["failed", net.serverIpv6, 6],
      ["attempt", net.serverAddress, port, 4],
    ]);
    expect(socket.remoteFamily).to.equal("IPv4");
    expect(socket.autoSelectFamilyAttemptedAddresses).to.deep.equal([
      `${net.serverIpv6}:${port}`,
      `${net.serverAddress}:${port}`,
    ]);
  });

  it("tells all errors when none of the addresses answers", async () => {
    const { net } = bench();
    const port = await bench().freePort();
    const lookup: LookupFunction = (_name, _options, tell) =>
      tell(null, [
        { address: net.serverAddress, family: 4 },
        { address: net.serverIpv6, family: 6 },
      ]);
    const socket = net.client.connect({ host: "server.test", port, lookup, autoSelectFamily: true });
    const error = (await errorOf(socket)) as unknown as AggregateError & { code: string };
    expect(error.code).to.equal("ECONNREFUSED");
    expect(error.errors.map(({ code }: { code: string }) => code)).to.deep.equal(["ECONNREFUSED", "ECONNREFUSED"]);
  });

  it("says in which state it is", async () => {
    const { net } = bench();
    const server = await bench().listen({ allowHalfOpen: true });
    const socket = bench().keep(new net.client.Socket({ allowHalfOpen: true }));
    expect([socket.connecting, socket.pending, socket.address()]).to.deep.equal([false, true, {}]);
    expect(socket.connect(server.address()!.port, net.serverAddress)).to.equal(socket);
    expect([socket.connecting, socket.pending, socket.readyState]).to.deep.equal([true, true, "opening"]);
    expect([socket.remoteAddress, socket.remotePort, socket.remoteFamily]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
    await Promise.all([once(socket, "ready"), once(server, "connection")]);
    expect([socket.connecting, socket.pending, socket.readyState]).to.deep.equal([false, false, "open"]);
    socket.end();
    expect(socket.readyState).to.equal("readOnly");
    socket.destroy();
    expect(socket.readyState).to.equal("closed");
  });

  it("tells both ends of the connection, and still when it is closed by the peer", async () => {
    const { net } = bench();
    const localPort = await bench().freePort();
    const { server, client, accepted } = await bench().connected({}, { localAddress: net.clientAddress, localPort });
    const { port } = server.address()!;
    expect(client.address()).to.deep.equal({ address: net.clientAddress, family: "IPv4", port: localPort });
    expect([client.localAddress, client.localPort, client.localFamily]).to.deep.equal([
      net.clientAddress,
      localPort,
      "IPv4",
    ]);
    expect([client.remoteAddress, client.remotePort, client.remoteFamily]).to.deep.equal([
      net.serverAddress,
      port,
      "IPv4",
    ]);
    expect([accepted.remoteAddress, accepted.remotePort]).to.deep.equal([net.clientAddress, localPort]);
    expect([accepted.localAddress, accepted.localPort]).to.deep.equal([net.serverAddress, port]);
    client.resume();
    accepted.end();
    await once(client, "end");
    expect([client.remoteAddress, client.remotePort]).to.deep.equal([net.serverAddress, port]);
  });

  it("refused, says ECONNREFUSED with all fields", async () => {
    const { net } = bench();
    const port = await bench().freePort();
    const socket = net.client.connect(port, net.serverAddress, () => expect.fail("connected"));
    const error = await errorOf(socket);
    expect(error).to.be.instanceOf(Error);
    expect(error).to.include({
      code: "ECONNREFUSED",
      errno: -111,
      syscall: "connect",
      address: net.serverAddress,
      port,
      message: `connect ECONNREFUSED ${net.serverAddress}:${port}`,
    });
    expect(await once(socket, "close")).to.deep.equal([true]);
  });

  it("says EADDRNOTAVAIL of a local address that the host does not have", async () => {
    const { net } = bench();
    const localAddress = net.foreignAddress;
    const error = await errorOf(net.client.connect({ port: 80, host: net.serverAddress, localAddress }));
    expect(error).to.include({
      code: "EADDRNOTAVAIL",
      syscall: "bind",
      address: localAddress,
      message: `bind EADDRNOTAVAIL ${localAddress}`,
    });
  });

  it("is aborted by a signal, before and during the attempt", async () => {
    const { net } = bench();
    const server = await bench().listen();
    const { port } = server.address()!;
    for (const early of [true, false]) {
      const controller = new AbortController();
      if (early) controller.abort();
      const socket = net.client.connect({ port, host: net.serverAddress, signal: controller.signal });
      if (!early) controller.abort();
      expect(await errorOf(socket)).to.have.property("name", "AbortError");
    }
  });

  it("destroyed while it connects, never tells that it is connected", async () => {
    const server = await bench().listen();
    const socket = bench().connect(server);
    socket.on("connect", () => expect.fail("connected"));
    socket.destroy();
    expect([socket.destroyed, socket.connecting]).to.deep.equal([true, false]);
    expect(await once(socket, "close")).to.deep.equal([false]);
  });

  it("may connect once more when it is closed", async () => {
    const { net } = bench();
    const server = await bench().listen({}, (socket) => void socket.end("again"));
    const { port } = server.address()!;
    const socket = bench().connect(server);
    const texts: string[] = [];
    socket.setEncoding("utf8").on("data", (text: string) => texts.push(text));
    for (let i = 0; i < 3; i++) {
      if (i > 0) socket.connect(port, net.serverAddress);
      await once(socket, "close");
    }
    expect(texts).to.deep.equal(["again", "again", "again"]);
  });

  it("takes writes and the end before it is connected", async () => {
    const texts: Promise<string>[] = [];
    const server = await bench().listen({}, (socket) => void texts.push(textOf(socket)));
    const socket = bench().connect(server);
    const written: boolean[] = [];
    expect(socket.write("one ", () => written.push(socket.connecting))).to.equal(true);
    socket.write("two");
    expect([socket.bytesWritten, socket.connecting]).to.deep.equal([7, true]);
    socket.end();
    await once(socket.resume(), "close");
    expect(await texts[0]).to.equal("one two");
    expect([written, socket.bytesWritten]).to.deep.equal([[false], 7]);
  });

  it("paused before it is connected, waits with what comes", async () => {
    const { net } = bench();
    const server = await bench().listen({}, (socket) => void socket.end("text"));
    const socket = bench().keep(new net.client.Socket());
    socket.pause();
    socket.connect(server.address()!.port, net.serverAddress);
    socket.on("data", () => expect(socket.isPaused()).to.equal(false));
    await once(socket, "connect");
    await wait(10);
    socket.resume();
    expect(String((await once(socket, "data"))[0])).to.equal("text");
  });

  it("does not connect to what its block list has, and says so", async () => {
    const { net } = bench();
    const server = await bench().listen();
    const blockList = new net.client.BlockList();
    blockList.addAddress(net.serverAddress);
    const error = await errorOf(bench().connect(server, { blockList }));
    expect(error).to.include({
      code: "ERR_IP_BLOCKED",
      message: `IP(${net.serverAddress}) is blocked by net.BlockList`,
    });
    const other = new net.client.BlockList();
    other.addAddress(net.foreignAddress);
    await once(bench().connect(server, { blockList: other }), "connect");
    const connect = net.client.connect as (options: unknown) => unknown;
    expect(thrownBy(() => connect({ port: 1, host: net.serverAddress, blockList: {} }))?.code).to.equal(
      "ERR_INVALID_ARG_TYPE",
    );
  });

  it("is of the module's classes, which do without new", async () => {
    const { client: net, server: serverNet } = bench().net;
    const { server, client, accepted } = await bench().connected();
    expect(client).to.be.instanceOf(net.Socket).and.to.have.property("constructor", net.Socket);
    expect(accepted).to.be.instanceOf(serverNet.Socket);
    expect(server).to.be.instanceOf(serverNet.Server);
    expect([net.Socket.name, net.Server.name]).to.deep.equal(["Socket", "Server"]);
    expect((net.Socket as unknown as (options: object) => object)({})).to.be.instanceOf(net.Stream);
    expect((net.Server as unknown as () => object)()).to.be.instanceOf(net.Server);
  });

  it("takes options of its stream, and what is false for not there", async () => {
    const { client } = bench().net;
    const socket = new client.Socket({ readableHighWaterMark: 10, writableHighWaterMark: 20, encoding: "utf8" });
    expect([socket.readableHighWaterMark, socket.writableHighWaterMark, socket.readableEncoding]).to.deep.equal([
      10,
      20,
      "utf8",
    ]);
    const server = await bench().listen();
    const nothing = {
      localAddress: "",
      localPort: null,
      timeout: null,
      signal: null,
      autoSelectFamily: null,
      autoSelectFamilyAttemptTimeout: null,
      lookup: null,
      hints: null,
      blockList: null,
      path: "",
      onread: { buffer: "none" },
    };
    await once(bench().connect(server, nothing), "connect");
  });

  it("refuses what is no name, and no time of an attempt, in Node's words", () => {
    const { client, serverAddress: host } = bench().net;
    const messageOf = (options: object): string => {
      try {
        (client.connect as (options: object) => unknown)({ port: 1, host, ...options });
      } catch (error) {
        return (error as Error).message;
      }
      return "";
    };
    expect(messageOf({ host: 5 })).to.equal(
      'The "options.host" property must be of type string. Received type number (5)',
    );
    expect(messageOf({ host: "a\0b" })).to.match(/must be a string without null bytes/);
    expect(messageOf({ autoSelectFamilyAttemptTimeout: 0 })).to.match(/out of range.*>= 1 && <= 2147483647/);
    expect(messageOf({ autoSelectFamilyAttemptTimeout: "1" })).to.match(/Received type string \('1'\)$/);
    expect(messageOf({ port: [] })).to.match(/Received an instance of Array$/);
    expect(messageOf({ port: 65_536 })).to.equal("Port should be >= 0 and < 65536. Received type number (65536).");
  });

  it("that connects already says EALREADY, and opens nothing more", async () => {
    const { net } = bench();
    let connections = 0;
    const server = await bench().listen({}, (accepted) => {
      connections++;
      accepted.on("error", () => undefined).resume();
    });
    const socket = bench().connect(server);
    socket.connect(server.address()!.port, net.serverAddress);
    expect(await errorOf(socket)).to.include({ code: "EALREADY", syscall: "connect" });
    await once(socket, "close");
    await once(bench().connect(server), "connect");
    expect(connections).to.be.lessThan(3);
  });

  it("refused, names its local end where it was told both halves of it", async () => {
    const { net } = bench();
    const [port, localPort] = [await bench().freePort(), await bench().freePort()];
    const local = { localAddress: net.clientAddress, localPort };
    const error = await errorOf(net.client.connect({ port, host: net.serverAddress, ...local }));
    const place = `${net.serverAddress}:${port}`;
    expect(error.message).to.equal(`connect ECONNREFUSED ${place} - Local (${net.clientAddress}:${localPort})`);
    expect(error).to.include(local);
    const half = await errorOf(net.client.connect({ port, host: net.serverAddress, localAddress: net.clientAddress }));
    expect(half.message).to.equal(`connect ECONNREFUSED ${place}`);
  });

  it("asks a lookup function as node:net does, and takes of its answer what is an address, once", async () => {
    const { net } = bench();
    const server = await bench().listen();
    const asked: unknown[] = [];
    const answer = ["junk", net.serverAddress, net.serverAddress].map((address) => ({ address, family: 4 }));
    const lookup = ((_name, options, tell) => {
      asked.push({ ...options });
      if (options.all === true) tell(null, answer);
      else tell(null, net.serverAddress, 4);
    }) as LookupFunction;
    for (const options of [{}, { family: "IPv4" }, { localAddress: net.clientAddress, hints: 8 }])
      await once(bench().connect(server, { host: "server.test", lookup, ...options }), "connect");
    expect(asked).to.deep.equal([
      { family: undefined, hints: ADDRCONFIG, all: true },
      { family: 4, hints: 0 },
      { family: undefined, hints: 8 },
    ]);
  });

  it("takes the module's word for whether all addresses of a name are tried", async () => {
    const { client, serverAddress } = bench().net;
    const server = await bench().listen();
    const before = client.getDefaultAutoSelectFamily();
    const asked: unknown[] = [];
    const lookup = (_name: string, options: { all?: boolean }, tell: (...told: unknown[]) => void): void => {
      asked.push(options.all ?? false);
      if (options.all === true) tell(null, [{ address: serverAddress, family: 4 }]);
      else tell(null, serverAddress, 4);
    };
    try {
      for (const all of [true, false]) {
        client.setDefaultAutoSelectFamily(all);
        await once(bench().connect(server, { host: "server.test", lookup }), "connect");
      }
    } finally {
      client.setDefaultAutoSelectFamily(before);
    }
    expect(asked).to.deep.equal([true, false]);
    expect(client.getDefaultAutoSelectFamilyAttemptTimeout()).to.be.greaterThan(9);
  });
};
