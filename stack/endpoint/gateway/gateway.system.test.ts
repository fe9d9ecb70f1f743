import { expect } from "chai";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { GatewayRecord } from "./gateway.ts";
import { type Application, GatewayLab, type Machine } from "./gateway-lab.fixture.ts";

/** Serves `bytes` of a known stream to whoever connects, and ends. */
const sender = (bytes: number, port: number, host = "192.0.2.80") => `
  ${streamFunctions}
  require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {}).resume();
    let sent = 0;
    const more = () => {
      while (sent < ${bytes}) {
        const chunk = piece(sent, Math.min(65536, ${bytes} - sent));
        sent += chunk.length;
        if (!socket.write(chunk)) return void socket.once("drain", more);
      }
      socket.end();
    };
    console.log("from", socket.remoteAddress, socket.remotePort);
    more();
  }).listen(${port}, "${host}", () => console.log("listening"));
  process.stdin.on("data", () => {}).on("end", () => process.exit());`;

const streamFunctions = `
  const stream = Buffer.alloc(131072, "the quick brown fox jumps over the lazy dog.");
  const piece = (at, length) => stream.subarray(at % 44, at % 44 + length);`;

function streamHash(bytes: number): string {
  const hash = createHash("sha256");
  const stream = Buffer.alloc(131_072, "the quick brown fox jumps over the lazy dog.");
  for (let at = 0; at < bytes; at += 65_536)
    hash.update(stream.subarray(at % 44, (at % 44) + Math.min(65_536, bytes - at)));
  return hash.digest("hex");
}

/** Reads to the end, and tells the hash; after `heldBytes` it reads no more until it is told something. */
const reader = (port: number, heldBytes = Infinity) => `
  const hash = require("node:crypto").createHash("sha256");
  let received = 0, held = false;
  require("node:net").connect(${port}, "192.0.2.80")
    .on("connect", function () { console.log("from", this.localAddress, this.localPort); })
    .on("error", (error) => console.log(error.code))
    .on("data", function (data) {
      hash.update(data);
      received += data.length;
      if (held || received < ${heldBytes}) return;
      held = true;
      this.pause();
      console.log("held");
      process.stdin.once("data", () => { process.stdin.destroy(); this.resume(); });
    })
    .on("end", () => console.log("end", received, hash.digest("hex")));`;

async function lastLine(application: Application): Promise<string> {
  for (;;) {
    const line = await application.line();
    if (!line.startsWith("from")) return line;
  }
}

