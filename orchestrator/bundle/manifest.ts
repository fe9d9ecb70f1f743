/** `manifest.json`: what ran, where, with which versions and seeds, and the hash of every other file of the bundle. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { bundleSchemaVersion } from "./layout.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits expected");

export const machineSchema = z
  .strictObject({
    hostname: z.string(),
    kernel: z.string().describe("Release and version of the kernel."),
    architecture: z.string(),
    cpu: z.strictObject({ model: z.string(), count: z.int().positive() }),
    memoryBytes: z.int().positive(),
    node: z.string(),
    pathlab: z.strictObject({
      version: z.string(),
      gitCommit: z.string().nullable().describe("Null where the program does not run from a checkout."),
      gitDirty: z.boolean().nullable().describe("Whether the checkout differed from its commit."),
    }),
    packages: z.record(z.string(), z.string()).describe("Versions of the packages that the program depends on."),
    sysctls: z
      .record(z.string(), z.string())
      .describe("The machine's own values; those of the nodes are in plan.json."),
  })
  .describe("The machine of the run.");

export const runSchema = z
  .strictObject({
    startedAt: z.iso.datetime(),
    endedAt: z.iso.datetime(),
    zeroEpochMicroseconds: z
      .int()
      .nonnegative()
      .describe(
        "The run's zero (time 0 of events and metrics) in microseconds of the capture's clock; 0 in simulations.",
      ),
    ended: z
      .enum(["completed", "deadline", "interrupted", "failed"])
      .describe("`completed`: every workload came to its end. `deadline`: the run's time was over before."),
    error: z.string().optional().describe("Why it failed."),
  })
  .describe("When it ran and how it ended.");

export const manifestSchema = z.strictObject({
  schemaVersion: z.literal(bundleSchemaVersion),
  id: z.string(),
  experiment: z.string(),
  baseline: z.string().optional().describe("The baseline's name, in the bundle of a baseline."),
  repetitions: z
    .array(
      z.strictObject({
        seed: z.int(),
        bundle: z.string().describe("The name of its directory, beside this one."),
        outcome: z.enum(["passed", "failed", "invalid"]),
      }),
    )
    .exactOptional()
    .describe(
      "In the bundle of all repetitions: the bundle of each. It has a verdict and a page, and of what ran only the experiment.",
    ),
  command: z.array(z.string()).describe("The arguments of `pathlab`, to run it again."),
  substrate: z.enum(["simulation", "namespaces", "containers"]),
  endpoints: z.record(z.string(), z.string()).describe("Host and the kind of its endpoint."),
  seeds: z.strictObject({ experiment: z.int(), payload: z.record(z.string(), z.int()) }),
  run: runSchema,
  machine: machineSchema,
  valid: z.boolean().describe("False when the bench was off, so that its figures must not be used."),
  outcome: z.enum(["passed", "failed", "invalid", "not-judged"]),
  files: z
    .record(z.string(), z.strictObject({ bytes: z.int().nonnegative(), sha256 }))
    .describe("Every other file of the bundle."),
  seal: sha256.describe("SHA-256 of this manifest without the seal, as JSON with two spaces of indentation."),
});

export type Manifest = z.infer<typeof manifestSchema>;
/** The manifest of a bundle that is not sealed yet. */
export type BundleDescription = Omit<Manifest, "files" | "seal">;
export type Machine = z.infer<typeof machineSchema>;
export type RunRecord = z.infer<typeof runSchema>;

/** The hash that `seal` has to be. */
export function manifestSeal(manifest: Omit<Manifest, "seal">): string {
  const { seal: _, ...content } = manifest as Manifest;
  return createHash("sha256")
    .update(JSON.stringify(content, null, 2))
    .digest("hex");
}

/** The content of `schemas/manifest.schema.json`. */
export function manifestJsonSchema(): object {
  return { title: "pathlab: manifest of a result bundle", ...z.toJSONSchema(manifestSchema, { target: "draft-7" }) };
}
