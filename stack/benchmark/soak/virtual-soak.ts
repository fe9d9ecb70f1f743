/**
 * A connection of two subflows for days of virtual time: transfers of 3 GB and silences of most of an hour, in turns, while paths lose frames, go
 * silent and lose their carrier. On one path segments are cut by the device, on the other by us.
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Connection } from "../../host.ts";
import { addressesAt, makePair, type Pair, serverPort } from "../../testing/pair.ts";
import type { PipeOptions } from "../../testing/network.ts";
import { etherType, ethernetHeaderLength } from "../../wire/ethernet.ts";
import { ipProtocol, ipv4HeaderLength } from "../../wire/ipv4.ts";
import { BlockHashes, LongStream } from "./long-stream.ts";
import { type Check, memoryIsFlat } from "./verdict.ts";

const tcpStart = ethernetHeaderLength + ipv4HeaderLength;
const second = 1_000_000;
const hour = 3_600 * second;
const transferBytes = 3e9;
/** With a path away for a minute, and the other at its rate. */
const transferDeadline = 0.9 * hour;

const offloadedPath: PipeOptions = { rate: 100_000_000, delay: 10_000, queueBytes: 500_000, loss: 0.0001 };
const segmentedPath: PipeOptions = { rate: 10_000_000, delay: 30_000, queueBytes: 100_000, loss: 0.0001 };

export type VirtualProgress = {
  hour: number;
  bytes: number;
  transferSeconds: number;
  subflows: number;
  wraps: number;
  rss: number;
  heapUsed: number;
  external: number;
};

