import { expect } from "chai";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { checksumState, type ChecksumState, type FrameSink, type OutgoingFrame } from "../frame.ts";
import type { Host } from "../host.ts";
import { Driver, type DriverProblem } from "./driver.ts";
import { removeLeftNamespaces } from "../testing/left-namespaces.ts";

const prefix = `pldrv${process.pid}`;
const [stackSide, kernelSide] = [`${prefix}a`, `${prefix}b`];
const ip = (...words: string[]) => execFileSync("ip", words.join(" ").split(" "), { stdio: "pipe" });

/**
 * As much of a host as a driver can be tried with: it answers ARP for any address and sends UDP datagrams back, the
 * payload twice, in two pieces, the checksum left to the device.
 */
class EchoHost {
  readonly checksums: ChecksumState[] = [];
  readonly interfaceStates: boolean[] = [];
  readonly timeouts: number[] = [];
  timeout = Infinity;
  #out: { header: Uint8Array; payload?: Uint8Array }[] = [];
  readonly #frame: OutgoingFrame = {
    interfaceIndex: 0,
    header: new Uint8Array(128),
    headerLength: 0,
    payloadBuffers: [],
    payloadOffsets: [],
    payloadLengths: [],
    payloadCount: 0,
    payloadLength: 0,
    gsoSize: 0,
    checksumStart: 0,
    checksumOffset: 0,
  };

  handleFrame(_index: number, buffer: Uint8Array, offset: number, length: number, checksum: ChecksumState): void {
    const frame = buffer.slice(offset, offset + length);
    const view = new DataView(frame.buffer);
    const etherType = view.getUint16(12);
    if (etherType === 0x0806 && view.getUint16(20) === 1) {
      const asked = frame.slice(38, 42);
      view.setUint16(20, 2);
      frame.copyWithin(32, 22, 32);
      frame.set(stackMac, 22);
      frame.set(asked, 28);
      frame.set(frame.subarray(6, 12), 0);
      frame.set(stackMac, 6);
      this.#out.push({ header: frame });
    } else if (etherType === 0x0800 && frame[23] === 17) {
      this.checksums.push(checksum);
      const payload = frame.slice(42, 14 + view.getUint16(16));
      const swap = (a: number, b: number, size: number) => {
        const kept = frame.slice(a, a + size);
        frame.copyWithin(a, b, b + size);
        frame.set(kept, b);
      };
      swap(0, 6, 6);
      swap(26, 30, 4);
      swap(34, 36, 2);
      view.setUint16(16, 28 + 2 * payload.length);
      view.setUint16(24, 0);
      view.setUint16(24, ~onesComplementSum(frame.subarray(14, 34)) & 0xffff);
      view.setUint16(38, 8 + 2 * payload.length);
      const pseudoHeader = [...frame.subarray(26, 34), 0, 17, ...frame.subarray(38, 40)];
      view.setUint16(40, onesComplementSum(Uint8Array.from(pseudoHeader)));
      this.#out.push({ header: frame.slice(0, 42), payload });
    }
  }

  pollTransmit(_now: number, sink: FrameSink): void {
    const frame = this.#frame;
    for (const { header, payload } of this.#out.splice(0)) {
      frame.header.set(header);
      frame.headerLength = header.length;
      frame.payloadCount = payload === undefined ? 0 : 2;
      frame.payloadLength = 0;
      frame.checksumStart = payload === undefined ? 0 : 34;
      frame.checksumOffset = 6;
      for (let i = 0; i < frame.payloadCount; i++) {
        frame.payloadBuffers[i] = Uint8Array.from([0xff, ...payload!]);
        frame.payloadOffsets[i] = 1;
        frame.payloadLengths[i] = payload!.length;
      }
      sink.transmit(frame);
    }
  }

  handleTimeout(now: number): void {
    this.timeouts.push(now);
    this.timeout = Infinity;
  }

  pollTimeout(): number {
    return this.timeout;
  }

  pollEvent(): undefined {}

  deliverNotifications(): void {}

  setInterfaceDevice(): void {}

  setInterfaceUp(_index: number, up: boolean): void {
    if (this.interfaceStates.at(-1) !== up) this.interfaceStates.push(up);
  }
}

const stackMac = Uint8Array.of(2, 0, 0, 0, 0, 1);

