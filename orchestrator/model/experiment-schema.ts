/** The form of an experiment file. What needs more than one place of it, or the topology, to be judged is in `experiment-checks.ts`. */
import * as z from "zod";
import { application } from "./application-schema.ts";
import { expectations } from "./expectation-schema.ts";
import { substrateNames } from "./experiment.ts";
import type { Baseline, Experiment } from "./experiment.ts";
import { fault } from "./fault-schema.ts";
import { host } from "./host-schema.ts";
import { duration, entityName, formatVersion, positiveDuration, text, whole } from "./quantity-schemas.ts";
import { expected } from "./schema-diagnostics.ts";
import { traffic } from "./traffic-schema.ts";
import { bulk, requestResponse, stream } from "./workload-schema.ts";

const baseline = z
  .strictObject({
    description: z.exactOptional(text("What this baseline shows.")),
    set: z
      .record(z.string(), z.unknown())
      .describe("Keys of this file (hosts.phone.endpoint) and their values in this baseline."),
    expect: expectations.default({}).describe("Takes the place of the experiment's own expectations."),
  })
  .transform((value): Baseline => value);

const defaultCapture = { enabled: true, snapLength: 128 };
const defaultMetrics = { intervalMicroseconds: 100_000 };

export const experimentSchema = z
  .strictObject({
    version: formatVersion,
    name: entityName.describe("Name of the experiment; its results go to a folder of this name."),
    description: z.exactOptional(text("What this experiment shows.")),
    topology: text("Path of the topology file, relative to this file."),
    seed: whole("Seed of everything random.", 0, 0xffffffff).default(1),
    repeat: whole("Runs, each with the next seed, unless the command line says otherwise.", 1, 10_000).default(1),
    on: z
      .enum(substrateNames as ["namespaces"])
      .default("namespaces" as never)
      .describe("What it runs on, unless the command line says otherwise."),
    duration: z.exactOptional(positiveDuration("The run is ended then, whether its workloads are done or not.")),
    hosts: z
      .record(z.string(), host)
      .default({})
      .describe("Settings by host; a host that is not named speaks pathlab."),
    everyHost: z.exactOptional(host.describe("Settings of hosts that are not named under hosts.")),
    workload: z
      .record(entityName, z.discriminatedUnion("kind", [bulk, stream, requestResponse, application]))
      .default({})
      .describe("Transfers by name."),
    traffic: z.record(entityName, traffic).default({}).describe("Many flows at once, by name."),
    faults: z.array(fault).default([]).describe("What breaks, and when."),
    expect: expectations.default({}),
    capture: z
      .strictObject({
        enabled: z.boolean().default(defaultCapture.enabled).describe("Whether packets are captured."),
        snapLength: whole("Bytes kept of each packet.", 64, 65535).default(defaultCapture.snapLength),
      })
      .default(defaultCapture)
      .describe("Capture of all host interfaces."),
    metrics: z
      .strictObject({
        interval: duration("Time from one sample to the next.").default(defaultMetrics.intervalMicroseconds),
      })
      .superRefine(({ interval }, context) => {
        if (interval < 10_000 || interval > 60e6)
          context.addIssue({
            code: "custom",
            path: ["interval"],
            message: expected("a time from 10ms to 60s", "as in 100ms"),
          });
      })
      .transform(({ interval }) => ({ intervalMicroseconds: interval }))
      .default(defaultMetrics)
      .describe("Time series."),
    baselines: z
      .record(entityName, baseline)
      .default({})
      .describe("The same experiment run again with some keys set otherwise."),
  })
  .superRefine(({ workload, traffic: patterns }, context) => {
    if (Object.keys(workload).length + Object.keys(patterns).length > 0) return;
    context.addIssue({
      code: "custom",
      path: ["workload"],
      message: expected("at least one workload", "as in download: { kind: bulk, from: server, to: phone, size: 24MB }"),
    });
  })
  .transform(({ duration: durationMicroseconds, ...rest }): Experiment => ({
    ...rest,
    ...(durationMicroseconds !== undefined && { durationMicroseconds }),
  }))
  .meta({ title: "pathlab experiment", description: "What runs over a topology, what breaks, and what must hold." });
