import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import tls from "node:tls";
import { expect } from "chai";
import { thirdGeneration, wifi } from "../testing/pair.ts";
import type { MptcpSocket, Net } from "./net.ts";
import { selfSigned } from "./self-signed.fixture.ts";
import { virtualHosts, type VirtualHosts } from "./virtual-hosts.fixture.ts";

const payload = Buffer.alloc(3_000_000);
for (let i = 0; i < payload.length; i++) payload[i] = (i * 7919) >>> 8;
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

async function bodyOf(response: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function agentOver(client: Net, options: http.AgentOptions): http.Agent & { connections: MptcpSocket[] } {
  const connections: MptcpSocket[] = [];
  const agent = new http.Agent(options);
  agent.createConnection = ({ port, host }) => {
    const socket = client.connect(Number(port), host!);
    connections.push(socket);
    return socket;
  };
  return Object.assign(agent, { connections });
}

describe("http over our net", () => {
  let hosts: VirtualHosts;
  let web: http.Server;
  let agents: http.Agent[];
  beforeEach(() => {
    hosts = virtualHosts({ paths: [wifi, thirdGeneration] });
    agents = [];
    web = http.createServer();
    hosts.server.createServer((socket) => void web.emit("connection", socket)).listen(80);
  });
  afterEach(() => {
    for (const agent of agents) agent.destroy();
    hosts.close();
  });

  async function ask(agent: http.Agent, path: string, options: http.RequestOptions = {}, body?: Buffer) {
    agents.push(agent);
    const request = http.request({ agent, host: hosts.serverAddress, port: 80, path, ...options });
    request.end(body);
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    return { response, body: await bodyOf(response) };
  }

  it("keeps a connection for one request after the other", async () => {
    web.on("request", (request, response) => response.end(`for ${request.url}`));
    const agent = agentOver(hosts.client, { keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 5; i++) expect((await ask(agent, `/${i}`)).body.toString()).to.equal(`for /${i}`);
    const together = await Promise.all([5, 6, 7].map((i) => ask(agent, `/${i}`)));
    expect(together.map(({ body }) => body.toString())).to.deep.equal(["for /5", "for /6", "for /7"]);
    expect(agent.connections).to.have.length(1);
  });

  it("uses a connection for one request with Connection: close, and all of the answer arrives", async () => {
    web.on("request", (_request, response) => response.end(payload));
    const agent = agentOver(hosts.client, { keepAlive: false });
    for (let i = 0; i < 2; i++) expect(sha256((await ask(agent, "/")).body)).to.equal(sha256(payload));
    expect(agent.connections).to.have.length(2);
  });

  it("answers pipelined requests in their order", async () => {
    const waiting = new Map<string, http.ServerResponse>();
    web.on("request", (request, response) => {
      waiting.set(request.url!, response);
      if (waiting.size < 3) return;
      // The last first: on the wire the order is that of the requests.
      for (const url of ["/c", "/b", "/a"]) waiting.get(url)!.end(url);
    });
    const socket = hosts.client.connect(80, hosts.serverAddress).setEncoding("latin1");
    const requests = ["/a", "/b", "/c"].map((url) => `GET ${url} HTTP/1.1\r\nHost: server\r\n\r\n`);
    socket.write(requests.join(""));
    let text = "";
    socket.on("data", (chunk: string) => (text += chunk));
    while (!text.endsWith("/c")) await once(socket, "data");
    expect(text.match(/\r\n\r\n\/[abc]/g)?.map((match) => match.at(-1))).to.deep.equal(["a", "b", "c"]);
    socket.destroy();
  });

  it("carries uploads, with back-pressure and in chunks", async () => {
    web.on("request", (request: http.IncomingMessage, response) => {
      bodyOf(request).then(
        (body) => response.end(sha256(body)),
        (error) => response.destroy(error as Error),
      );
    });
    const agent = agentOver(hosts.client, { keepAlive: true });
    const { body } = await ask(agent, "/", { method: "POST" }, payload);
    expect(body.toString()).to.equal(sha256(payload));
  });

  it("times out requests that are not answered", async () => {
    web.on("request", () => undefined);
    const agent = agentOver(hosts.client, { keepAlive: true });
    agents.push(agent);
    const request = http.get({ agent, host: hosts.serverAddress, port: 80, timeout: 2_000 });
    await once(request, "timeout");
    request.on("error", () => undefined).destroy();
  });

  it("times out requests that do not come to their end, when the server has been told that it listens", async () => {
    const slow = http.createServer({ headersTimeout: 20, requestTimeout: 40, connectionsCheckingInterval: 10 });
    hosts.server.createServer((socket) => void slow.emit("connection", socket)).listen(81);
    slow.emit("listening");
    const socket = hosts.client.connect(81, hosts.serverAddress);
    socket.write("GET / HTTP/1.1\r\nHost:");
    let text = "";
    for await (const chunk of socket.setEncoding("utf8")) text += chunk as string;
    expect(text).to.match(/^HTTP\/1.1 408 /);
    slow.close();
  });

  it("goes on with a download when one of two paths dies in the middle of it", async () => {
    web.on("request", (_request, response) => response.end(payload));
    const agent = agentOver(hosts.client, { keepAlive: true });
    agents.push(agent);
    const request = http.get({ agent, host: hosts.serverAddress, port: 80 });
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    const both = await halfOf(response, agent.connections[0]!);
    const body = await bodyOf(response);
    expect(sha256(Buffer.concat([both, body]))).to.equal(sha256(payload));
  });

  it("goes on with TLS as well", async () => {
    const credentials = selfSigned("server.test");
    hosts.server
      .createServer((socket) => {
        const secure = new tls.TLSSocket(socket, { isServer: true, ...credentials });
        secure.end(payload);
      })
      .listen(443);
    const socket = hosts.client.connect(443, hosts.serverAddress);
    const secure = tls.connect({ socket, ca: credentials.cert, servername: "server.test" });
    await once(secure, "secureConnect");
    expect(secure.authorized).to.equal(true);
    const first = await halfOf(secure, socket);
    const chunks = [first];
    for await (const chunk of secure) chunks.push(chunk as Buffer);
    expect(sha256(Buffer.concat(chunks))).to.equal(sha256(payload));
  });

  /** Reads until both subflows have brought something and a third is there; then the path of the first dies. */
  async function halfOf(stream: NodeJS.ReadableStream, socket: MptcpSocket): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    while (bytes < payload.length / 3) {
      const chunk = stream.read() as Buffer | null;
      if (chunk === null) await once(stream, "readable");
      else {
        chunks.push(chunk);
        bytes += chunk.length;
      }
    }
    const { subflows } = socket.info();
    expect(subflows.map(({ bytesReceived }) => bytesReceived > 10_000)).to.deep.equal([true, true]);
    hosts.pair.links[0]!.up.blackhole = true;
    hosts.pair.links[0]!.down.blackhole = true;
    return Buffer.concat(chunks);
  }
});
