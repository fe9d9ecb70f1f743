/**
 * How much memory a simulation takes, before it takes it. Measured with the benchmark's fat trees of 16 and 128 hosts, eight subflows, buffers of 512 KiB, 1 MiB
 * and 4 MiB: within a third, which is how much the garbage collector's moments differ. Flows that end before their buffers are full take less.
 */
import type { Plan, PlannedWorkload } from "./plan.ts";

const processBytes = 90e6;
/** A host with its connection of eight subflows, its links, and its share of switches and of packets that wait in queues. */
const hostBytes = 4e6;
/** A full send buffer stands beside chunks that have been acknowledged and what the receiver has read, until the garbage collector comes. */
const bytesPerBufferedByte = 4;

export interface MemoryEstimate {
  readonly bytes: number;
  readonly hosts: number;
  /** Under way at the same time, at least. */
  readonly flows: number;
  /** Data that their send buffers hold then. */
  readonly bufferedBytes: number;
}

export function estimateMemory(plan: Plan): MemoryEstimate {
  const hosts = plan.nodes.filter(({ kind }) => kind === "host");
  return estimateFor(
    new Map(hosts.map(({ name, endpoint }) => [name, endpoint?.sendBufferBytes ?? 0])),
    plan.workloads,
  );
}

/** Of what is not planned yet: a network that is too large takes long to plan. `buffers`: bytes of the send buffer of each host. */
export function estimateFor(
  buffers: ReadonlyMap<string, number>,
  workloads: readonly PlannedWorkload[],
): MemoryEstimate {
  const hosts = buffers.size;
  const changes = workloads.flatMap((workload) => {
    const { client, server, startMicroseconds: start } = workload;
    const buffer = Math.max(buffers.get(client) ?? 0, buffers.get(server) ?? 0);
    const bytes = Math.min(buffer, dataOf(workload));
    // How long a given size takes, nobody knows yet.
    const end = start + ("durationMicroseconds" in workload ? (workload.durationMicroseconds ?? 0) : 0);
    return [
      { at: start, flows: 1, bytes },
      { at: end, flows: -1, bytes: -bytes },
    ];
  });
  // Of one moment those that begin come first.
  changes.sort((a, b) => a.at - b.at || b.flows - a.flows);
  let [flows, bufferedBytes, mostFlows, mostBuffered] = [0, 0, 0, 0];
  for (const change of changes) {
    flows += change.flows;
    bufferedBytes += change.bytes;
    mostFlows = Math.max(mostFlows, flows);
    mostBuffered = Math.max(mostBuffered, bufferedBytes);
  }
  const bytes = processBytes + hosts * hostBytes + mostBuffered * bytesPerBufferedByte;
  return { bytes, hosts, flows: mostFlows, bufferedBytes: mostBuffered };
}

/** As a person reads it: `some 9.4 GB: 1024 hosts, and 1024 flows at once with 4.3 GB in their send buffers`. */
export function describeMemory({ bytes, hosts, flows, bufferedBytes }: MemoryEstimate): string {
  return `some ${gigabytes(bytes)}: ${hosts} hosts, and ${flows} flows at once with ${gigabytes(bufferedBytes)} in their send buffers`;
}

function dataOf(workload: PlannedWorkload): number {
  switch (workload.kind) {
    case "bulk":
      return workload.sizeBytes ?? Infinity;
    case "stream":
      return (workload.rateBitsPerSecond / 8e6) * workload.durationMicroseconds;
    case "request-response":
      return Math.max(workload.requestBytes, workload.responseBytes);
    case "application":
      throw new RangeError(`${workload.name} is an application, which no simulation carries`);
  }
}

export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
