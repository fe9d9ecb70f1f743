import { expect } from "chai";
import { createHash, randomFillSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GatewayLab } from "./gateway-lab.fixture.ts";
import { WebServer } from "./web-server.fixture.ts";

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Programs as they are packaged, which know nothing of Multipath TCP. */
describe("unmodified applications through the gateway", function () {
  this.timeout(300_000);
  const lab = new GatewayLab();
  const web = new WebServer(lab);
  const file = randomFillSync(new Uint8Array(40_000_000));

  before(async () => {
    lab.up();
    lab.run("server", "service");
    lab.run("client", "tun");
    await lab.gateway("server", "converter");
    await lab.gateway("client", "gateway");
    writeFileSync(join(web.root, "file"), file);
    writeFileSync(join(web.root, "small"), "a few bytes\n");
    await web.start(["192.0.2.80:80"], "dav_methods PUT;");
  });

  after(async () => {
    await web.close();
    await lab.down();
  });

  it("curl and wget get a large file from nginx, and no byte is wrong", async () => {
    for (const command of ["curl -sS http://192.0.2.80/file", "wget -q -O - http://192.0.2.80/file"])
      expect(await lab.output("client", `${command} | sha256sum`)).to.equal(`${hashOf(file)}  -\n`);
  });

  it("curl keeps a connection for several requests", async () => {
    const urls = Array.from({ length: 20 }, () => "http://192.0.2.80/small").join(" ");
    const format = "%{num_connects}\\n";
    const output = await lab.output("client", `curl -sS -w '${format}' ${urls}`);
    expect(output.match(/^a few bytes$/gm)).to.have.length(20);
    expect(output.match(/^1$/gm)).to.have.length(1);
  });

  it("curl uploads to nginx", async () => {
    await lab.output("client", `curl -sS -f -T ${web.root}/file http://192.0.2.80/uploaded`);
    expect(hashOf(readFileSync(join(web.root, "uploaded")))).to.equal(hashOf(file));
  });

  it("curl goes by SOCKS5, with a name that it leaves to the proxy", async () => {
    const output = await lab.output("client", "curl -sS --socks5-hostname 127.0.0.1:1080 http://192.0.2.80/small");
    expect(output).to.equal("a few bytes\n");
  });

  for (const options of ["", "-R", "-P 4", "--bidir"]) {
    it(`iperf3 ${options} comes to its end`, async () => {
      const server = lab.output("server", "iperf3 -s -1 -J -B 192.0.2.80");
      // What the server complains of is told by the server, not by a client that waits for it in vain.
      await Promise.race([lab.listening("server", 5201), server]);
      const report = await lab.output("client", `iperf3 -J -c 192.0.2.80 -n 20M --connect-timeout 5000 ${options}`);
      const { end } = JSON.parse(report) as { end: { sum_sent: { bytes: number }; sum_received: { bytes: number } } };
      // Either end stops counting when enough is written: how much of it has arrived by then lies with the buffers.
      expect(Math.min(end.sum_sent.bytes, end.sum_received.bytes)).to.be.greaterThan(0);
      await server;
    });
  }

  /** The kernel may tell of a carrier a second later: until then no connection gets a subflow there. */
  async function carriedBy(path: 0 | 1): Promise<void> {
    const before = lab.receivedBytes("client", path);
    while (lab.receivedBytes("client", path) - before < 10_000)
      await lab.output("client", "curl -sS -o /dev/null http://192.0.2.80/file");
  }

  it("ffmpeg plays HLS, whichever path goes down meanwhile", async () => {
    const video = join(web.root, "video");
    await lab.output(
      "server",
      `ffmpeg -loglevel error -f lavfi -i testsrc=duration=8:size=640x360:rate=10 -c:v mpeg2video -g 10 -hls_time 1 -hls_list_size 0 -f hls ${video}.m3u8`,
    );
    const md5 = "-loglevel error -xerror -c copy -f md5 -";
    const original = await lab.output("server", `ffmpeg -i ${video}.m3u8 ${md5}`);
    for (const path of [0, 1] as const) {
      // In real time, so that the path is missing in the middle of it.
      const player = lab.output("client", `ffmpeg -readrate 8 -i http://192.0.2.80/video.m3u8 ${md5}`);
      lab.setPath(path, "down");
      try {
        expect(await player).to.equal(original);
      } finally {
        lab.setPath(path, "up");
      }
      await carriedBy(path);
    }
  });

  it("a connection is made while the path of --peer is down", async () => {
    lab.setPath(0, "down");
    try {
      expect(await lab.output("client", "curl -sS http://192.0.2.80/small")).to.equal("a few bytes\n");
    } finally {
      lab.setPath(0, "up");
    }
    await carriedBy(0);
  });

  it("1,000 connections are open at a time, and each gets its answer", async () => {
    const client = lab.application(
      "client",
      `const sockets = Array.from({ length: 1000 }, () => require("node:net").connect(80, "192.0.2.80"));
      let connected = 0, answered = 0;
      const ask = () => sockets.forEach((socket) => socket.write("GET /small HTTP/1.0\\r\\n\\r\\n"));
      for (const socket of sockets) {
        let text = "";
        socket.on("connect", () => { if (++connected === 1000) ask(); })
          .on("error", (error) => console.log(error.code))
          .on("data", (data) => (text += data))
          .on("end", () => { if (text.endsWith("a few bytes\\n") && ++answered === 1000) console.log("all"); });
      }`,
    );
    const answer = await client.line();
    const bad = Object.entries(lab.records).map(([machine, records]) => [
      machine,
      ...records.filter((each) => "error" in each || "reason" in each || "problem" in each).slice(-3),
    ]);
    expect(answer, JSON.stringify(bad)).to.equal("all");
  });
});

