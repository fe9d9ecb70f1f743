import { expect } from "chai";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { stackOf, virtualHosts, type VirtualHosts } from "../../net/virtual-hosts.fixture.ts";
import { parseIpAddress } from "../../wire/ip-address.ts";
import type { ConnectFailure } from "./connect-failure.ts";
import { DirectCarrier } from "./direct-carrier.ts";
import { forward } from "./forwarder.ts";
import { relay, type RelayResult } from "./relay.ts";

const freePort = 9;
const at = (host: string, port: number) => ({ address: parseIpAddress(host)!, port });

/** The paths are virtual; the server is the kernel's on loopback. */
describe("applications carried without a converter", () => {
  let hosts: VirtualHosts;
  let echo: Server;
  let port: number;
  let carrier: DirectCarrier;
  const reached: Socket[] = [];

  beforeEach(async () => {
    hosts = virtualHosts({});
    carrier = new DirectCarrier(stackOf(hosts.pair, hosts.pair.client));
    echo = createServer({ allowHalfOpen: true }, (socket) => {
      reached.push(socket);
      socket.pipe(socket).on("error", () => undefined);
    }).listen(0, "127.0.0.1");
    await once(echo, "listening");
    port = (echo.address() as AddressInfo).port;
  });

  afterEach(() => {
    hosts.close();
    echo.close();
    for (const socket of reached.splice(0)) socket.resetAndDestroy();
  });

  const forwarded = (to: number): { carried: Promise<RelayResult>; failed: Promise<string> } => {
    const carried = Promise.withResolvers<RelayResult>();
    const failed = Promise.withResolvers<string>();
    void forward(stackOf(hosts.pair, hosts.pair.server), to, {
      toAddress: "127.0.0.1",
      maximumConnections: 9,
      onConnected: (client, server) => relay(client, server, carried.resolve),
      onFailed: (_, problem) => failed.resolve(problem),
    });
    return { carried: carried.promise, failed: failed.promise };
  };

  it("come to the server's port, and both directions end", async () => {
    const { carried } = forwarded(port);
    const socket = await carrier.connect(at("10.0.100.2", port));
    socket.end("a question");
    let answer = "";
    socket.on("data", (data: Buffer) => (answer += data.toString()));
    await once(socket, "end");
    expect(answer).to.equal("a question");
    expect(await carried).to.deep.equal({ bytesUp: 10, bytesDown: 10, error: undefined });
  });

  it("hear a reset where nobody listens behind the forwarder", async () => {
    const { failed } = forwarded(freePort);
    const socket = await carrier.connect(at("10.0.100.2", freePort));
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).to.equal("ECONNRESET");
    expect(await failed).to.contain("ECONNREFUSED");
  });

  for (const [host, code] of [
    ["10.0.100.2", "ECONNREFUSED"],
    ["224.0.0.1", "EHOSTUNREACH"],
  ] as const) {
    it(`are told ${code} of ${host}`, async () => {
      const failure = (await carrier.connect(at(host, freePort)).catch((error: unknown) => error)) as ConnectFailure;
      expect(failure.code).to.equal(code);
    });
  }
});