describe("the gateway between two machines", function () {
  this.timeout(300_000);
  const lab = new GatewayLab();
  const servers: Application[] = [];
  const gateways = {} as Record<Machine, ChildProcess>;

  async function serve(program: string): Promise<Application> {
    const server = lab.application("server", program);
    servers.push(server);
    expect(await server.line()).to.equal("listening");
    return server;
  }

  before(async () => {
    lab.up();
    lab.run("server", "service");
    lab.run("client", "tun");
    gateways.server = await lab.gateway("server", "converter");
    gateways.client = await lab.gateway("client", "gateway");
  });

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.end()));
  });

  after(() => lab.down());

  it("carries a download of python's over both paths, as the page says", async () => {
    await serve(`
      require("node:http").createServer((_, response) => response.end(Buffer.alloc(20_000_000)))
        .listen(8080, "192.0.2.80", () => console.log("listening"));
      process.stdin.on("data", () => {}).on("end", () => process.exit());`);
    // How much each carries lies with the processors; a path that was joined has carried a handshake at least. On a busy machine a download may be over before it was.
    const carried = (path: 0 | 1): boolean => lab.receivedBytes("client", path) - before[path] > 150;
    const before = [lab.receivedBytes("client", 0), lab.receivedBytes("client", 1)] as const;
    do expect(lab.run("client", "download").trim()).to.equal("20000000");
    while (!carried(0) || !carried(1));
  });

  for (const [lost, left] of [
    [1, 0],
    [0, 1],
  ] as const) {
    it(`outlives the loss of path ${lost} in the middle of a download, and no byte is wrong`, async () => {
      const bytes = 100_000_000;
      const port = 8100 + lost;
      await serve(sender(bytes, port));
      const client = lab.application("client", reader(port, bytes / 2));
      expect(await client.line()).to.match(/^from 10\.99\.0\.1 /);
      expect(await client.line()).to.equal("held");
      lab.setPath(lost, "down");
      try {
        const atLoss = lab.receivedBytes("client", left);
        client.say("go on");
        expect(await lastLine(client)).to.equal(`end ${bytes} ${streamHash(bytes)}`);
        expect(lab.receivedBytes("client", left) - atLoss).to.be.greaterThan(bytes / 4);
      } finally {
        lab.setPath(lost, "up");
      }
      // The kernel may tell of the carrier a second later; only then do connections get their further subflow.
      const atReturn = lab.receivedBytes("client", lost);
      while (lab.receivedBytes("client", lost) - atReturn < 10_000)
        await lastLine(lab.application("client", reader(port)));
    });
  }

  it("refuses what the server refuses", async () => {
    const client = lab.application("client", reader(8002));
    expect(await client.line()).to.equal("ECONNREFUSED");
    await lab.recorded("client", (record) => record.type === "refused" && record.to === "192.0.2.80:8002");
  });

  it("passes on the end of one direction while the other goes on", async () => {
    await serve(`
      require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
        let text = "";
        socket.setEncoding("utf8").on("data", (chunk) => (text += chunk)).on("end", () => socket.end("heard " + text));
      }).listen(8003, "192.0.2.80", () => console.log("listening"));
      process.stdin.on("data", () => {}).on("end", () => process.exit());`);
    const client = lab.application(
      "client",
      `require("node:net").connect({ port: 8003, host: "192.0.2.80", allowHalfOpen: true })
        .on("data", (data) => console.log(String(data))).end("a question");`,
    );
    expect(await client.line()).to.equal("heard a question");
  });

  it("passes on a reset, in both directions", async () => {
    const server = await serve(`
      require("node:net").createServer((socket) => {
        socket.on("error", (error) => console.log(error.code));
        socket.on("data", (data) => String(data) === "reset me" ? socket.resetAndDestroy() : socket.write("hello"));
      }).listen(8004, "192.0.2.80", () => console.log("listening"));
      process.stdin.on("data", () => {}).on("end", () => process.exit());`);
    const connecting = `const socket = require("node:net").connect(8004, "192.0.2.80");`;
    const reset = lab.application(
      "client",
      `${connecting} socket.on("error", (error) => console.log(error.code)).write("reset me");`,
    );
    expect(await reset.line()).to.equal("ECONNRESET");
    lab.application("client", `${connecting} socket.on("data", () => socket.resetAndDestroy()).write("greet me");`);
    expect(await server.line()).to.equal("ECONNRESET");
  });

  it("carries 200 connections at a time", async () => {
    const bytes = 200_000;
    await serve(sender(bytes, 8005));
    const client = lab.application(
      "client",
      `let ended = 0;
      const hashes = new Set();
      const sockets = Array.from({ length: 200 }, () => require("node:net").connect(8005, "192.0.2.80"));
      for (const socket of sockets) {
        const hash = require("node:crypto").createHash("sha256");
        socket.on("data", (data) => hash.update(data)).on("error", (error) => console.log(error.code)).on("end", () => {
          hashes.add(hash.digest("hex"));
          if (++ended === sockets.length) console.log(ended, ...hashes);
        });
      }`,
    );
    expect(await client.line()).to.equal(`200 ${streamHash(bytes)}`);
  });

  it("holds back who sends to a slow reader, without holding up others", async () => {
    const bytes = 160_000_000;
    const server = await serve(`
      ${streamFunctions}
      let accepted = 0;
      require("node:net").createServer((socket) => {
        let sent = 0;
        const more = () => {
          while (sent < ${bytes}) {
            const chunk = piece(sent, Math.min(65536, ${bytes} - sent));
            sent += chunk.length;
            if (!socket.write(chunk)) return void socket.once("drain", more);
          }
          socket.end();
        };
        more();
        process.stdin.on("data", () => console.log(sent));
      }).listen(8006, "192.0.2.80", () => console.log("listening"));
      process.stdin.on("end", () => process.exit());`);
    const slow = lab.application(
      "client",
      `const hash = require("node:crypto").createHash("sha256");
      let received = 0;
      const socket = require("node:net").connect(8006, "192.0.2.80")
        .on("data", (data) => { hash.update(data); received += data.length; })
        .on("end", () => console.log("end", received, hash.digest("hex")));
      socket.pause();
      socket.on("connect", () => console.log("connected"));
      process.stdin.once("data", () => socket.resume()).on("end", () => {});`,
    );
    expect(await slow.line()).to.equal("connected");
    // Meanwhile another connection carries half as much: time enough to fill whatever there is.
    await serve(sender(bytes / 2, 8007));
    const other = lab.application("client", reader(8007));
    expect(await lastLine(other)).to.equal(`end ${bytes / 2} ${streamHash(bytes / 2)}`);
    server.say("how much?");
    const held = Number(await server.line());
    // Buffers of two kernels' sockets, of the paths in both directions, and of the TUN device.
    expect(held).to.be.lessThan(40_000_000);
    slow.say("go on");
    expect(await slow.line()).to.equal(`end ${bytes} ${streamHash(bytes)}`);
    await slow.end();
  });

  it("takes SOCKS5 beside, and tells what the converter has found", async () => {
    await serve(sender(1_000_000, 8008));
    const program = (port: number) => `
      const socket = require("node:net").connect(1080, "127.0.0.1");
      socket.write(Buffer.from([5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 80, ${port >> 8}, ${port & 255}]));
      const chunks = [];
      socket.on("data", (data) => chunks.push(data)).on("end", () => {
        const all = Buffer.concat(chunks);
        console.log(all.subarray(0, 4).toString("hex"), all.length);
      });`;
    const refused = lab.application("client", program(8009));
    expect(await refused.line()).to.equal("05000505 12");
    const client = lab.application("client", program(8008));
    expect(await client.line()).to.equal("05000500 1000012");
  });

  it("carries what leaves the machine, by rules instead of a route", async () => {
    lab.run("client", "everything");
    await serve(sender(1_000_000, 8010));
    const client = lab.application("client", reader(8010));
    expect(await lastLine(client)).to.equal(`end 1000000 ${streamHash(1_000_000)}`);
  });

  it("says how much it carried, and what ended badly", async () => {
    // The last that was asked for: what ended before has been told before.
    await lab.recorded("client", (record) => record.type === "carried" && record.to === "192.0.2.80:8010");
    const carried = lab.records.client.filter(
      (record): record is Extract<GatewayRecord, { type: "carried" }> => record.type === "carried",
    );
    expect(carried.filter(({ error }) => error !== undefined).map(({ to }) => to)).to.deep.equal([
      "192.0.2.80:8004",
      "192.0.2.80:8004",
    ]);
    expect(carried.find(({ to }) => to === "192.0.2.80:8100")).to.include({ bytesUp: 0, bytesDown: 100_000_000 });
    expect(lab.records.client.some(({ type }) => type === "problem")).to.equal(false);
  });

  // The kernel would end the streams of a process that ends: half an upload would look like all of it.
  for (const machine of ["server", "client"] as const)
    it(`resets what it carries when it is told to end: ${machine}`, async () => {
      const holding = `.on("error", ({ code }) => console.log(code)).on("end", () => console.log("end")).on("data", () => console.log("open"))`;
      const server = await serve(`
        require("node:net").createServer((socket) => { socket${holding}; socket.write("a greeting"); })
          .listen(8011, "192.0.2.80", () => console.log("listening"));
        process.stdin.on("data", () => {}).on("end", () => process.exit());`);
      const program = `
        const socket = require("node:net").connect(8011, "192.0.2.80");
        socket${holding}.write("a question");`;
      const client = lab.application("client", program);
      expect([await server.line(), await client.line()]).to.deep.equal(["open", "open"]);
      gateways[machine].kill("SIGTERM");
      expect([await server.line(), await client.line()]).to.deep.equal(["ECONNRESET", "ECONNRESET"]);
      if (gateways[machine].exitCode === null) await once(gateways[machine], "exit");
      gateways[machine] = await lab.gateway(machine, machine === "server" ? "converter" : "gateway");
    });
});

describe("the gateway that tells servers who their clients are", function () {
  this.timeout(300_000);
  const lab = new GatewayLab();

  before(async () => {
    lab.up();
    lab.run("server", "service");
    lab.run("server", "tun");
    lab.run("client", "tun");
    await lab.gateway("server", "transparent-converter");
    await lab.gateway("client", "telling-gateway");
  });

  after(() => lab.down());

  it("connects as the application, by a TUN device of the server's machine", async () => {
    const server = lab.application("server", sender(5_000_000, 8001));
    expect(await server.line()).to.equal("listening");
    const client = lab.application("client", reader(8001));
    const from = await client.line();
    expect(from).to.match(/^from 10\.99\.0\.1 \d+$/);
    expect(await server.line()).to.equal(from);
    expect(await client.line()).to.equal(`end 5000000 ${streamHash(5_000_000)}`);
    await server.end();
  });

  it("refuses what the server refuses", async () => {
    expect(await lab.application("client", reader(8002)).line()).to.equal("ECONNREFUSED");
  });
});
