/** What must hold of a workload or traffic: limits of what is measured, as an experiment file says them. */
import * as z from "zod";
import type { Expectation } from "./experiment.ts";
import { percentage, positiveDuration, rate, size, whole } from "./quantity-schemas.ts";
import { repetitionStatistics } from "./repetition-statistic.ts";
import type { OverRepetitions, RepetitionStatistic } from "./repetition-statistic.ts";
import { expected } from "./schema-diagnostics.ts";

/** For what is a limit and not a plain value. */
const limitForm =
  (what: string, example: string) =>
  (issue: { readonly code?: string }): string | undefined =>
    issue.code === "invalid_type" ? expected(what, `as in ${example}`) : undefined;

/** Beside the limits of a figure: that they are those of all repetitions together. */
const repetitions = {
  over: z.exactOptional(z.literal("repetitions").describe("Judge all repetitions together, not each run.")),
  statistic: z.exactOptional(z.enum(repetitionStatistics).describe("What of their values is judged (default: mean).")),
};

interface RepetitionKeys {
  readonly over?: "repetitions" | undefined;
  readonly statistic?: RepetitionStatistic | undefined;
}

function checkRepetitions({ over, statistic }: RepetitionKeys, context: z.RefinementCtx): void {
  if (statistic === undefined || over !== undefined) return;
  context.addIssue({
    code: "custom",
    path: ["statistic"],
    message: expected("over: repetitions beside it", "a single run has one value of this"),
  });
}

const overRepetitions = ({ over, statistic = "mean" }: RepetitionKeys): OverRepetitions =>
  over === undefined ? {} : { overRepetitions: statistic };

const withOverRepetitions = <T extends RepetitionKeys>({
  over,
  statistic,
  ...limits
}: T): Omit<T, keyof RepetitionKeys> & OverRepetitions => ({ ...limits, ...overRepetitions({ over, statistic }) });

const atMostTime = z
  .strictObject(
    { atMost: positiveDuration("The longest time that passes."), ...repetitions },
    { error: limitForm("a limit", "{ atMost: 1.5s }") },
  )
  .superRefine(checkRepetitions)
  .transform(({ atMost, ...rest }) => ({ atMostMicroseconds: atMost, ...overRepetitions(rest) }));

/** A range with at least one of its ends. */
function checkRange(
  value: { readonly atLeast?: number; readonly atMost?: number; readonly exactly?: number } & RepetitionKeys,
  context: z.RefinementCtx,
): void {
  const { atLeast, atMost, exactly } = value;
  checkRepetitions(value, context);
  if (atLeast === undefined && atMost === undefined && exactly === undefined)
    context.addIssue(expected("a limit", "as in { atLeast: … }"));
  if (atLeast !== undefined && atMost !== undefined && atLeast > atMost) {
    context.addIssue({
      code: "custom",
      path: ["atMost"],
      message: expected("atMost not below atLeast", "nothing can be in between; change one of the two"),
    });
  }
  if (exactly !== undefined && (atLeast !== undefined || atMost !== undefined)) {
    context.addIssue({
      code: "custom",
      path: ["exactly"],
      message: expected("exactly alone", "leave out atLeast and atMost, or exactly"),
    });
  }
}

const subflowCount = whole("A number of subflows.", 1, 64);

/** Limits of what `quantity` reads, one of them at least; `[least, most]` describes its ends. */
const range = <Quantity extends z.ZodType<number>>(
  quantity: (description: string) => Quantity,
  example: string,
  [least, most] = ["The least that passes.", "The most that passes."],
) =>
  z
    .strictObject(
      { atLeast: z.exactOptional(quantity(least)), atMost: z.exactOptional(quantity(most)), ...repetitions },
      { error: limitForm("limits", example) },
    )
    .superRefine(checkRange);

const goodputRange = (description: string) =>
  range(rate, "{ atLeast: 9mbit }")
    .transform(({ atLeast, atMost, ...rest }) => ({
      ...overRepetitions(rest),
      ...(atLeast !== undefined && { atLeastBitsPerSecond: atLeast }),
      ...(atMost !== undefined && { atMostBitsPerSecond: atMost }),
    }))
    .describe(description);

