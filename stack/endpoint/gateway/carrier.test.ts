import { expect } from "chai";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { stackOf, virtualHosts, type VirtualHosts } from "../../net/virtual-hosts.fixture.ts";
import { parseIpAddress } from "../../wire/ip-address.ts";
import { Carrier } from "./carrier.ts";
import type { ConnectFailure } from "./connect-failure.ts";
import { ConvertCookies } from "./convert-cookies.ts";
import { convertError, type ConvertTlv, writeMessage } from "./convert-message.ts";
import { Converter, type ConverterOptions } from "./converter.ts";
import { readMessage } from "./message-reader.ts";
import { kernelOutlet } from "./outlet.ts";
import { relay } from "./relay.ts";

const peers = [{ host: "10.0.100.2", port: 4460 }];
const application = { address: parseIpAddress("10.99.0.1")!, port: 4711 };
const silent: Pick<ConverterOptions, "onConnected" | "onFailed"> = {
  onConnected: (client, server) => relay(client, server, () => undefined),
  onFailed: () => undefined,
};

/** The paths are virtual; the server, where one is reached, is the kernel's on loopback. */
describe("a client of a converter (RFC 8803)", () => {
  let hosts: VirtualHosts;
  let echo: Server;
  let reached: Socket[];
  let remote: { address: NonNullable<ReturnType<typeof parseIpAddress>>; port: number };

  const carrier = (fastOpen = false) =>
    new Carrier(stackOf(hosts.pair, hosts.pair.client), { peers, tellSource: false, fastOpen });
  const outlet = kernelOutlet({ toAddress: "127.0.0.1", proxyProtocol: false });

  beforeEach(async () => {
    hosts = virtualHosts({});
    reached = [];
    echo = createServer({ allowHalfOpen: true }, (socket) => {
      reached.push(socket);
      socket.pipe(socket).on("error", () => undefined);
    }).listen(0, "127.0.0.1");
    await once(echo, "listening");
    remote = { address: parseIpAddress("192.0.2.80")!, port: (echo.address() as AddressInfo).port };
  });

  afterEach(() => {
    hosts.close();
    echo.close();
    // Virtual hosts end without a word to the kernel's sockets.
    for (const socket of reached) socket.resetAndDestroy();
  });

  function convert(cookies?: ConvertCookies): void {
    const converter = new Converter({ open: outlet, cookies, maximumConnections: 9, ...silent });
    hosts.server
      .createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => void converter.serve(client))
      .listen({ port: 4460, fastOpen: true });
  }

  /** A converter that answers requests with these bytes, one after the other, and how each connection ended. */
  function answering(...answers: Uint8Array[]): { requests: ConvertTlv[][]; endings: (string | undefined)[] } {
    const seen: { requests: ConvertTlv[][]; endings: (string | undefined)[] } = { requests: [], endings: [] };
    hosts.server
      .createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
        client.on("error", (error: NodeJS.ErrnoException) => seen.endings.push(error.code));
        void readMessage(client).then(({ tlvs }) => {
          seen.requests.push([...tlvs]);
          client.write(answers.shift()!);
          client.resume();
        });
      })
      .listen({ port: 4460, fastOpen: true });
    return seen;
  }

  /** Time goes on until there is one. */
  async function oneOf(list: readonly unknown[]): Promise<void> {
    while (list.length === 0) await new Promise(setImmediate);
  }

  const failureOf = (of: Carrier, to = remote): Promise<ConnectFailure> =>
    of.connect(to, application).then(
      () => expect.fail("it connected"),
      (error: ConnectFailure) => error,
    );
  const error = (code: number, ...value: number[]): Uint8Array =>
    writeMessage([{ type: "error", code, value: Uint8Array.from(value) }]);
  const confirmation = writeMessage([{ type: "extended-tcp-header", tcpOptions: new Uint8Array(0) }]);

  for (const fastOpen of [false, true]) {
    it(`reaches the server${fastOpen ? ", with TCP Fast Open, too" : ""}`, async () => {
      convert();
      const client = carrier(fastOpen);
      for (const word of ["first", "second"]) {
        const socket = await client.connect(remote, application);
        socket.end(word);
        let text = "";
        for await (const chunk of socket.setEncoding("utf8")) text += chunk;
        expect(text).to.equal(word);
      }
    });
  }

  it("asks in the SYN once it has a cookie of TCP Fast Open: half a round trip less", async () => {
    answering(confirmation, confirmation);
    const client = carrier(true);
    const took = async (): Promise<number> => {
      const started = hosts.pair.network.now;
      (await client.connect(remote, application)).resetAndDestroy();
      return hosts.pair.network.now - started;
    };
    const first = await took();
    // A round trip of WiFi is 20 ms. The request is there half of one earlier; the answer waits for the client's key (RFC 8684 §3.1).
    expect(first - (await took())).to.be.within(9_000, 15_000);
  });

  it("takes a cookie that it is given, and shows it from then on (§6.2.7)", async () => {
    const { requests, endings } = answering(
      error(convertError.missingCookie, 0, 7, 7, 7, 7),
      confirmation,
      confirmation,
    );
    const client = carrier();
    await client.connect(remote, application);
    await client.connect(remote, application);
    const cookies = requests
      .map((tlvs) => tlvs.find((tlv) => tlv.type === "cookie")?.cookie)
      .map((cookie) => cookie && [...cookie].join());
    expect(cookies).to.deep.equal([undefined, "7,7,7,7", "7,7,7,7"]);
    expect(endings).to.deep.equal(["ECONNRESET"]);
  });

  it("gets on with a converter that wants cookies, and when its key has changed", async () => {
    let now = 0;
    convert(new ConvertCookies(() => now));
    const client = carrier();
    await client.connect(remote, application);
    now = 10_000_000;
    await client.connect(remote, application);
  });

  it("resets a connection on which it is told of an error (§6.2.8)", async () => {
    const { endings } = answering(error(convertError.connectionReset, 0));
    expect(await failureOf(carrier())).to.include({ code: "ECONNREFUSED" });
    await oneOf(endings);
    expect(endings).to.deep.equal(["ECONNRESET"]);
  });

  for (const [what, bytes] of [
    ["a TLV of type 0", Uint8Array.of(1, 2, 0x22, 0x63, 0, 1, 0, 0)],
    ["the same TLV twice", Uint8Array.of(1, 3, 0x22, 0x63, 20, 1, 0, 0, 20, 1, 0, 0)],
    ["a message of no length", Uint8Array.of(1, 0, 0x22, 0x63)],
    ["no Convert message", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ] as const) {
    it(`resets a connection that answers with ${what} (§6.1, §6.2.1, §6.2.2, §8)`, async () => {
      const { endings } = answering(bytes);
      expect(await failureOf(carrier())).to.include({ code: "ENETUNREACH" });
      await oneOf(endings);
      expect(endings).to.deep.equal(["ECONNRESET"]);
    });
  }

  it("leaves a converter alone that has no room, for as long as it wants (§6.2.8)", async () => {
    const { requests } = answering(error(convertError.resourceExceeded, 5), confirmation);
    const client = carrier();
    expect(await failureOf(client)).to.include({ code: "EMFILE" });
    expect(await failureOf(client)).to.include({ code: "EMFILE" });
    expect(requests).to.have.length(1);
    hosts.pair.network.run(6_000_000);
    await client.connect(remote, application);
  });

  it("gives up a converter that vanishes while its answer is due", async () => {
    const requests: unknown[] = [];
    hosts.server
      .createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
        void readMessage(client).then(() => requests.push(client));
      })
      .listen(4460);
    const failure = failureOf(carrier(false));
    await oneOf(requests);
    // All that was said has been acknowledged: nothing is sent again.
    const asked = hosts.pair.network.now;
    while (hosts.pair.network.now < asked + 1_000_000) await new Promise(setImmediate);
    for (const link of hosts.pair.links) link.up.blackhole = link.down.blackhole = true;
    expect((await failure).code).to.equal("ENETUNREACH");
  });

  it("asks no converter for a group, or for itself (§6.2.5)", async () => {
    for (const address of ["224.0.0.1", "127.0.0.1", "255.255.255.255", "::1", "ff02::1"])
      expect(await failureOf(carrier(), { address: parseIpAddress(address)!, port: 80 })).to.include({
        code: "EHOSTUNREACH",
      });
  });
});