function onesComplementSum(bytes: Uint8Array): number {
  let sum = 0;
  bytes.forEach((byte, i) => (sum += i % 2 === 0 ? byte << 8 : byte));
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** Resolves when the condition holds; it is looked at after each turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("the driver of a host", function () {
  this.timeout(300_000);
  let host: EchoHost;
  let driver: Driver;
  let kernel: ChildProcess;
  let answers: AsyncIterator<string>;
  const problems: DriverProblem[] = [];

  before(async () => {
    removeLeftNamespaces("pldrv");
    for (const name of [stackSide, kernelSide]) ip("netns add", name);
    ip("link add d0 netns", stackSide, "type veth peer name d0 netns", kernelSide);
    for (const name of [stackSide, kernelSide]) ip("-n", name, "link set d0 up");
    ip("-n", kernelSide, "address add 10.7.0.2/24 dev d0");
    host = new EchoHost();
    driver = new Driver({
      host: host as unknown as Host,
      interfaces: [{ interfaceName: "d0", namespacePath: `/run/netns/${stackSide}` }],
      onProblem: (problem) => problems.push(problem),
    });
    // A UDP client of the kernel: sends each line of its stdin, prints each answer. A burst of answers may come before it looks: it has room for all (socket(7): twice what it asks for).
    const client = `
      const socket = require("node:dgram").createSocket({ type: "udp4", recvBufferSize: 212992 });
      socket.on("message", (data) => console.log(data.toString()));
      require("node:readline").createInterface({ input: process.stdin })
        .on("line", (line) => socket.send(line, 7000, "10.7.0.1"))
        .on("close", () => socket.close());
      socket.bind(0, () => console.log("bound"));`;
    kernel = spawn("ip", ["netns", "exec", kernelSide, process.execPath, "-e", client], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    answers = createInterface({ input: kernel.stdout! })[Symbol.asyncIterator]();
    expect((await answers.next()).value).to.equal("bound");
  });

  after(async () => {
    driver.close();
    kernel.stdin!.end();
    await once(kernel, "exit");
    for (const name of [stackSide, kernelSide]) ip("netns del", name);
  });

  const exchange = async (text: string) => {
    kernel.stdin!.write(`${text}\n`);
    return (await answers.next()).value as string;
  };

  it("brings frames in and answers out, gathered, with the checksum that the device completes", async () => {
    expect(await exchange("hello")).to.equal("hellohello");
    expect(await exchange("x".repeat(600))).to.equal("x".repeat(1200));
  });

  it("says that a local kernel left the checksum to the device", () => {
    expect(host.checksums).to.deep.equal([checksumState.partial, checksumState.partial]);
  });

  it("says that a checksum is to be verified when the sender completed it", async () => {
    execFileSync("ip", ["netns", "exec", kernelSide, "ethtool", "-K", "d0", "tx", "off"], { stdio: "pipe" });
    await exchange("complete");
    expect(host.checksums.at(-1)).to.equal(checksumState.unverified);
  });

  it("keeps order in bursts larger than a batch", async () => {
    const lines = Array.from({ length: 200 }, (_, i) => `${i};`);
    kernel.stdin!.write(`${lines.join("\n")}\n`);
    for (const line of lines) expect((await answers.next()).value).to.equal(line + line);
  });

  it("calls the host at its time, not before", async () => {
    const at = driver.now() + 5000;
    host.timeout = at;
    driver.wake();
    await until(() => host.timeouts.length > 0);
    expect(host.timeouts[0]).to.be.at.least(at);
  });

  it("tells the host of a cable that is pulled and put back, and frames flow again", async () => {
    expect(host.interfaceStates).to.deep.equal([true]);
    ip("-n", kernelSide, "link set d0 down");
    await until(() => host.interfaceStates.length === 2);
    ip("-n", kernelSide, "link set d0 up");
    await until(() => host.interfaceStates.length === 3);
    expect(host.interfaceStates).to.deep.equal([true, false, true]);
    expect(await exchange("again")).to.equal("againagain");
  });

  it("outlives the end of its interface", async () => {
    ip("-n", stackSide, "link del d0");
    await until(() => problems.length > 0);
    expect(problems).to.deep.equal([{ type: "interface-deleted", interfaceName: "d0" }]);
    expect(host.interfaceStates.at(-1)).to.equal(false);
  });

  it("takes another device of the name up, once it is there, and frames flow again", async () => {
    ip("link add d0 netns", stackSide, "type veth peer name d0 netns", kernelSide);
    for (const name of [stackSide, kernelSide]) ip("-n", name, "link set d0 up");
    ip("-n", kernelSide, "address add 10.7.0.2/24 dev d0");
    await until(() => host.interfaceStates.at(-1) === true);
    expect(await exchange("back")).to.equal("backback");
    expect(problems).to.have.lengthOf(1);
  });
});
