/** Throughput of all the pairings under one condition, in turns. */

import {
  type Condition,
  describeCondition,
  kernelMptcp,
  kernelTcp,
  kernelToOurs,
  oursToKernel,
  oursToOurs,
  type Pairing,
  straight,
} from "./conditions.ts";
import { Lab } from "./lab.ts";
import { median, ratio } from "./statistics.ts";
import { markdownTable, significant } from "./table.ts";
import { measureThroughput, type Throughput } from "./throughput.ts";

export type ThroughputComparison = {
  condition: Condition;
  /** By the name of the pairing, one a round. */
  samples: Record<string, Throughput[]>;
};

export type ThroughputComparisonOptions = {
  condition: Condition;
  rounds: number;
  warmUpSeconds: number;
  seconds: number;
  log: (text: string) => void;
};

/** Plain TCP has one path. */
function pairingsUnder({ paths }: Condition): Pairing[] {
  const multipath = [oursToOurs, oursToKernel, kernelToOurs, kernelMptcp];
  return paths === 1 ? [...multipath, kernelTcp, straight] : multipath;
}

export async function compareThroughput(options: ThroughputComparisonOptions): Promise<ThroughputComparison> {
  const { condition, rounds, log, ...pace } = options;
  const pairings = pairingsUnder(condition);
  const samples: Record<string, Throughput[]> = Object.fromEntries(pairings.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const { name, stacks, mptcp, application = "net" } of pairings) {
      const lab = await Lab.open({ ...condition, stacks, congestionControl: "reno" });
      try {
        const sample = await measureThroughput({ lab, mptcp, application, ...pace });
        samples[name]!.push(sample);
        log(
          `throughput, ${describeCondition(condition)}, round ${round}: ${name} ${significant(sample.gigabitsPerSecond)} Gbit/s`,
        );
      } finally {
        lab.close();
      }
    }
  }
  return { condition, samples };
}

type Row = { condition: string; name: string; samples: readonly Throughput[]; reference: readonly Throughput[] };

const of = (samples: readonly Throughput[], key: keyof Throughput): number[] => samples.map((sample) => sample[key]);

export function throughputTable(comparisons: readonly ThroughputComparison[]): string {
  const rows = comparisons.flatMap(({ condition, samples }) =>
    Object.entries(samples).map(([name, own]): Row => ({
      condition: describeCondition(condition),
      name,
      samples: own,
      reference: samples[kernelMptcp.name]!,
    })),
  );
  const column = (title: string, key: keyof Throughput) => ({
    title,
    cell: ({ samples }: Row) => significant(median(of(samples, key))),
  });
  return markdownTable<Row>(
    [
      { title: "throughput", align: "left", cell: ({ condition }) => condition },
      { title: "sender → receiver", align: "left", cell: ({ name }) => name },
      column("Gbit/s", "gigabitsPerSecond"),
      { title: "lowest–highest", cell: ({ samples }) => range(of(samples, "gigabitsPerSecond")) },
      {
        title: "of kernel MPTCP",
        cell: ({ samples, reference }) =>
          ratio(of(samples, "gigabitsPerSecond"), of(reference, "gigabitsPerSecond")).toFixed(2),
      },
      column("packets/s", "packetsPerSecond"),
      column("bytes/packet", "bytesPerPacket"),
      column("CPU s/GB sender", "senderSecondsPerGigabyte"),
      column("receiver", "receiverSecondsPerGigabyte"),
      column("machine", "machineSecondsPerGigabyte"),
      column("of that interrupts", "interruptSecondsPerGigabyte"),
    ],
    rows,
  );
}

function range(samples: readonly number[]): string {
  return `${significant(Math.min(...samples))}–${significant(Math.max(...samples))}`;
}
