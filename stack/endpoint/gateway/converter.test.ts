import { expect } from "chai";
import { once } from "node:events";
import { type AddressInfo, BlockList, connect, createServer, type Server } from "node:net";
import { buffer } from "node:stream/consumers";
import { parseIpAddress } from "../../wire/ip-address.ts";
import { convertError, type ConvertTlv, messageLength, parseMessage, writeMessage } from "./convert-message.ts";
import { ClientLimits } from "./client-limits.ts";
import { ConvertCookies } from "./convert-cookies.ts";
import { Converter } from "./converter.ts";
import { allowing, kernelOutlet, type Outlet } from "./outlet.ts";
import { relay, type RelayResult } from "./relay.ts";

/** Where requests go that loopback answers: it must not be asked for itself. */
const elsewhere = parseIpAddress("192.0.2.80")!;
const application = { address: parseIpAddress("10.99.0.1")!, port: 4711 };

/** A converter behind a socket of the kernel: what it says does not depend on what carries it. */
describe("a converter (RFC 8803) on loopback", () => {
  const open: Server[] = [];
  const carried: RelayResult[] = [];

  async function listen(server: Server): Promise<number> {
    open.push(server.listen(0, "127.0.0.1"));
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  function converter(outlet: Outlet, cookies?: ConvertCookies, maximumConnections = 99): Promise<number> {
    const serving = new Converter({
      open: outlet,
      cookies,
      maximumConnections,
      onConnected: (client, server) => relay(client, server, (result) => carried.push(result)),
      onFailed: () => undefined,
    });
    return listen(createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => void serving.serve(client)));
  }

  /** A server that says back what it hears, to the end. */
  const echo = (): Promise<number> =>
    listen(createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket).on("error", () => undefined)));

  /** Says `bytes`, ends, and hears the answer: its TLVs, and what follows them. */
  async function ask(port: number, bytes: Uint8Array): Promise<{ tlvs: ConvertTlv[]; rest: Buffer; answer: Buffer }> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.end(bytes);
    const answer = await buffer(socket);
    const length = messageLength(answer)!;
    return { tlvs: parseMessage(answer.subarray(0, length)), rest: answer.subarray(length), answer };
  }

  const request = (port: number, ...more: ConvertTlv[]): Uint8Array =>
    writeMessage([{ type: "connect", remote: { address: elsewhere, port }, tcpOptions: new Uint8Array(0) }, ...more]);
  const kernel = kernelOutlet({ toAddress: "127.0.0.1", proxyProtocol: false });

  afterEach(() => {
    for (const server of open.splice(0)) server.close();
    carried.length = 0;
  });

  it("confirms, and joins the two, with what came behind the request", async () => {
    const [port, echoing] = [await converter(kernel), await echo()];
    const { tlvs, rest } = await ask(port, Buffer.concat([request(echoing), Buffer.from("hello")]));
    expect(tlvs).to.deep.equal([{ type: "extended-tcp-header", tcpOptions: new Uint8Array(0) }]);
    expect(rest.toString()).to.equal("hello");
    while (carried.length === 0) await new Promise(setImmediate);
    expect(carried).to.deep.equal([{ bytesUp: 5, bytesDown: 5, error: undefined }]);
  });

  it("tells the server who the application is, where that is wanted", async () => {
    const port = await converter(kernelOutlet({ toAddress: "127.0.0.1", proxyProtocol: true }));
    const { rest } = await ask(port, request(await echo(), { type: "source", application }));
    expect(rest.toString("hex")).to.match(/^0d0a0d0a000d0a515549540a2111000c0a630001c00002501267/);
  });

  it("says what it converts", async () => {
    const { tlvs } = await ask(await converter(kernel), writeMessage([{ type: "info" }]));
    expect(tlvs).to.deep.equal([{ type: "supported-tcp-extensions", kinds: [30] }]);
  });

  const others = new BlockList();
  others.addSubnet("198.51.100.0", 24, "ipv4");
  const connectTo = (address: string, port = 1): Uint8Array =>
    writeMessage([
      { type: "connect", remote: { address: parseIpAddress(address)!, port }, tcpOptions: new Uint8Array(0) },
    ]);
  const withOptions = (...tcpOptions: number[]): Uint8Array =>
    writeMessage([
      { type: "connect", remote: { address: elsewhere, port: 1 }, tcpOptions: Uint8Array.from(tcpOptions) },
    ]);
  const failing =
    (code: string): Outlet =>
    () =>
      Promise.reject(Object.assign(new Error(code), { code }));
  const header = (words: number): number[] => [1, words, 0x22, 0x63];
  const twice = Uint8Array.from([...header(3), 1, 1, 0, 0, 1, 1, 0, 0]);
  const reserved = Uint8Array.from([...header(2), 0, 1, 0, 0]);
  const beyond = Uint8Array.from([...header(2), 10, 2, 0, 0]);

  for (const [what, outlet, bytes, code, value] of [
    ["a server that refuses", kernel, request(1), convertError.connectionReset, [0]],
    [
      "a network that is not to be reached",
      failing("ENETUNREACH"),
      request(1),
      convertError.destinationUnreachable,
      [0],
    ],
    ["a server that ends and resets at once", failing("EPIPE"), request(1), convertError.connectionReset, [0]],
    ["a host that is not to be reached", failing("EHOSTUNREACH"), request(1), convertError.destinationUnreachable, [1]],
    ["a server that does not answer", failing("ETIMEDOUT"), request(1), convertError.networkFailure, [0]],
    ["a machine without descriptors", failing("EMFILE"), request(1), convertError.resourceExceeded, [1]],
    ["a destination that is not allowed", allowing(others, kernel), request(1), convertError.notAuthorized, [0]],
    ["MPTCP for the server", kernel, withOptions(30, 4, 0, 0), convertError.unsupportedTcpOption, [30]],
    [
      "TCP-AO and a fast open cookie",
      kernel,
      withOptions(29, 2, 1, 34, 2, 29, 2, 0),
      convertError.unsupportedTcpOption,
      [29, 34, 0, 0, 0],
    ],
    ["a loopback address", kernel, connectTo("127.0.0.1"), convertError.malformedMessage, "echo"],
    ["a group", kernel, connectTo("ff02::1"), convertError.malformedMessage, "echo"],
    ["the same TLV twice", kernel, twice, convertError.malformedMessage, "echo"],
    ["a TLV that is longer than its message", kernel, beyond, convertError.malformedMessage, "echo"],
    ["a TCP option without an end", kernel, withOptions(8, 40, 0, 0), convertError.malformedMessage, undefined],
    ["a TLV of type 0", kernel, reserved, convertError.unsupportedMessage, "echo"],
    ["another protocol", kernel, Buffer.from("GET / HTTP/1.1\r\n\r\n"), convertError.malformedMessage, "echo"],
    ["a version that is to come", kernel, Uint8Array.of(2, 1, 0x22, 0x63), convertError.unsupportedVersion, [1]],
    ["version 0", kernel, Uint8Array.of(0, 1, 0x22, 0x63), convertError.unsupportedVersion, [1]],
  ] as const) {
    it(`answers ${what} with error ${code}`, async () => {
      const { tlvs, answer } = await ask(await converter(outlet), bytes);
      expect(tlvs).to.have.length(1);
      expect(tlvs[0]).to.include({ type: "error", code });
      const told = (tlvs[0] as ConvertTlv & { type: "error" }).value;
      if (value === "echo") expect(answer.subarray(8, 8 + bytes.length)).to.deep.equal(Buffer.from(bytes));
      else if (value !== undefined) expect([...told]).to.deep.equal(value);
    });
  }

  it("ignores what is the business of its own stack among the options (§7.1 to §7.3)", async () => {
    const [port, echoing] = [await converter(kernel), await echo()];
    const remote = { address: elsewhere, port: echoing };
    const tcpOptions = Uint8Array.of(2, 4, 5, 180, 1, 3, 3, 7, 5, 2, 0, 0);
    const { tlvs } = await ask(port, writeMessage([{ type: "connect", remote, tcpOptions }]));
    // An Extended Connect TLV gets an Extended TCP Header TLV (§6.2.6).
    expect(tlvs[0]).to.include({ type: "extended-tcp-header" });
  });

  it("resets a connection whose message has no length (§6.1)", async () => {
    const socket = connect({ port: await converter(kernel), host: "127.0.0.1" });
    socket.write(Uint8Array.of(1, 0, 0x22, 0x63));
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).to.equal("ECONNRESET");
  });

  it("echoes as much of a message as an answer holds", async () => {
    const bytes = new Uint8Array(1020);
    bytes.set([...header(255), 0, 254]);
    const { answer } = await ask(await converter(kernel), bytes);
    expect(answer.subarray(8)).to.deep.equal(Buffer.from(bytes.subarray(0, 1012)));
  });

  describe("that wants cookies (§6.2.7)", () => {
    it("gives one to who has none, and takes it from there", async () => {
      const [port, echoing] = [await converter(kernel, new ConvertCookies()), await echo()];
      const [missing] = (await ask(port, request(echoing))).tlvs as (ConvertTlv & { type: "error" })[];
      expect(missing).to.include({ type: "error", code: convertError.missingCookie });
      expect(missing!.value[0]).to.equal(0);
      const cookie = missing!.value.slice(1);
      const { tlvs } = await ask(port, request(echoing, { type: "cookie", cookie }));
      expect(tlvs[0]).to.include({ type: "extended-tcp-header" });
    });

    it("does not take another's", async () => {
      const port = await converter(kernel, new ConvertCookies());
      for (const cookie of [new ConvertCookies().issue("127.0.0.1"), new Uint8Array(2)]) {
        const { tlvs } = await ask(port, request(1, { type: "cookie", cookie }));
        expect(tlvs[0]).to.include({ type: "error", code: convertError.notAuthorized });
      }
    });

    it("takes those of the key before, and none that is older", () => {
      let now = 0;
      const cookies = new ConvertCookies(() => now);
      const cookie = cookies.issue("10.0.0.1");
      for (const [hour, good] of [
        [0.5, true],
        [1.5, true],
        [2.8, false],
      ] as const) {
        now = hour * 3_600_000;
        expect(cookies.isValid(cookie, "10.0.0.1"), `after ${hour} h`).to.equal(good);
      }
      expect(cookies.isValid(cookies.issue("10.0.0.1"), "10.0.0.2")).to.equal(false);
    });
  });

  it("says that there is no room (§6.2.8)", async () => {
    const port = await converter(kernel, undefined, 0);
    expect((await ask(port, request(1))).tlvs[0]).to.include({ type: "error", code: convertError.resourceExceeded });
  });
});

describe("what one client may ask of a converter (RFC 8803 §6.2.5, §9.3)", () => {
  it("is bounded in connections that are being made", () => {
    const limits = new ClientLimits(() => 0);
    let begun = 0;
    while (begun < 100_000 && limits.begin("10.0.0.1")) begun++;
    expect(begun).to.be.lessThan(5_000);
    expect(limits.begin("10.0.0.2")).to.equal(true);
    limits.end("10.0.0.1");
    expect(limits.begin("10.0.0.1")).to.equal(true);
  });

  it("is bounded in errors of a second, and nothing is kept of who asks no more", () => {
    let now = 0;
    const limits = new ClientLimits(() => now);
    let told = 0;
    for (let i = 0; i < 100_000; i++) if (limits.mayTellError("10.0.0.1")) told++;
    expect(told).to.be.within(1, 5_000);
    for (let i = 0; i < 1_000; i++) limits.mayTellError(`10.0.1.${i}`);
    now = 1_500;
    expect(limits.mayTellError("10.0.0.1")).to.equal(true);
    expect(limits.size).to.be.lessThan(10);
  });
});
