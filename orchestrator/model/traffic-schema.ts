/** How files spell traffic: many flows at once. */
import * as z from "zod";
import { duration, percentage, positiveDuration, size, whole } from "./quantity-schemas.ts";
import { expected } from "./schema-diagnostics.ts";
import type { FlowSizes, OnOffTraffic, PairTraffic, PoissonTraffic } from "./traffic.ts";

const base = {
  hosts: z.exactOptional(z.array(z.string()).describe("Hosts that take part; all of the topology when left out.")),
  start: duration("When it starts.").default(0),
};

const amount = {
  size: z.exactOptional(size("Bytes of each flow.")),
  duration: z.exactOptional(positiveDuration("How long to send; with on-off and poisson how long flows begin.")),
};

interface PairInput {
  readonly hosts?: string[];
  readonly start: number;
  readonly size?: number;
  readonly duration?: number;
}

/** Exactly one of size and duration. */
function checkAmount({ size: bytes, duration: time }: PairInput, context: z.RefinementCtx): void {
  if ((bytes === undefined) !== (time === undefined)) return;
  context.addIssue({
    code: "custom",
    path: [bytes === undefined ? "size" : "duration"],
    message:
      bytes === undefined
        ? expected("either size or duration", "say when a flow ends")
        : expected("either size or duration", "both end a flow; keep one of the two"),
  });
}

const toBase = ({ hosts, start }: { readonly hosts?: string[]; readonly start: number }) => ({
  startMicroseconds: start,
  ...(hosts !== undefined && { hosts }),
});

const toPairs = ({ size: sizeBytes, duration: durationMicroseconds, ...rest }: PairInput) => ({
  ...toBase(rest),
  ...(sizeBytes !== undefined && { sizeBytes }),
  ...(durationMicroseconds !== undefined && { durationMicroseconds }),
});

const permutation = z
  .strictObject({ pattern: z.literal("permutation"), ...base, ...amount })
  .superRefine(checkAmount)
  .transform((value): PairTraffic => ({ pattern: "permutation", ...toPairs(value) }));

const allToAll = z
  .strictObject({ pattern: z.literal("all-to-all"), ...base, ...amount })
  .superRefine(checkAmount)
  .transform((value): PairTraffic => ({ pattern: "all-to-all", ...toPairs(value) }));

const oneToMany = z
  .strictObject({
    pattern: z.literal("one-to-many"),
    ...base,
    ...amount,
    from: z.exactOptional(z.string().describe("Who sends; the first host when left out.")),
    count: z.exactOptional(whole("To how many; to all others when left out.", 1, 10_000)),
  })
  .superRefine(checkAmount)
  .transform(({ from, count, ...value }): PairTraffic => ({
    pattern: "one-to-many",
    ...toPairs(value),
    ...(from !== undefined && { from }),
    ...(count !== undefined && { count }),
  }));

const sparse = z
  .strictObject({
    pattern: z.literal("sparse"),
    ...base,
    ...amount,
    share: percentage("Probability of a host to send."),
  })
  .superRefine(checkAmount)
  .transform(({ share, ...value }): PairTraffic => ({ pattern: "sparse", ...toPairs(value), share }));

const onOff = z
  .strictObject({
    pattern: z.literal("on-off"),
    ...base,
    on: positiveDuration("Mean time of a burst."),
    off: positiveDuration("Mean time between two bursts."),
    duration: positiveDuration("How long bursts go on."),
  })
  .transform(({ on, off, duration: durationMicroseconds, ...rest }): OnOffTraffic => ({
    pattern: "on-off",
    ...toBase(rest),
    onMicroseconds: on,
    offMicroseconds: off,
    durationMicroseconds,
  }));

const sizes = z.union(
  [
    size("Bytes of each flow.").transform((bytes): FlowSizes => ({ distribution: "fixed", bytes })),
    z
      .strictObject({ exponential: z.strictObject({ mean: size("Mean of the sizes.") }) })
      .transform(({ exponential }): FlowSizes => ({ distribution: "exponential", meanBytes: exponential.mean })),
    z
      .strictObject({
        pareto: z.strictObject({
          mean: size("Mean of the sizes."),
          shape: z
            .number()
            .gt(1, { error: expected("a shape above 1", "below it the mean is infinite; as in 1.5") })
            .lte(10, { error: expected("a shape of at most 10", "as in 1.5") })
            .describe("The smaller, the heavier the tail."),
        }),
      })
      .transform(({ pareto }): FlowSizes => ({
        distribution: "pareto",
        meanBytes: pareto.mean,
        shape: pareto.shape,
      })),
  ],
  { error: expected("a size or a distribution of sizes", "as in 100kB or { pareto: { mean: 100kB, shape: 1.5 } }") },
);

const poisson = z
  .strictObject({
    pattern: z.literal("poisson"),
    ...base,
    flowsPerSecond: whole("Flows that begin in a second, of all hosts together.", 1, 100_000),
    sizes: sizes.describe("Bytes of a flow."),
    duration: positiveDuration("How long flows begin."),
  })
  .transform(({ flowsPerSecond, sizes: drawn, duration: durationMicroseconds, ...rest }): PoissonTraffic => ({
    pattern: "poisson",
    ...toBase(rest),
    flowsPerSecond,
    sizes: drawn,
    durationMicroseconds,
  }));

export const traffic = z
  .discriminatedUnion("pattern", [permutation, oneToMany, allToAll, sparse, onOff, poisson])
  .describe("Many flows at once.");
