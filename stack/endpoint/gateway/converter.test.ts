import { expect } from "chai";
import { once } from "node:events";
import { type AddressInfo, BlockList, connect, createServer, type Server } from "node:net";
import { buffer } from "node:stream/consumers";
import { parseIpAddress } from "../../wire/ip-address.ts";
import { convertError, type ConvertTlv, messageLength, parseMessage, writeMessage } from "./convert-message.ts";
import { Converter } from "./converter.ts";
import { allowing, kernelOutlet, type Outlet } from "./outlet.ts";
import type { RelayResult } from "./relay.ts";

const loopback = parseIpAddress("127.0.0.1")!;
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

  function converter(outlet: Outlet): Promise<number> {
    const serving = new Converter({
      open: outlet,
      onCarried: (_, result) => carried.push(result),
      onFailed: () => undefined,
    });
    return listen(createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => void serving.serve(client)));
  }

  /** A server that says back what it hears, to the end. */
  const echo = (): Promise<number> =>
    listen(createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket).on("error", () => undefined)));

  /** Says `bytes`, ends, and hears the answer: its TLVs, and what follows them. */
  async function ask(port: number, bytes: Uint8Array): Promise<{ tlvs: ConvertTlv[]; rest: Buffer }> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.end(bytes);
    const answer = await buffer(socket);
    const length = messageLength(answer)!;
    return { tlvs: parseMessage(answer.subarray(0, length)), rest: answer.subarray(length) };
  }

  const request = (port: number, ...more: ConvertTlv[]): Uint8Array =>
    writeMessage([{ type: "connect", remote: { address: loopback, port }, tcpOptions: new Uint8Array(0) }, ...more]);
  const kernel = kernelOutlet({ toAddress: undefined, proxyProtocol: false });

  afterEach(() => {
    for (const server of open.splice(0)) server.close();
    carried.length = 0;
  });

  it("confirms, and joins the two, with what came behind the request", async () => {
    const [port, echoing] = [await converter(kernel), await echo()];
    const { tlvs, rest } = await ask(port, Buffer.concat([request(echoing), Buffer.from("hello")]));
    expect(tlvs).to.deep.equal([{ type: "extended-tcp-header", tcpOptions: new Uint8Array(0) }]);
    expect(rest.toString()).to.equal("hello");
    expect(carried).to.deep.equal([{ bytesUp: 5, bytesDown: 5, error: undefined }]);
  });

  it("tells the server who the application is, where that is wanted", async () => {
    const port = await converter(kernelOutlet({ toAddress: undefined, proxyProtocol: true }));
    const { rest } = await ask(port, request(await echo(), { type: "source", application }));
    expect(rest.toString("hex")).to.match(/^0d0a0d0a000d0a515549540a2111000c0a6300017f0000011267/);
  });

  it("goes to one address instead of all others, on the same port", async () => {
    const port = await converter(kernelOutlet({ toAddress: "127.0.0.1", proxyProtocol: false }));
    const remote = { address: parseIpAddress("192.0.2.80")!, port: await echo() };
    const { rest } = await ask(
      port,
      Buffer.concat([writeMessage([{ type: "connect", remote, tcpOptions: new Uint8Array(0) }]), Buffer.from("hi")]),
    );
    expect(rest.toString()).to.equal("hi");
  });

  it("says what it converts", async () => {
    const { tlvs } = await ask(await converter(kernel), writeMessage([{ type: "info" }]));
    expect(tlvs).to.deep.equal([{ type: "supported-tcp-extensions", kinds: [30] }]);
  });

  const elsewhere = new BlockList();
  elsewhere.addSubnet("192.0.2.0", 24, "ipv4");
  const withOption = {
    type: "connect",
    remote: { address: loopback, port: 1 },
    tcpOptions: Uint8Array.of(30, 4, 0, 0),
  } as const;
  for (const [what, outlet, bytes, code] of [
    ["a server that refuses", kernel, request(1), convertError.connectionReset],
    ["a destination that is not allowed", allowing(elsewhere, kernel), request(1), convertError.notAuthorized],
    ["a TCP option", kernel, writeMessage([withOption]), convertError.unsupportedTcpOption],
    ["another protocol", kernel, Buffer.from("GET / HTTP/1.1\r\n\r\n"), convertError.malformedMessage],
    ["a version that is to come", kernel, Uint8Array.of(2, 1, 0x22, 0x63), convertError.unsupportedVersion],
  ] as const) {
    it(`answers ${what} with error ${code}`, async () => {
      const { tlvs } = await ask(await converter(outlet), bytes);
      expect(tlvs).to.have.length(1);
      expect(tlvs[0]).to.include({ type: "error", code });
    });
  }
});