/** Both families over paths of IPv6, where what the web server tells its client is who that is. */
describe("who an application is, as nginx sees it", function () {
  this.timeout(300_000);
  const clientPaths = "--interface wlan0=fd00:77:1::11/64 --interface wwan0=fd00:77:2::11/64";
  const serverPaths = "--interface eth0=fd00:77:1::12/64 --interface eth1=fd00:77:2::12/64";

  for (const [way, converter, listen, says] of [
    ["PROXY protocol 2", "--proxy-protocol", " proxy_protocol", "$proxy_protocol_addr"],
    ["a TUN device", "--tun pathlab0", "", "$remote_addr"],
  ] as const) {
    it(`is told by ${way}, in IPv4 and IPv6`, async () => {
      const lab = new GatewayLab();
      const web = new WebServer(lab);
      try {
        lab.up();
        lab.run("server", "service");
        lab.run("server", "tun");
        lab.run("client", "tun");
        // Without nodad an address is no source until the kernel has looked for its like, which it does when it comes to it.
        await lab.output(
          "server",
          "ip address add 2001:db8::80/128 dev lo nodad; ip route add 2001:db8:99::1 dev pathlab0",
        );
        await lab.output(
          "client",
          "ip address add 2001:db8:99::1/128 dev pathlab0 nodad; ip route add 2001:db8::80 dev pathlab0 src 2001:db8:99::1",
        );
        await lab.gatewayWith("server", `--converter 4460 ${converter} ${serverPaths}`);
        await lab.gatewayWith("client", `--peer [fd00:77:1::12]:4460 --tun pathlab0 --tell-source ${clientPaths}`);
        await web.start(
          ["192.0.2.80:80", "[2001:db8::80]:80"].map((each) => `${each}${listen}`),
          `return 200 "${says}\\n";`,
        );
        const seen = await lab.output("client", "curl -sS http://192.0.2.80/ 'http://[2001:db8::80]/'");
        expect(seen).to.equal("10.99.0.1\n2001:db8:99::1\n");
        await web.close();
      } finally {
        await lab.down();
      }
    });
  }
});
