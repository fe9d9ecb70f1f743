/**
 * What a segment costs the stack itself: two hosts in one process and in virtual time, joined by memory, so that neither the kernel nor a driver is in the figures.
 *
 *     node stack/benchmark/segment-cost.ts                       # this tree
 *     node stack/benchmark/segment-cost.ts --beside OTHER-TREE   # in turns with another checkout; ratios are this tree's to the other's
 *     node stack/benchmark/segment-cost.ts --rounds 9 --only "8 subflows"
 *     node stack/benchmark/segment-cost.ts --allocations 0       # the functions that take the heap, of the first case
 *
 * Nanoseconds of the processor and bytes of V8's heap, of the sender and of the receiver, for each item that the sender hands out: a segment, or a super-packet. The payload is
 * copied once, by the receiver; it is not gathered.
 */
import { execFileSync } from "node:child_process";
import type { HeapProfiler } from "node:inspector";
import { Session } from "node:inspector/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { getHeapStatistics } from "node:v8";
import { checksumState, type FrameSink, type OutgoingFrame } from "../frame.ts";
import type { Lia } from "../congestion/lia.ts";
import type { Host } from "../host.ts";
import type { HostOptions, InterfaceOptions } from "../host-options.ts";
import type { ConnectionObserver } from "../mptcp/connection-observer.ts";
import { seededRandom } from "../testing/random.ts";
import { median } from "./statistics.ts";

interface Case {
  readonly name: string;
  readonly subflows: number;
  readonly gso: boolean;
  /** Each frame has a turn of its own, as in the simulation; else a window's frames have one, as a driver's batch. */
  readonly oneByOne: boolean;
  /** Items of the measured part. */
  readonly items: number;
}

const cases: readonly Case[] = [1, 8].flatMap((subflows) =>
  [false, true].flatMap((gso) =>
    [false, true].map((oneByOne) => ({
      name: `${subflows} subflow${subflows > 1 ? "s" : ""}, ${gso ? "super-packets" : "segments"}, ${oneByOne ? "one by one" : "batches"}`,
      subflows,
      gso,
      oneByOne,
      items: gso ? 20_000 : 150_000,
    })),
  ),
);

/** For each item. */
interface Cost {
  nanoseconds: number;
  heapBytes: number;
}

interface Costs {
  sender: Cost;
  receiver: Cost;
}

const functionsTold = 24;
const port = 5001;
const bufferBytes = 1024 * 1024;
/** Of all subflows together: congestion windows are the limit, as on a real path. */
const windowBytes = 512 * 1024;
const cellBytes = 66_000;
/** One round's frames. */
const cells = 1024;
const roundMicroseconds = 400;

/** Frames on their way to one of the hosts: headers are real, payload is whatever the memory holds. */
class Crossing implements FrameSink {
  readonly #memory: Uint8Array;
  readonly #lengths = new Int32Array(cells);
  readonly #cellBytes: number;
  #count = 0;
  items = 0;

  constructor(gso: boolean) {
    this.#cellBytes = gso ? cellBytes : 2_048;
    this.#memory = new Uint8Array(cells * this.#cellBytes);
  }

