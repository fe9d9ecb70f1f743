import { z } from "zod";
import { repetitionStatistics } from "../model/repetition-statistic.ts";
import type { Verdict } from "./verdict.ts";

const statistic = z.enum(repetitionStatistics);

/** `verdict.json` where it is read. */
export const verdictSchema = z.strictObject({
  schemaVersion: z.literal(1),
  outcome: z.enum(["passed", "failed", "invalid"]),
  invalidBecause: z.array(z.string()),
  expectations: z.array(
    z.strictObject({
      baseline: z.string().exactOptional(),
      workload: z.string(),
      metric: z.string(),
      expected: z.string(),
      measured: z.string(),
      measuredValue: z.union([z.number(), z.boolean()]).exactOptional(),
      passed: z.boolean(),
      witness: z.string(),
      repetitions: z
        .strictObject({
          statistic,
          samples: z.array(z.number()),
          confidence: z.strictObject({ least: z.number(), most: z.number() }).exactOptional(),
        })
        .exactOptional(),
    }),
  ),
  overRepetitions: z
    .array(
      z.strictObject({
        baseline: z.string().exactOptional(),
        workload: z.string(),
        metric: z.string(),
        statistic,
        expected: z.string(),
        atLeast: z.number().exactOptional(),
        atMost: z.number().exactOptional(),
        measured: z.string(),
        measuredValue: z.number().exactOptional(),
        witness: z.string(),
      }),
    )
    .exactOptional(),
  findings: z.array(z.string()),
}) satisfies z.ZodType<Verdict>;