const timeRange = range(positiveDuration, "{ atMost: 10ms }", [
  "The shortest time that passes.",
  "The longest time that passes.",
]).transform(({ atLeast, atMost, ...rest }) => ({
  ...overRepetitions(rest),
  ...(atLeast !== undefined && { atLeastMicroseconds: atLeast }),
  ...(atMost !== undefined && { atMostMicroseconds: atMost }),
}));

const percentageRange = (description: string) =>
  range(percentage, "{ atLeast: 95% }").transform(withOverRepetitions).describe(description);

const completionPercentiles = z.strictObject({
  p50: z.exactOptional(atMostTime),
  p99: z.exactOptional(atMostTime),
});

const expectation = z
  .strictObject({
    meanGoodput: z.exactOptional(goodputRange("Of traffic: mean of the goodput of its flows.")),
    leastGoodput: z.exactOptional(goodputRange("Of traffic: goodput of its slowest flow.")),
    fairness: z.exactOptional(percentageRange("Of traffic: Jain's index of the goodput of its flows.")),
    flowCompletion: z.exactOptional(
      completionPercentiles.describe("Of traffic: from a flow's start to its last byte."),
    ),
    goodput: z.exactOptional(goodputRange("Payload bits a second, from the first byte to the last.")),
    subflows: z.exactOptional(
      z
        .union(
          [
            subflowCount.transform((exactly): NonNullable<Expectation["subflows"]> => ({ exactly })),
            z
              .strictObject({
                atLeast: z.exactOptional(subflowCount),
                atMost: z.exactOptional(subflowCount),
                exactly: z.exactOptional(subflowCount),
              })
              .superRefine(checkRange),
          ],
          { error: expected("a number of subflows, or limits", "as in 2 or { atLeast: 2 }") },
        )
        .describe("Subflows that carried data: a number, or limits."),
    ),
    share: z.exactOptional(
      z
        .record(z.string(), percentageRange("Of the payload that arrived, what came over this link."))
        .describe("By name of a link of the hosts: what part of the payload came over it."),
    ),
    longestGap: z.exactOptional(timeRange.describe("Longest time without a byte at the application.")),
    stalls: z.exactOptional(
      z
        .strictObject(
          { atMost: whole("The most stalls that pass.", 0, 1_000_000), ...repetitions },
          { error: limitForm("a limit", "{ atMost: 0 }") },
        )
        .superRefine(checkRepetitions)
        .transform(withOverRepetitions)
        .describe("Times that playback stopped for want of bytes."),
    ),
    intact: z.exactOptional(z.literal(true).describe("Every byte arrived once, in order and unchanged.")),
    fallback: z.exactOptional(z.boolean().describe("Whether the connection fell back to plain TCP.")),
    exitCode: z.exactOptional(whole("Of an application: what its client must end with.", 0, 255)),
    bytes: z.exactOptional(
      range(size, "{ atLeast: 8MB }")
        .transform(withOverRepetitions)
        .describe("Of an application: payload that arrived, its protocol's own among it."),
    ),
    frames: z.exactOptional(
      z
        .strictObject(
          { atLeast: whole("The fewest that pass.", 1, 1_000_000_000), ...repetitions },
          { error: limitForm("a limit", "{ atLeast: 750 }") },
        )
        .superRefine(checkRepetitions)
        .transform(withOverRepetitions)
        .describe("Of an application that plays: pictures that it showed."),
    ),
    completion: z.exactOptional(atMostTime.describe("Time from the workload's start to its last byte.")),
    latency: z.exactOptional(
      completionPercentiles
        .extend({ deviation: z.exactOptional(timeRange.describe("Standard deviation.")) })
        .describe("From a request's first byte to its response's last."),
    ),
  })
  .describe("What must hold of this workload.");

export const expectations = z.record(z.string(), expectation).describe("What must hold, by name of the workload.");