  transmit({ header, headerLength, payloadLength }: OutgoingFrame): void {
    if (this.#count === cells) throw new Error("more frames in a round than there is room for");
    const at = this.#count * this.#cellBytes;
    for (let i = 0; i < headerLength; i++) this.#memory[at + i] = header[i]!;
    this.#lengths[this.#count++] = headerLength + payloadLength;
    if (payloadLength > 0) this.items++;
  }

  /** What has crossed goes to `host`, and what that has to say about it goes the other way. */
  deliver(host: Host, back: Crossing, oneByOne: boolean, now: number): void {
    const count = this.#count;
    this.#count = 0;
    for (let i = 0; i < count; i++) {
      host.handleFrame(0, this.#memory, i * this.#cellBytes, this.#lengths[i]!, checksumState.partial, now);
      if (oneByOne) turn(host, back, now);
    }
    if (host.pollTimeout() <= now) host.handleTimeout(now);
    turn(host, back, now);
  }
}

function turn(host: Host, out: Crossing, now: number): void {
  host.pollTransmit(now, out);
  host.deliverNotifications();
  host.pollTransmit(now, out);
  while (host.pollEvent() !== undefined);
  host.pollTimeout();
}

/** The tree's LIA in congestion avoidance, with windows that stay as they are. */
async function steadyLia(tree: string, subflows: number): Promise<HostOptions["congestionControl"]> {
  const { Lia: LiaOfTree } = (await import(pathToFileURL(resolve(tree, "stack/congestion/lia.ts")).href)) as {
    Lia: typeof Lia;
  };
  class SteadyLia extends LiaOfTree {
    override onAcknowledged(bytes: number, windowLimited: boolean, smoothedRtt: number, now: number): void {
      super.onAcknowledged(bytes, windowLimited, smoothedRtt, now);
      this.limit(windowBytes / subflows);
    }
  }
  return (group) => new SteadyLia(group);
}

function hostOptions(name: string, number: number, { gso, subflows }: Case): Omit<HostOptions, "congestionControl"> {
  const device: InterfaceOptions = {
    name: "eth0",
    mac: `02:00:00:00:00:0${number}`,
    mtu: 1_500,
    gso,
    checksumOffload: true,
    addresses: [{ address: `10.0.0.${number}`, prefixLength: 24 }],
  };
  return {
    name,
    random: seededRandom(number),
    interfaces: [device],
    mptcp: true,
    scheduler: "min-rtt",
    pathManager: "n-different-ports",
    maximumSubflows: subflows - 1,
    sendBufferBytes: bufferBytes,
    receiveBufferBytes: bufferBytes,
  };
}

const nothing = (): void => {};
const silent: ConnectionObserver = {
  onEstablished: nothing,
  onReadable: nothing,
  onWritable: nothing,
  onRemoteEnd: nothing,
  onClosed: nothing,
};

/** A transfer by the stack of another tree, or of this one. */
class Transfer {
  readonly #case: Case;
  readonly #sender: Host;
  readonly #receiver: Host;
  readonly #toReceiver: Crossing;
  readonly #toSender: Crossing;
  #now = 1_000_000;

  constructor(HostOfTree: typeof Host, congestionControl: HostOptions["congestionControl"], each: Case) {
    this.#case = each;
    this.#sender = new HostOfTree({ ...hostOptions("sender", 1, each), congestionControl });
    this.#receiver = new HostOfTree({ ...hostOptions("receiver", 2, each), congestionControl });
    this.#toReceiver = new Crossing(each.gso);
    this.#toSender = new Crossing(false);
    const target = new Uint8Array(256 * 1024);
    const listener = this.#receiver.listen({ port }, this.#now);
    listener.onConnection = () => {
      const connection = listener.accept()!;
      const onReadable = (): void => {
        while (connection.readInto(target, this.#now) > 0);
      };
      connection.observer = { ...silent, onReadable };
    };
    const chunk = new Uint8Array(64 * 1024);
    const connection = this.#sender.connect({ remoteAddress: "10.0.0.2", remotePort: port }, this.#now);
    const fill = (): void => {
      while (connection.write(chunk, this.#now) === chunk.length);
    };
    connection.observer = { ...silent, onEstablished: fill, onWritable: fill };
    turn(this.#sender, this.#toReceiver, this.#now);
  }

  /** Until the sender has handed out `items`; what each host costs is told by `meter`. */
  run(items: number, meter: Meter): Costs {
    const crossing = this.#toReceiver;
    const before = crossing.items;
    const { oneByOne } = this.#case;
    const read = meters[meter];
    const own = ownCost(read);
    let sender = 0;
    let receiver = 0;
    while (crossing.items - before < items) {
      this.#now += roundMicroseconds;
      const start = read();
      crossing.deliver(this.#receiver, this.#toSender, oneByOne, this.#now);
      const middle = read();
      this.#toSender.deliver(this.#sender, crossing, oneByOne, this.#now);
      const end = read();
      receiver += middle - start - own;
      sender += end - middle - own;
    }
    const count = crossing.items - before;
    const cost = (total: number): Cost => ({ nanoseconds: 0, heapBytes: 0, [meter]: total / count });
    return { sender: cost(sender), receiver: cost(receiver) };
  }
}

type Meter = keyof Cost;

const meters: Readonly<Record<Meter, () => number>> = {
  nanoseconds: () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) * 1_000;
  },
  heapBytes: () => getHeapStatistics().used_heap_size,
};

/** What reading the meter adds to it. */
function ownCost(read: () => number): number {
  const differences = Array.from({ length: 99 }, () => {
    const start = read();
    return read() - start;
  });
  return median(differences);
}

async function warmTransfer(tree: string, each: Case): Promise<Transfer> {
  const { Host: HostOfTree } = (await import(pathToFileURL(resolve(tree, "stack/host.ts")).href)) as {
    Host: typeof Host;
  };
  const transfer = new Transfer(HostOfTree, await steadyLia(tree, each.subflows), each);
  transfer.run(2 * each.items, "nanoseconds");
  return transfer;
}

async function measure(tree: string, each: Case): Promise<Costs> {
  const transfer = await warmTransfer(tree, each);
  const time = transfer.run(each.items, "nanoseconds");
  globalThis.gc?.();
  const heap = transfer.run(each.items / 2, "heapBytes");
  return {
    sender: { ...heap.sender, nanoseconds: time.sender.nanoseconds },
    receiver: { ...heap.receiver, nanoseconds: time.receiver.nanoseconds },
  };
}

/** Which functions take how many bytes of heap for each item, by V8's sampling: the first of them. */
async function allocations(tree: string, each: Case): Promise<[place: string, bytes: number][]> {
  const transfer = await warmTransfer(tree, each);
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.startSampling", {
    samplingInterval: 128,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  transfer.run(each.items, "nanoseconds");
  const { profile } = await session.post("HeapProfiler.stopSampling");
  session.disconnect();
  const bytes = new Map<string, number>();
  const visit = ({ callFrame, selfSize, children }: HeapProfiler.SamplingHeapProfileNode): void => {
    const { functionName, url, lineNumber } = callFrame;
    const place = `${functionName} ${url.replace(/.*\/stack\//, "")}:${lineNumber + 1}`;
    bytes.set(place, (bytes.get(place) ?? 0) + selfSize / each.items);
    children.forEach(visit);
  };
  visit(profile.head);
  return [...bytes].toSorted((a, b) => b[1] - a[1]).slice(0, functionsTold);
}

/** In a process of its own, in which nothing is collected. */
function apart(mode: "measure" | "allocations", tree: string, each: Case): string {
  const flags = ["--expose-gc", "--max-semi-space-size=256", "--min-semi-space-size=256"];
  const script = [import.meta.filename, `--${mode}`, String(cases.indexOf(each)), "--tree", tree];
  return execFileSync(process.execPath, [...flags, ...script], { encoding: "utf8" });
}

function measureApart(tree: string, each: Case): Costs {
  return JSON.parse(apart("measure", tree, each)) as Costs;
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

function compare(tree: string, other: string | undefined, rounds: number, only: string): void {
  for (const each of cases.filter(({ name }) => name.includes(only))) {
    const [own, others]: [Costs[], Costs[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      own.push(measureApart(tree, each));
      if (other !== undefined) others.push(measureApart(other, each));
    }
    tell(each.name);
    for (const side of ["sender", "receiver"] as const) {
      const told = (["nanoseconds", "heapBytes"] as const).map((meter) => {
        const unit = meter === "nanoseconds" ? "ns" : "bytes of heap";
        const value = median(own.map((costs) => costs[side][meter]));
        if (other === undefined) return `${value.toFixed(0)} ${unit}`;
        const ratio = median(own.map((costs, i) => costs[side][meter] / others[i]![side][meter]));
        return `${median(others.map((costs) => costs[side][meter])).toFixed(0)} → ${value.toFixed(0)} ${unit} (${ratio.toFixed(2)})`;
      });
      tell(`  ${side.padEnd(8)} ${told.join(", ")}`);
    }
  }
}

const { values } = parseArgs({
  options: {
    beside: { type: "string" },
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    measure: { type: "string" },
    allocations: { type: "string" },
    tree: { type: "string", default: resolve(import.meta.dirname, "../..") },
  },
});
if (values.measure !== undefined) tell(JSON.stringify(await measure(values.tree, cases[Number(values.measure)]!)));
else if (values.allocations !== undefined)
  for (const [place, bytes] of await allocations(values.tree, cases[Number(values.allocations)]!))
    tell(`${bytes.toFixed(1).padStart(8)} ${place}`);
else compare(values.tree, values.beside, Number(values.rounds), values.only);
