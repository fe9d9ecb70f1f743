import { once } from "node:events";
import type { LookupFunction } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { ConnectionStateError } from "../mptcp/connection-observer.ts";
import { makePair, type Pair, wifi } from "../testing/pair.ts";
import { segmentOf } from "../testing/wire-tap.ts";
import { connect, createServer, type MptcpSocket } from "./net.ts";
import type { SocketConnectOptions } from "./socket-options.ts";
import { stackOf } from "./virtual-hosts.fixture.ts";

async function advance(pair: Pair, done: () => boolean): Promise<void> {
  for (let i = 0; i < 40_000 && !done(); i++) {
    pair.network.run(5_000);
    await turn();
  }
  expect(done(), "in two hundred seconds of virtual time").to.equal(true);
}

/** The code of what `call` throws. */
function codeOf(call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
}

type SystemError = Error & { code?: string; syscall?: string };

async function errorOf(pair: Pair, socket: MptcpSocket): Promise<SystemError | undefined> {
  let error: SystemError | undefined;
  socket.on("error", (received) => (error = received));
  await advance(pair, () => error !== undefined);
  return error;
}

describe("wrong calls and failures have the codes of node:net", () => {
  for (const port of [-1, 65_536, 1.5, Number.NaN]) {
    it(`ERR_SOCKET_BAD_PORT: port ${port}`, () => {
      const pair = makePair({ paths: [wifi] });
      const stack = stackOf(pair, pair.client);
      expect(codeOf(() => connect(stack, { host: "10.0.100.2", port }))).to.equal("ERR_SOCKET_BAD_PORT");
      expect(codeOf(() => createServer(stack, {}).listen({ port }))).to.equal("ERR_SOCKET_BAD_PORT");
      expect(pair.client.connections).to.deep.equal([]);
    });
  }

  it("ENETUNREACH, EADDRNOTAVAIL, and a name that is not known, of connect", async () => {
    const interfaces = [
      {
        name: "e",
        mac: "02:00:00:00:00:01",
        mtu: 1500,
        gso: false,
        addresses: [{ address: "10.0.1.2", prefixLength: 24 }],
      },
    ];
    const pair = makePair({ paths: [wifi], client: { interfaces } });
    const stack = stackOf(pair, pair.client);
    const failure = async (options: SocketConnectOptions) => errorOf(pair, connect(stack, options));
    expect(await failure({ host: "10.0.100.2", port: 80 })).to.deep.include({
      code: "ENETUNREACH",
      syscall: "connect",
      errno: -101,
      address: "10.0.100.2",
      port: 80,
    });
    const elsewhere = await failure({ host: "10.0.1.9", port: 80, localAddress: "10.9.9.9" });
    expect(elsewhere?.message).to.equal("bind EADDRNOTAVAIL 10.9.9.9");
    const unknown = Object.assign(new Error("not found"), { code: "ENOTFOUND" });
    const lookup: LookupFunction = (_name, _options, tell) => tell(unknown, "");
    expect(await failure({ host: "server.example", port: 80, lookup })).to.equal(unknown);
  });

  it("ERR_SERVER_ALREADY_LISTEN and ERR_SERVER_NOT_RUNNING", async () => {
    const pair = makePair({ paths: [wifi] });
    const server = createServer(stackOf(pair, pair.server), {});
    let notRunning: Error | undefined;
    server.close((error) => (notRunning = error));
    await turn();
    expect(notRunning).to.have.property("code", "ERR_SERVER_NOT_RUNNING");
    server.listen({ port: 80 });
    await once(server, "listening");
    expect(codeOf(() => server.listen({ port: 81 }))).to.equal("ERR_SERVER_ALREADY_LISTEN");
  });

  for (const mptcp of [true, false]) {
    it(`ETIMEDOUT of connect when the peer does not answer, EHOSTUNREACH when nobody on the link does, ${mptcp ? "with" : "without"} MPTCP`, async () => {
      for (const [isSilent, code] of [
        [(frame: Uint8Array): boolean => segmentOf(frame) !== undefined, "ETIMEDOUT"],
        [(): boolean => true, "EHOSTUNREACH"],
      ] as const) {
        const pair = makePair({ paths: [wifi] });
        pair.links[0]!.up.middlebox = (frame) => !isSilent(frame);
        const socket = connect(stackOf(pair, pair.client), { host: "10.0.100.2", port: 80, mptcp });
        const error = await errorOf(pair, socket);
        expect([error?.code, error?.syscall]).to.deep.equal([code, "connect"]);
      }
    });
  }

  it("ERR_STREAM_WRITE_AFTER_END, ERR_STREAM_DESTROYED, and EPIPE below the stream", async () => {
    const pair = makePair({ paths: [wifi] });
    createServer(stackOf(pair, pair.server), { allowHalfOpen: true }, (socket) => socket.resume()).listen({ port: 80 });
    const socket = connect(stackOf(pair, pair.client), { host: "10.0.100.2", port: 80, allowHalfOpen: true });
    await advance(pair, () => !socket.connecting);
    const [connection] = pair.client.connections;
    socket.end();
    await advance(pair, () => socket.writableFinished);
    expect(() => connection!.write(new Uint8Array(1), pair.network.now))
      .to.throw(ConnectionStateError)
      .with.property("code", "EPIPE");
    const errors: (Error & { code?: string })[] = [];
    socket.on("error", (error) => errors.push(error));
    socket.write("x", (error) => errors.push(error!));
    await advance(pair, () => errors.length > 0);
    expect(errors[0]!.code).to.equal("ERR_STREAM_WRITE_AFTER_END");
    const destroyed = connect(stackOf(pair, pair.client), { host: "10.0.100.2", port: 80 }).destroy();
    let late: (Error & { code?: string }) | null | undefined;
    destroyed.write("x", (error) => (late = error));
    await advance(pair, () => late !== undefined);
    expect(late!.code).to.equal("ERR_STREAM_DESTROYED");
  });
});
