import { z } from "zod";
import type { Verdict } from "./verdict.ts";

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
    }),
  ),
  findings: z.array(z.string()),
}) satisfies z.ZodType<Verdict>;
