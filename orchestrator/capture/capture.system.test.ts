import { expect } from "chai";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { realtimeOffsetFromComments } from "./clock-comment.ts";
import { readPcapng, type PcapngBlock, type PcapngPacket } from "./pcapng-reader.ts";
import type { CaptureConfig, CaptureLine } from "./protocol.ts";

const prefix = `plcap${process.pid}`;
const [phone, server] = [`${prefix}p`, `${prefix}s`];
const directory = mkdtempSync(path.join(tmpdir(), `${prefix}-`));
const ip = (...words: string[]) => execFileSync("ip", words.join(" ").split(" "), { stdio: "pipe" });

const interfaces = [
  { namespacePath: `/run/netns/${phone}`, interfaceName: "c0", displayName: "phone/wifi0", description: "the phone" },
  { namespacePath: `/run/netns/${server}`, interfaceName: "c0", displayName: "server/eth0" },
];

function startCapture(config: CaptureConfig) {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "main.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.write(`${JSON.stringify(config)}\n`);
  return {
    child,
    hear: async (): Promise<CaptureLine> => JSON.parse((await lines.next()).value as string),
    ended: once(child, "exit").then(([code]) => code as number | null),
  };
}

/** The phone fetches so many bytes over TCP from the server. */
async function transfer(bytes: number): Promise<void> {
  const serve = `require("node:net").createServer((socket) => socket.end(Buffer.alloc(${bytes}, 7)))
    .listen(7070, () => console.log("listening"))`;
  const listener: ChildProcess = spawn("ip", ["netns", "exec", server, process.execPath, "-e", serve], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(listener.stdout!, "data");
  const fetch = `let n = 0; require("node:net").connect(7070, "10.8.0.2").on("data", (d) => (n += d.length))
    .on("close", () => process.exit(n === ${bytes} ? 0 : 1))`;
  execFileSync("ip", ["netns", "exec", phone, process.execPath, "-e", fetch]);
  listener.kill();
  await once(listener, "exit");
}

async function readAll(file: string): Promise<PcapngBlock[]> {
  const blocks: PcapngBlock[] = [];
  for await (const block of readPcapng(file)) blocks.push(block);
  return blocks;
}

const isPacket = (block: PcapngBlock): block is PcapngPacket => block.type === "packet";
const timeOf = ({ seconds, nanoseconds }: PcapngPacket) => (seconds - 1.7e9) * 1e9 + nanoseconds;

describe("the capture process", function () {
  this.timeout(300_000);

  before(() => {
    ip("netns add", phone);
    ip("netns add", server);
    // What the kernel says of its own accord, between the begin of one capture and the other's, would be seen at one end only.
    for (const name of [phone, server])
      ip("netns exec", name, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
    ip("link add c0 netns", phone, "type veth peer name c0 netns", server);
    for (const [name, address] of [
      [phone, 1],
      [server, 2],
    ] as const) {
      ip("-n", name, "link set c0 up");
      ip("-n", name, `address add 10.8.0.${address}/24 dev c0`);
    }
  });

  after(() => {
    ip("netns del", phone);
    ip("netns del", server);
    rmSync(directory, { recursive: true, force: true });
  });

  it("writes what tshark reads without complaint, every packet at both ends, in order of time", async () => {
    const file = path.join(directory, "both.pcapng");
    // Whole segments, so that completed checksums can be checked.
    execFileSync("ip", ["netns", "exec", server, "ethtool", "-K", "c0", "tso", "off", "gso", "off"]);
    const capture = startCapture({ interfaces, file, snapLength: 1600, application: "pathlab 0" });
    expect(await capture.hear()).to.include({ type: "ready" });
    await transfer(200_000);
    capture.child.stdin.write('{"do":"stop"}\n');
    const done = await capture.hear();
    expect(await capture.ended).to.equal(0);

    const blocks = await readAll(file);
    const packets = blocks.filter(isPacket);
    expect(packets.length).to.be.above(200);
    expect(packets.map(timeOf)).to.deep.equal(packets.map(timeOf).sort((a, b) => a - b));
    const count = (interfaceId: number, direction: string) =>
      packets.filter((packet) => packet.interfaceId === interfaceId && packet.direction === direction).length;
    expect(count(0, "inbound")).to.equal(count(1, "outbound"));
    expect(count(0, "outbound")).to.equal(count(1, "inbound"));
    expect(blocks.filter(({ type }) => type === "statistics")).to.have.length(2);
    expect(done).to.deep.include({
      type: "done",
      interfaces: [
        { displayName: "phone/wifi0", packets: packets.length / 2, drops: 0 },
        { displayName: "server/eth0", packets: packets.length / 2, drops: 0 },
      ],
    });
    const [section] = blocks;
    expect(section?.type === "section" && realtimeOffsetFromComments(section.comments)).to.be.a("number");

    const tshark = (...words: string[]) =>
      execFileSync("tshark", ["-r", file, ...words], { encoding: "utf8", stdio: "pipe" });
    expect(tshark().trim().split("\n")).to.have.length(packets.length);
    const bad = "_ws.malformed || tcp.checksum.status == 0 || udp.checksum.status == 0";
    expect(tshark("-o", "tcp.check_checksum:TRUE", "-Y", bad)).to.equal("");
    expect(tshark("-o", "tcp.check_checksum:TRUE", "-Y", "tcp.checksum.status == 1").trim()).not.to.equal("");
    expect(tshark("-T", "fields", "-e", "frame.interface_name", "-c", "1").trim()).to.be.oneOf([
      "phone/wifi0",
      "server/eth0",
    ]);
  });

  it("keeps the headers alone when told to, and says how long frames were", async () => {
    const file = path.join(directory, "headers.pcapng");
    const capture = startCapture({ interfaces, file });
    await capture.hear();
    await transfer(50_000);
    capture.child.stdin.end();
    await capture.hear();
    expect(await capture.ended).to.equal(0);
    const packets = (await readAll(file)).filter(isPacket);
    expect(Math.max(...packets.map(({ data }) => data.length))).to.equal(192);
    expect(Math.max(...packets.map(({ originalLength }) => originalLength))).to.be.above(1000);
    expect(execFileSync("tshark", ["-r", file, "-Y", "_ws.malformed"], { encoding: "utf8", stdio: "pipe" })).to.equal(
      "",
    );
  });

  it("on a full disk says so with exit code 3, and what it had written can be read", async () => {
    const small = path.join(directory, "small");
    mkdirSync(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small]);
    try {
      const file = path.join(small, "full.pcapng");
      const capture = startCapture({ interfaces, file, snapLength: 1600 });
      await capture.hear();
      const first = capture.hear();
      await transfer(1_000_000);
      expect(await first).to.deep.include({ type: "error", code: "ENOSPC" });
      expect(await capture.ended).to.equal(3);
      expect((await readAll(file))[0]).to.include({ type: "section" });
    } finally {
      execFileSync("umount", [small]);
    }
  });

  it("names the interface that is not there", async () => {
    const missing = [{ ...interfaces[0]!, interfaceName: "c7" }];
    const capture = startCapture({ interfaces: missing, file: path.join(directory, "none.pcapng") });
    const line = await capture.hear();
    expect(line).to.deep.include({ type: "error", code: "ENODEV" });
    expect(line)
      .to.have.property("message")
      .that.matches(/c7: No such device/);
    expect(await capture.ended).to.equal(1);
  });
});
