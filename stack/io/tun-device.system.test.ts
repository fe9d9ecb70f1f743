import { expect } from "chai";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { PacketMemory, VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_NONE } from "./packet-socket.ts";
import { packetOffset, TunDevice } from "./tun-device.ts";
import { removeLeftNamespaces } from "../testing/left-namespaces.ts";

const namespace = `pltun${process.pid}`;
const ip = (...words: string[]) => execFileSync("ip", words.join(" ").split(" "), { stdio: "pipe" });
const slots = 8;
const slotBytes = 66_048;

/** Resolves when the condition holds; it is looked at after each turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** A TUN interface with 10.8.0.1/24, and the packets that came out of it. */
class Opened {
  readonly received: { packet: Buffer; checksumIsPartial: boolean; segmentation: number }[] = [];
  readonly errors: string[] = [];
  readonly device: TunDevice;
  readonly #memory = new PacketMemory(slots + 1, slotBytes);

  constructor(interfaceName: string, offloads: { vnetHeader: boolean }) {
    this.device = new TunDevice({
      namespacePath: `/run/netns/${namespace}`,
      interfaceName,
      memory: this.#memory,
      receiveSlots: Array.from({ length: slots }, (_, slot) => slot),
      ...offloads,
      onBatch: (count, device) => {
        for (let i = 0; i < count; i++) {
          const start = device.packetStart(i);
          this.received.push({
            packet: Buffer.from(this.#memory.bytes.slice(start, start + device.length(i))),
            checksumIsPartial: (device.offloadFlags(i) & VIRTIO_NET_HDR_F_NEEDS_CSUM) !== 0,
            segmentation: this.#memory.bytes[start - 9]!,
          });
        }
      },
      onError: (code) => this.errors.push(code),
    });
    ip("-n", namespace, "address add 10.8.0.1/24 dev", interfaceName);
    ip("-n", namespace, "link set", interfaceName, "up");
  }

  /** The packet, whole, without offloads. */
  send(packet: Uint8Array, vnetHeader: boolean): string | undefined {
    const head = vnetHeader ? 10 : 0;
    const start = slots * slotBytes + packetOffset - head;
    this.#memory.bytes.fill(0, start, start + head);
    this.#memory.bytes.set(packet, start + head);
    this.device.send(Int32Array.of(start, head + packet.length, 0, 0), 1);
    return this.device.sendError;
  }
}

/** The datagrams among what came: the kernel also speaks IPv6 of its own accord. */
const datagrams = ({ received }: Opened) => received.filter(({ packet }) => packet[0] === 0x45 && packet[9] === 17);

describe("a TUN device", function () {
  this.timeout(300_000);
  let kernel: ChildProcess;
  let lines: AsyncIterator<string>;
  let opened: Opened;

  before(async () => {
    removeLeftNamespaces("pltun");
    ip("netns add", namespace);
    // A UDP socket of the kernel: sends each line of its stdin to 10.8.0.2, prints what it gets.
    const program = `
      const socket = require("node:dgram").createSocket("udp4");
      socket.on("message", (data, { address, port }) => console.log(address + ":" + port + " " + data.toString()));
      require("node:readline").createInterface({ input: process.stdin })
        .on("line", (line) => socket.send(line, 7000, "10.8.0.2", (error) => error && console.log(error.code)))
        .on("close", () => socket.close());
      socket.bind(6000, () => console.log("bound"));`;
    kernel = spawn("ip", ["netns", "exec", namespace, process.execPath, "-e", program], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    lines = createInterface({ input: kernel.stdout! })[Symbol.asyncIterator]();
    expect((await lines.next()).value).to.equal("bound");
  });

  afterEach(() => opened.device.close());

  after(async () => {
    kernel.stdin!.end();
    await once(kernel, "exit");
    ip("netns del", namespace);
  });

  for (const vnetHeader of [false, true]) {
    const which = vnetHeader ? "with offloads" : "without offloads";
    it(`hands out what the kernel sends and hands in what it is to receive, ${which}`, async () => {
      opened = new Opened("t0", { vnetHeader });
      kernel.stdin!.write("hello\n");
      await until(() => datagrams(opened).length > 0);
      const { packet, checksumIsPartial } = datagrams(opened)[0]!;
      expect(packet.subarray(28).toString()).to.equal("hello");
      expect(checksumIsPartial).to.equal(vnetHeader);

      const answer = Buffer.from(packet);
      packet.copy(answer, 12, 16, 20);
      packet.copy(answer, 16, 12, 16);
      packet.copy(answer, 20, 22, 24);
      packet.copy(answer, 22, 20, 22);
      // RFC 768: no checksum.
      answer.writeUInt16BE(0, 26);
      answer.write("HELLO", 28);
      expect(opened.send(answer, vnetHeader)).to.equal(undefined);
      expect((await lines.next()).value).to.equal("10.8.0.2:7000 HELLO");
    });
  }

  it("keeps order in bursts larger than a batch", async () => {
    opened = new Opened("t1", { vnetHeader: true });
    const sent = Array.from({ length: 5 * slots }, (_, i) => `datagram ${i}`);
    kernel.stdin!.write(`${sent.join("\n")}\n`);
    await until(() => datagrams(opened).length === sent.length);
    expect(datagrams(opened).map(({ packet }) => packet.subarray(28).toString())).to.deep.equal(sent);
    expect(opened.received.every(({ segmentation }) => segmentation === VIRTIO_NET_HDR_GSO_NONE)).to.equal(true);
  });

  it("says that nothing can be sent while the interface is down", () => {
    opened = new Opened("t2", { vnetHeader: false });
    ip("-n", namespace, "link set t2 down");
    expect(opened.send(Buffer.alloc(40, 0x45), false)).to.equal("EIO");
  });

  it("says that its interface was deleted", async () => {
    opened = new Opened("t3", { vnetHeader: false });
    ip("-n", namespace, "link del t3");
    await until(() => opened.errors.length > 0);
    expect(opened.errors).to.deep.equal(["ENODEV"]);
  });

  it("refuses a device that another one holds", () => {
    opened = new Opened("t4", { vnetHeader: false });
    expect(() => new Opened("t4", { vnetHeader: false })).to.throw(/make TUN device t4/);
  });
});
