/** One stream of iperf3 through two gateways, beside the kernel's own Multipath TCP (mptcpize) and its TCP over the same veth paths, in turns in one run. */

import { median } from "../statistics.ts";
import { type Column, markdownTable, significant } from "../table.ts";
import { GatewayBenchmark, type Transfer, type Way, ways } from "./lab.ts";

const directions = ["up", "down"] as const;
type Row = { way: Way; direction: (typeof directions)[number]; samples: Transfer[] };

function titleOf({ way, direction }: Omit<Row, "samples">): string {
  return `${way}, ${direction}`;
}

const columns: Column<Row>[] = [
  { title: "iperf3, one stream", align: "left", cell: titleOf },
  { title: "Gbit/s", cell: ({ samples }) => middle(samples, "gigabitsPerSecond") },
  {
    title: "lowest–highest",
    cell: ({ samples }) => {
      const rates = samples.map(({ gigabitsPerSecond }) => gigabitsPerSecond);
      return `${significant(Math.min(...rates))}–${significant(Math.max(...rates))}`;
    },
  },
  { title: "client's gateway, s/GB", cell: ({ samples }) => middle(samples, "clientGatewaySecondsPerGigabyte") },
  { title: "converter, s/GB", cell: ({ samples }) => middle(samples, "converterSecondsPerGigabyte") },
  { title: "the two iperf3, s/GB", cell: ({ samples }) => middle(samples, "programSecondsPerGigabyte") },
];

function middle(samples: readonly Transfer[], key: keyof Transfer): string {
  return significant(median(samples.map((sample) => sample[key])));
}

export type GatewayThroughputOptions = {
  rounds: number;
  /** Of each transfer. */
  seconds: number;
  /** What it matches of the first column is measured. */
  only: RegExp;
  /** For the gateways' Node, as --cpu-prof. */
  nodeOptions: string;
  log: (text: string) => void;
};

/** Root, iperf3, mptcpize. Returns a table in Markdown, of medians. */
export async function gatewayThroughput(options: GatewayThroughputOptions): Promise<string> {
  const { rounds, seconds, only, nodeOptions, log } = options;
  const rows = ways
    .flatMap((way) => directions.map((direction): Row => ({ way, direction, samples: [] })))
    .filter((row) => only.test(titleOf(row)));
  const benchmark = new GatewayBenchmark();
  try {
    await benchmark.open(nodeOptions);
    // The compiler has seen everything once.
    for (const direction of directions) await benchmark.transfer("gateway", direction, seconds);
    for (let round = 1; round <= rounds; round++)
      for (const row of rows) {
        const sample = await benchmark.transfer(row.way, row.direction, seconds);
        row.samples.push(sample);
        log(`round ${round}: ${titleOf(row)}: ${significant(sample.gigabitsPerSecond)} Gbit/s`);
      }
  } finally {
    await benchmark.close();
  }
  return markdownTable(columns, rows);
}
