/** How much of links of a known rate one connection fills. */

import { ethernetHeaderLength } from "../wire/ethernet.ts";
import { ipv4HeaderLength } from "../wire/ipv4.ts";
import type { Measures } from "./comparison.ts";
import { mtu } from "./lab.ts";
import { measureThroughput, type Throughput, type ThroughputOptions } from "./throughput.ts";

/** Of a TCP header: 20 octets, 12 for timestamps (RFC 7323 §3.2), 20 for a DSS with both numbers of 64 bits (RFC 8684 §3.3). */
const tcpHeaderBytes = 20 + 12 + 20;
/** Octets of payload in one of a full frame, as the kernel's shaper counts frames. */
const payloadShare = (mtu - ipv4HeaderLength - tcpHeaderBytes) / (mtu + ethernetHeaderLength);

export type FillShare = Omit<Throughput, "packetsPerSecond" | "bytesPerPacket"> & {
  /** Of the payload that all links together carry. */
  share: number;
};

export const fillMeasures: Measures<FillShare> = [
  ["gigabitsPerSecond", "Gbit/s"],
  ["share", "of what the links carry"],
  ["senderSecondsPerGigabyte", "CPU s/GB: sender"],
  ["receiverSecondsPerGigabyte", "receiver"],
  ["machineSecondsPerGigabyte", "machine"],
];

/** The lab's paths have a rate. */
export async function measureFill(options: ThroughputOptions): Promise<FillShare> {
  const { paths, bitsPerSecond } = options.lab.options;
  const { packetsPerSecond: _, bytesPerPacket: __, ...measured } = await measureThroughput(options);
  const carried = (paths * bitsPerSecond! * payloadShare) / 1e9;
  return { ...measured, share: measured.gigabitsPerSecond / carried };
}
