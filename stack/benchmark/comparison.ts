/** The same measurement of several pairings, in turns, so that what else the machine does meets all of them. */

import { type Condition, describeCondition, kernelMptcp, type Pairing } from "./conditions.ts";
import { Lab } from "./lab.ts";
import { median, ratio } from "./statistics.ts";
import { type Column, markdownTable, significant } from "./table.ts";

export type Comparison<Sample> = {
  condition: Condition;
  /** By the name of the pairing, one a round. */
  samples: Record<string, Sample[]>;
};

export type TurnsOptions<Sample> = {
  what: string;
  condition: Condition;
  pairings: readonly Pairing[];
  rounds: number;
  measure: (lab: Lab, pairing: Pairing) => Promise<Sample>;
  log: (text: string) => void;
};

/** Round by round, each pairing in a lab of its own. Reno where the pairing has no other. */
export async function inTurns<Sample extends Readonly<Record<string, number>>>(
  options: TurnsOptions<Sample>,
): Promise<Comparison<Sample>> {
  const { what, condition, pairings, rounds, measure, log } = options;
  const samples: Record<string, Sample[]> = Object.fromEntries(pairings.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const pairing of pairings) {
      const lab = await Lab.open({
        ...condition,
        stacks: pairing.stacks,
        congestionControl: pairing.congestionControl ?? "reno",
      });
      try {
        const sample = await measure(lab, pairing);
        samples[pairing.name]!.push(sample);
        const [[key, value]] = Object.entries(sample) as [[string, number]];
        log(`${what}, ${describeCondition(condition)}, round ${round}: ${pairing.name}, ${significant(value)} ${key}`);
      } finally {
        lab.close();
      }
    }
  }
  return { condition, samples };
}

/** Columns of a table: medians over the rounds; the first key is also compared with the kernel's MPTCP. */
export type Measures<Sample> = readonly (readonly [key: keyof Sample & string, title: string])[];

type Row<Sample> = { condition: string; name: string; own: readonly Sample[]; reference: readonly Sample[] };

export function comparisonTable<Sample extends Readonly<Record<string, number>>>(
  what: string,
  measures: Measures<Sample>,
  comparisons: readonly Comparison<Sample>[],
): string {
  const rows = comparisons.flatMap(({ condition, samples }) =>
    Object.entries(samples).map(([name, own]): Row<Sample> => ({
      condition: describeCondition(condition),
      name,
      own,
      reference: samples[kernelMptcp.name]!,
    })),
  );
  const of = (samples: readonly Sample[], key: keyof Sample): number[] => samples.map((sample) => sample[key]!);
  const [first, ...further] = measures.map(([key, title]): Column<Row<Sample>> & { key: keyof Sample } => ({
    key,
    title,
    cell: ({ own }) => significant(median(of(own, key))),
  }));
  return markdownTable<Row<Sample>>(
    [
      { title: what, align: "left", cell: ({ condition }) => condition },
      { title: "client → server", align: "left", cell: ({ name }) => name },
      first!,
      { title: "lowest–highest", cell: ({ own }) => range(of(own, first!.key)) },
      {
        title: "of kernel MPTCP",
        cell: ({ own, reference }) => ratio(of(own, first!.key), of(reference, first!.key)).toFixed(2),
      },
      ...further,
    ],
    rows,
  );
}

function range(samples: readonly number[]): string {
  return `${significant(Math.min(...samples))}–${significant(Math.max(...samples))}`;
}
