/** Throughput of one connection over a steady window: after its slow start, before its end. */

import { setTimeout as delay } from "node:timers/promises";
import type { Measures } from "./comparison.ts";
import { End, type EndOptions } from "./end.ts";
import type { Lab, Side } from "./lab.ts";
import { processorTimes } from "./machine.ts";

export type Throughput = {
  gigabitsPerSecond: number;
  packetsPerSecond: number;
  /** Of payload, in a packet of those that the receiver's interfaces took in. */
  bytesPerPacket: number;
  /** Processor time of each end's process, with what the kernel does in its name, for a gigabyte (10⁹) of payload. */
  senderSecondsPerGigabyte: number;
  receiverSecondsPerGigabyte: number;
  /** Of the whole machine: all that was not idle, and of that what was in interrupts. */
  machineSecondsPerGigabyte: number;
  interruptSecondsPerGigabyte: number;
};

export type ThroughputOptions = Pick<EndOptions, "mptcp" | "application" | "ownSegments"> & {
  lab: Lab;
  warmUpSeconds: number;
  seconds: number;
  /** The processor that each end stays on; default: any. */
  processors?: Readonly<Record<Side, number>>;
};

export const throughputMeasures: Measures<Throughput> = [
  ["gigabitsPerSecond", "Gbit/s"],
  ["packetsPerSecond", "packets/s"],
  ["bytesPerPacket", "bytes/packet"],
  ["senderSecondsPerGigabyte", "CPU s/GB: sender"],
  ["receiverSecondsPerGigabyte", "receiver"],
  ["machineSecondsPerGigabyte", "machine"],
  ["interruptSecondsPerGigabyte", "in interrupts"],
];

export async function measureThroughput(options: ThroughputOptions): Promise<Throughput> {
  const { warmUpSeconds, seconds, processors, ...ends } = options;
  const start = (side: Side, task: EndOptions["task"]): Promise<End> =>
    End.start({ ...ends, side, task, ...(processors !== undefined && { processor: processors[side] }) });
  const receiver = await start("server", { mode: "serve", service: "discard" });
  try {
    const sender = await start("client", { mode: "stream" });
    try {
      await sender.message("connected");
      await delay(warmUpSeconds * 1e3);
      const before = await reading(sender, receiver);
      await delay(seconds * 1e3);
      return difference(before, await reading(sender, receiver));
    } finally {
      await sender.stop();
    }
  } finally {
    await receiver.stop();
  }
}

type Reading = Awaited<ReturnType<typeof reading>>;

async function reading(sender: End, receiver: End) {
  return {
    ...(await receiver.sample()),
    packets: receiver.receivedPackets(),
    sender: sender.processorSeconds(),
    receiver: receiver.processorSeconds(),
    machine: processorTimes(),
  };
}

function difference(before: Reading, after: Reading): Throughput {
  const bytes = after.bytes - before.bytes;
  const seconds = (after.microseconds - before.microseconds) / 1e6;
  const packets = after.packets - before.packets;
  const gigabytes = bytes / 1e9;
  return {
    gigabitsPerSecond: (bytes * 8) / seconds / 1e9,
    packetsPerSecond: packets / seconds,
    bytesPerPacket: bytes / packets,
    senderSecondsPerGigabyte: (after.sender - before.sender) / gigabytes,
    receiverSecondsPerGigabyte: (after.receiver - before.receiver) / gigabytes,
    machineSecondsPerGigabyte: (after.machine.busySeconds - before.machine.busySeconds) / gigabytes,
    interruptSecondsPerGigabyte: (after.machine.interruptSeconds - before.machine.interruptSeconds) / gigabytes,
  };
}
