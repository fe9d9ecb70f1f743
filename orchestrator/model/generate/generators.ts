/** The generators by their names in topology files. */
import * as z from "zod";
import { expected } from "../schema-diagnostics.ts";
import { bcube } from "./bcube.ts";
import { dumbbell } from "./dumbbell.ts";
import { fatTree } from "./fat-tree.ts";
import type { GeneratedTopology, Generator } from "./generated-topology.ts";
import { leafSpine } from "./leaf-spine.ts";
import { multiHomedCloud } from "./multi-homed-cloud.ts";
import { parkingLot } from "./parking-lot.ts";
import { torus } from "./torus.ts";
import { vl2 } from "./vl2.ts";

export const generators = {
  "fat-tree": fatTree,
  "leaf-spine": leafSpine,
  vl2,
  bcube,
  dumbbell,
  "parking-lot": parkingLot,
  torus,
  "multi-homed-cloud": multiHomedCloud,
} as const;

export const generatorNames = Object.keys(generators) as (keyof typeof generators)[];

/** The value of `generate`: one of the generators with its parameters. */
export const generateSchema = z
  .strictObject({
    "fat-tree": z.exactOptional(fatTree.schema.describe("Hosts at a fat tree of switches with k ports.")),
    "leaf-spine": z.exactOptional(leafSpine.schema.describe("Leaves joined to all spines.")),
    vl2: z.exactOptional(vl2.schema.describe("Racks, aggregation and intermediate switches.")),
    bcube: z.exactOptional(bcube.schema.describe("Servers that forward for each other.")),
    dumbbell: z.exactOptional(dumbbell.schema.describe("Pairs of hosts over one bottleneck.")),
    "parking-lot": z.exactOptional(parkingLot.schema.describe("A chain of bottlenecks.")),
    torus: z.exactOptional(torus.schema.describe("A ring of bottlenecks, two for each sender.")),
    "multi-homed-cloud": z.exactOptional(multiHomedCloud.schema.describe("Servers with several providers.")),
  })
  .refine((value) => Object.keys(value).length === 1, {
    error: expected("one generator", "as in generate: { fat-tree: { k: 4, rate: 100mbit, delay: 10us } }"),
  })
  .describe("Nodes and links of a regular network, beside those that the file names itself.");

export function generateTopology(value: z.output<typeof generateSchema>): GeneratedTopology {
  const name = generatorNames.find((candidate) => value[candidate] !== undefined)!;
  return (generators[name] as Generator<unknown>).generate(value[name]);
}
