import tls from "node:tls";
import { expect } from "chai";
import { wifi } from "../testing/pair.ts";
import type { MptcpSocket } from "./net.ts";
import { type Credentials, selfSigned } from "./self-signed.fixture.ts";
import { virtualHosts, type VirtualHosts } from "./virtual-hosts.fixture.ts";

type Answer = (secure: tls.TLSSocket, beneath: MptcpSocket) => void;

describe("tls over our net", () => {
  let credentials: Credentials;
  let hosts: VirtualHosts;
  before(() => {
    credentials = selfSigned("server.test");
  });
  beforeEach(() => {
    hosts = virtualHosts({ paths: [wifi] });
  });
  afterEach(() => hosts.close());

  /** What the client's side tells until it is closed, when the server's answers its first data so. */
  async function toldOf(answer: Answer, maxVersion: tls.SecureVersion): Promise<string[]> {
    hosts.server
      .createServer((socket) => {
        const secure = new tls.TLSSocket(socket, { isServer: true, ...credentials });
        secure.on("data", () => answer(secure, socket));
      })
      .listen(443);
    const socket = hosts.client.connect(443, hosts.serverAddress);
    const secure = tls.connect({ socket, ca: credentials.cert, servername: "server.test", maxVersion });
    const told: string[] = [];
    for (const event of ["secureConnect", "end", "error"])
      secure.on(event, (error?: Error) => told.push(error === undefined ? event : error.message));
    secure.resume().write("request");
    await new Promise((resolve) => secure.once("close", resolve));
    expect(socket.destroyed).to.equal(true);
    return told;
  }

  const answers: Readonly<Record<string, Answer>> = {
    "that ends": (secure) => void secure.end("answer"),
    "that is destroyed": (secure) => void secure.destroy(),
    "whose socket ends without an alert": (_secure, beneath) => void beneath.end(),
  };
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const)
    for (const [which, answer] of Object.entries(answers))
      it(`a peer ${which} ends the stream, without an error (${maxVersion})`, async () => {
        expect(await toldOf(answer, maxVersion)).to.deep.equal(["secureConnect", "end"]);
      });

  it("a peer that resets is an error", async () => {
    const told = await toldOf((_secure, beneath) => void beneath.resetAndDestroy(), "TLSv1.3");
    expect(told).to.deep.equal(["secureConnect", "read ECONNRESET"]);
  });
});