/** As with --expose-gc: what is counted is what is held, not what has been. */
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Hour by hour; the checks in the end. */
export async function runVirtualSoak(hours: number, onProgress: (progress: VirtualProgress) => void): Promise<Check[]> {
  const pair = soakedPair();
  const ends = connected(pair);
  const { sender, receiver } = ends;
  const series = { rss: [] as number[], heapUsed: [] as number[], external: [] as number[] };
  const { network } = pair;
  const wraps = countWraps(pair);
  let late = 0;
  network.onStep = () => {
    // What the pair's tests look at is nobody's here.
    network.events.length = 0;
  };
  for (let cycle = 0; cycle < hours; cycle++) {
    const start = network.now;
    scheduleTroubles(pair, cycle);
    sender.goal += transferBytes;
    sender.write();
    const done = (): boolean => receiver.hashes.bytes >= sender.goal;
    // In slices: Node's own housekeeping has its turn between them.
    while (!done() && network.now - start < transferDeadline) {
      network.run(second, done);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (!done()) late++;
    const transferSeconds = (network.now - start) / second;
    network.run(start + hour - network.now);
    collectGarbage();
    const { rss, heapUsed, external } = process.memoryUsage();
    series.rss.push(rss);
    series.heapUsed.push(heapUsed);
    series.external.push(external);
    onProgress({
      hour: cycle + 1,
      bytes: receiver.hashes.bytes,
      transferSeconds,
      subflows: sender.connection.subflows.length,
      wraps: wraps(),
      rss,
      heapUsed,
      external,
    });
  }
  return [
    {
      what: "all bytes came, and those that were sent",
      passed:
        sender.hashes.bytes === receiver.hashes.bytes &&
        sender.hashes.finished.join() === receiver.hashes.finished.join() &&
        sender.hashes.partial === receiver.hashes.partial,
      found: `${receiver.hashes.bytes} of ${sender.goal} bytes`,
    },
    { what: "every transfer ended in time: no timer was lost", passed: late === 0, found: `${late} late of ${hours}` },
    {
      what: "sequence numbers of subflows wrapped",
      passed: wraps() >= hours / 6,
      found: `${wraps()} times on the wire`,
    },
    {
      what: "the low half of data sequence numbers wrapped",
      passed: receiver.hashes.bytes >= 2 ** 32,
      found: `at least ${Math.floor(receiver.hashes.bytes / 2 ** 32)} times`,
    },
    ...endedClean(pair, ends),
    ...memoryIsFlat("one process with both ends", series),
  ];
}

function soakedPair(): Pair {
  const pair = makePair({
    paths: [offloadedPath, segmentedPath],
    checksumOffload: true,
    client: {
      interfaces: [true, false].map((gso, i) => ({
        name: `eth${i}`,
        mac: `02:00:00:00:0${i + 1}:01`,
        mtu: 1_500,
        gso,
        checksumOffload: true,
        addresses: [{ address: addressesAt(i + 1, "ipv4")[0]!, prefixLength: 24 }],
        gateway: `10.0.${i + 1}.1`,
      })),
    },
  });
  return pair;
}

/** How often 32-bit sequence numbers of the client's subflows have passed 0, as its links see them. */
function countWraps({ links }: Pair): () => number {
  /** By the client's port. */
  const highest = new Map<number, number>();
  let count = 0;
  for (const { up } of links)
    up.middlebox = (frame) => {
      const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
      const isTcp = view.getUint16(12) === etherType.ipv4 && view.getUint8(23) === ipProtocol.tcp;
      if (!isTcp) return true;
      const port = view.getUint16(tcpStart);
      const sequence = view.getUint32(tcpStart + 4);
      const before = highest.get(port);
      const isSyn = (view.getUint8(tcpStart + 13) & 2) !== 0;
      if (before === undefined || isSyn) highest.set(port, sequence);
      else if (((sequence - before) | 0) > 0) {
        if (sequence < before) count++;
        highest.set(port, sequence);
      }
      return true;
    };
  return () => count;
}

class Sender {
  readonly connection: Connection;
  readonly hashes = new BlockHashes();
  goal = 0;
  readonly #stream = new LongStream();
  readonly #pair: Pair;

  constructor(pair: Pair, connection: Connection) {
    this.#pair = pair;
    this.connection = connection;
  }

  write(): void {
    while (this.hashes.bytes < this.goal) {
      const chunk = this.#stream.next(this.goal - this.hashes.bytes);
      const taken = this.connection.write(chunk, this.#pair.network.now);
      this.hashes.update(chunk.subarray(0, taken));
      this.#stream.advance(taken);
      if (taken < chunk.length) return;
    }
  }
}

const nothing = (): void => undefined;

type Ends = { sender: Sender; receiver: { connection: Connection; hashes: BlockHashes }; errors: string[] };

function connected(pair: Pair): Ends {
  const { network } = pair;
  const errors: string[] = [];
  const quiet = {
    onEstablished: nothing,
    onReadable: nothing,
    onWritable: nothing,
    onRemoteEnd: nothing,
    onClosed: (error: string | undefined) => void (error !== undefined && errors.push(error)),
  };
  const hashes = new BlockHashes();
  let accepted: Connection | undefined;
  const listener = pair.server.listen({ port: serverPort }, network.now);
  listener.onConnection = () => {
    const connection = (accepted = listener.accept()!);
    connection.observer = {
      ...quiet,
      onReadable: () => {
        for (let data = connection.read(network.now); data !== undefined; data = connection.read(network.now))
          hashes.update(data);
      },
    };
  };
  const connection = pair.client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort }, network.now);
  const sender = new Sender(pair, connection);
  connection.observer = { ...quiet, onWritable: () => sender.write() };
  network.run(5 * second, () => accepted !== undefined && connection.subflows.length === 2);
  if (accepted === undefined) throw new Error("not connected within 5 s of virtual time");
  return { sender, receiver: { connection: accepted, hashes }, errors };
}

/** One path at a time: it goes silent in the middle of a transfer, its carrier goes, and it goes once more while nothing is sent. */
function scheduleTroubles({ network, client, links }: Pair, cycle: number): void {
  const path = cycle % 2;
  const { up, down } = links[path]!;
  const silent = (blackhole: boolean) => (): void => {
    up.blackhole = blackhole;
    down.blackhole = blackhole;
  };
  const carrier = (there: boolean) => (): void => client.setInterfaceUp(path, there, network.now);
  const at = (seconds: number, action: () => void): void => network.at(network.now + seconds * second, action);
  at(30, silent(true));
  at(60, silent(false));
  at(90, carrier(false));
  at(120, carrier(true));
  at(3_000, carrier(false));
  at(3_200, carrier(true));
}

/** Both close; nothing is left of the connection anywhere. */
function endedClean({ network, client, server }: Pair, { sender, receiver, errors }: Ends): Check[] {
  sender.connection.closeWrite(network.now);
  receiver.connection.closeWrite(network.now);
  network.run(10 * 60 * second);
  const left = [client, server].map(({ holdings }) => holdings);
  const nothingLeft = left.every(({ connections, subflows, tokens, deadlines }) =>
    [connections, subflows, tokens, deadlines].every((count) => count === 0),
  );
  return [
    { what: "closed in order", passed: errors.length === 0, found: errors.join(", ") || "no error" },
    { what: "nothing is left of it", passed: nothingLeft, found: JSON.stringify(left) },
  ];
}
