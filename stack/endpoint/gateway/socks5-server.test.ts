import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { formatIpAddress } from "../../wire/ip-address.ts";
import { ConnectFailure } from "./connect-failure.ts";
import type { TransportAddress } from "./convert-message.ts";
import { kernelOutlet } from "./outlet.ts";
import { relay, type RelaySocket } from "./relay.ts";
import { createSocks5Server } from "./socks5-server.ts";

const noMethod = [5, 1, 0];
/** 192.0.2.80, port 80. */
const toServer = [5, 1, 0, 1, 192, 0, 2, 80, 0, 80];

/** Sockets of IPv4 that wait to send a keep-alive, as their two ports (Linux, proc_net_tcp.rst). */
function keepAliveTimers(): string[] {
  const rows = readFileSync("/proc/self/net/tcp", "utf8").trim().split("\n").slice(1);
  return rows.flatMap((row) => {
    const [, local = "", remote = "", , , timer = ""] = row.trim().split(/\s+/);
    const port = (end: string): number => Number.parseInt(end.slice(-4), 16);
    return timer.startsWith("02:") ? [`${port(local)} ${port(remote)}`] : [];
  });
}

describe("the SOCKS5 server", () => {
  let server: Server;
  let echo: Server;
  let connectFar: (remote: TransportAddress, application: TransportAddress) => Promise<RelaySocket>;
  const opened: Socket[] = [];

  beforeEach(async () => {
    echo = createServer((socket) => void socket.on("error", () => undefined).pipe(socket)).listen(0, "127.0.0.1");
    await once(echo, "listening");
    connectFar = async () => {
      const far = connect({ port: (echo.address() as AddressInfo).port, host: "127.0.0.1", allowHalfOpen: true });
      await once(far, "connect");
      return far;
    };
    server = createSocks5Server({
      credentials: undefined,
      connect: (remote, application) => connectFar(remote, application),
      onConnected: (application, far) => relay(application, far, () => undefined),
      onFailed: () => undefined,
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  afterEach(() => {
    for (const socket of opened.splice(0)) socket.destroy();
    server.close();
    echo.close();
  });

  /** All that comes back for `bytes` until the server ends, or as much as is `enough`. */
  async function answer(bytes: readonly number[], enough = Number.POSITIVE_INFINITY): Promise<number[]> {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    opened.push(socket);
    socket.write(Uint8Array.from(bytes));
    const heard: number[] = [];
    for await (const chunk of socket) {
      heard.push(...(chunk as Buffer));
      if (heard.length >= enough) break;
    }
    return heard;
  }

  it("joins a client with its server, and passes on what it has said already", async () => {
    expect(await answer([...noMethod, ...toServer, 1, 2, 3], 15)).to.deep.equal([
      5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3,
    ]);
  });

  it("takes clients of the link, whose addresses have a zone", async () => {
    server.prependListener("connection", (socket: Socket) =>
      Object.defineProperty(socket, "remoteAddress", { value: "fe80::1%wlan0" }),
    );
    const applications: string[] = [];
    connectFar = async (_remote, { address }) => {
      applications.push(formatIpAddress(address));
      throw new ConnectFailure("ECONNREFUSED", "nobody listens");
    };
    expect((await answer([...noMethod, ...toServer]))[3]).to.equal(5);
    expect(applications).to.deep.equal(["fe80::1"]);
  });

  for (const [what, request, reply] of [
    ["BIND", [5, 2, 0, 1, 192, 0, 2, 80, 0, 80], 7],
    ["UDP ASSOCIATE", [5, 3, 0, 1, 192, 0, 2, 80, 0, 80], 7],
    ["an address of another type", [5, 1, 0, 2, 192, 0, 2, 80, 0, 80], 8],
  ] as const)
    it(`answers ${what} with ${reply}`, async () => {
      expect((await answer([...noMethod, ...request]))[3]).to.equal(reply);
    });

  it("asks after clients and servers that have been silent for the kernel's time, for they may have vanished", async () => {
    connectFar = (remote) => kernelOutlet({ toAddress: "127.0.0.1", proxyProtocol: false })(remote, undefined);
    const { port } = echo.address() as AddressInfo;
    await answer([...noMethod, 5, 1, 0, 1, 192, 0, 2, 80, port >> 8, port & 255, 1], 13);
    const [near, far] = [server.address() as AddressInfo, echo.address() as AddressInfo];
    // A timer of retransmission stands in its place while something is not acknowledged.
    while (!keepAliveTimers().some((pair) => pair.startsWith(`${near.port} `))) await turn();
    while (!keepAliveTimers().some((pair) => pair.endsWith(` ${far.port}`))) await turn();
  });

  it("ends a conversation that is not SOCKS5 without a word", async () => {
    expect(await answer([...Buffer.from("GET / HTTP/1.1\r\n\r\n")])).to.deep.equal([]);
  });
});
