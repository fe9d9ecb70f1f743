/** How files spell what a link does to packets. Keys beside `up` and `down` are for both directions; those below them win. */
import * as z from "zod";
import { linkCalibrationNames } from "./link-calibrations.ts";
import type {
  DirectionShape,
  JitterShape,
  LinkProfile,
  LinkShape,
  LossShape,
  QueueManagementShape,
  TraceShape,
} from "./link-profile.ts";
import {
  buffer,
  duration,
  entityName,
  formatVersion,
  percentage,
  positiveDuration,
  rate,
  size,
  text,
  whole,
} from "./quantity-schemas.ts";
import { expected } from "./schema-diagnostics.ts";
import { describeQuantityMismatch, durationQuantity, percentQuantity } from "./units.ts";

const jitter = z.union(
  [
    positiveDuration("Jitter, uniform in ± this time, without reordering.").transform((microseconds): JitterShape => ({
      microseconds,
      distribution: "uniform",
      reorder: false,
    })),
    z
      .strictObject({
        time: positiveDuration("Uniform: ± this time. Normal: its standard deviation."),
        distribution: z.enum(["uniform", "normal"]).default("uniform").describe("How delays are spread."),
        reorder: z.boolean().default(false).describe("Whether a packet may overtake another."),
      })
      .transform(({ time, distribution, reorder }): JitterShape => ({ microseconds: time, distribution, reorder })),
  ],
  {
    error: ({ input }) => describeQuantityMismatch([durationQuantity], input),
  },
);

const loss = z.union(
  [
    percentage("Each packet is lost with this probability, independently.").transform((probability): LossShape => ({
      kind: "bernoulli",
      probability,
    })),
    z
      .strictObject({
        gilbertElliott: z
          .strictObject({
            goodToBad: percentage("Probability a packet to go from the good state to the bad."),
            badToGood: percentage("Probability a packet to go from the bad state to the good."),
            lossGood: percentage("Loss in the good state.").default(0),
            lossBad: percentage("Loss in the bad state.").default(1),
          })
          .describe("Loss in bursts: a chain of two states, one step a packet (Gilbert 1960, Elliott 1963)."),
      })
      .transform(({ gilbertElliott: chain }): LossShape => ({
        kind: "gilbert-elliott",
        pGoodToBad: chain.goodToBad,
        pBadToGood: chain.badToGood,
        lossGood: chain.lossGood,
        lossBad: chain.lossBad,
      })),
    z
      .strictObject({
        packets: z
          .array(whole("Number of a packet, the first is 1.", 1, 1e9))
          .describe("These packets are lost, counted in the order in which they come to the link in this direction."),
      })
      .transform(({ packets }): LossShape => ({ kind: "listed", packets })),
  ],
  {
    error: ({ input }) => describeQuantityMismatch([percentQuantity], input),
  },
);

const codelDefaults = { target: 5_000, interval: 100_000 };

const codel = z
  .strictObject({
    target: positiveDuration("How long packets may wait.").default(codelDefaults.target),
    interval: positiveDuration("For how long they may wait longer.").default(codelDefaults.interval),
  })
  .describe("Controlled delay (RFC 8289).");

const red = z
  .strictObject({
    least: size("Average length below which nothing is dropped."),
    most: size("Average length from which on everything is."),
    probability: percentage("Share that is dropped just below it.").default(0.1),
    weight: percentage("Of the present length in the average.").default(0.002),
  })
  .refine(({ least, most }) => most > least, {
    path: ["most"],
    error: expected("a length above least", "the usual is three times as much"),
  })
  .describe("Random early detection (Floyd and Jacobson, 1993).");

const aqm = z.union(
  [
    z
      .string()
      .regex(/^codel$/, { error: expected("codel, or a mapping with codel or red", "as in codel") })
      .transform((): QueueManagementShape => ({
        kind: "codel",
        targetMicroseconds: codelDefaults.target,
        intervalMicroseconds: codelDefaults.interval,
      })),
    z
      .strictObject({ codel: z.exactOptional(codel), red: z.exactOptional(red) })
      .refine((value) => Object.keys(value).length === 1, {
        error: expected("either codel or red", "as in aqm: { red: { least: 30kB, most: 90kB } }"),
      })
      .transform(({ codel: delay, red: detection }): QueueManagementShape =>
        detection === undefined
          ? {
              kind: "codel",
              targetMicroseconds: delay?.target ?? codelDefaults.target,
              intervalMicroseconds: delay?.interval ?? codelDefaults.interval,
            }
          : {
              kind: "red",
              leastBytes: detection.least,
              mostBytes: detection.most,
              probability: detection.probability,
              weight: detection.weight,
            },
      ),
  ],
  { error: expected("codel, or a mapping with codel or red", "as in codel or { red: { least: 30kB, most: 90kB } }") },
);

const traceForms = expected("a path or a mapping with generate", "as in lte.trace or { generate: lte-driving }");

const trace = z.union(
  [
    text("A file in Mahimahi's format, relative to this one.").transform((file): TraceShape => ({ file })),
    z
      .strictObject({
        generate: z.enum(linkCalibrationNames).describe("What real link it shall be like."),
        duration: positiveDuration("Length of a round, after which it begins again.")
          .refine((microseconds) => microseconds >= 1e6 && microseconds <= 900e6, {
            error: expected("a length from 1s to 15min", "as in 60s"),
          })
          .default(60e6),
        seed: z.exactOptional(whole("Of its random numbers; left out: that of the run.", 0, 0xffff_ffff)),
      })
      .transform(({ generate, duration: durationMicroseconds, seed }): TraceShape => ({
        generate,
        durationMicroseconds,
        ...(seed !== undefined && { seed }),
      })),
  ],
  { error: traceForms },
);

const directionKeys = {
  rate: z.exactOptional(rate("Bits of Ethernet frame a second.")),
  trace: z.exactOptional(trace.describe("Instead of a rate: when a full frame may leave, of a file or generated.")),
  delay: z.exactOptional(duration("Propagation delay, one way.")),
  buffer: z.exactOptional(buffer("What may wait for the rate: a time of the rate, a size or a number of packets.")),
  aqm: z.exactOptional(aqm.describe("What drops before the buffer is full: codel or red.")),
  jitter: z.exactOptional(jitter.describe("Variation of the delay.")),
  loss: z.exactOptional(loss.describe("Packets lost at random.")),
};

const direction = z.strictObject(directionKeys);

/** Keys that shape a link; objects of the file format spread them among their own. */
export const shapeKeys = {
  ...directionKeys,
  rtt: z.exactOptional(duration("Delay of both directions together, half of it each way; instead of delay.")),
  up: z.exactOptional(direction.describe("From the link's first end to its second.")),
  down: z.exactOptional(direction.describe("From the link's second end to its first.")),
};

type DirectionInput = z.output<typeof direction>;
export type ShapeInput = DirectionInput & {
  readonly rtt?: number;
  readonly up?: DirectionInput;
  readonly down?: DirectionInput;
};

/** Refuses what contradicts itself in one and the same place. */
export function checkShape(value: ShapeInput, context: z.RefinementCtx): void {
  const delayed =
    value.delay !== undefined
      ? ["delay"]
      : value.up?.delay !== undefined
        ? ["up", "delay"]
        : value.down?.delay !== undefined
          ? ["down", "delay"]
          : undefined;
  for (const side of [value, value.up ?? {}, value.down ?? {}]) {
    if (side.rate === undefined || side.trace === undefined) continue;
    context.addIssue({
      code: "custom",
      path: ["trace"],
      message: expected("either rate or trace", "a trace says what may leave when; keep one of the two"),
    });
  }
  if (value.rtt !== undefined && delayed) {
    context.addIssue({
      code: "custom",
      path: ["rtt"],
      message: expected(
        `either rtt or ${delayed.join(".")}`,
        "rtt is the delay of both directions together; keep one of the two",
      ),
    });
  }
}

export function toShape(value: ShapeInput): LinkShape {
  const upDelay = value.rtt === undefined ? {} : { delay: Math.floor(value.rtt / 2) };
  const downDelay = value.rtt === undefined ? {} : { delay: Math.ceil(value.rtt / 2) };
  return {
    up: toDirection({ ...pick(value), ...upDelay, ...value.up }),
    down: toDirection({ ...pick(value), ...downDelay, ...value.down }),
  };
}

const pick = ({
  rate,
  trace,
  delay,
  buffer,
  aqm: management,
  jitter,
  loss,
}: DirectionInput): { [Key in keyof DirectionInput]?: DirectionInput[Key] | undefined } => ({
  rate,
  trace,
  delay,
  buffer,
  aqm: management,
  jitter,
  loss,
});

function toDirection(value: { [Key in keyof DirectionInput]?: DirectionInput[Key] | undefined }): DirectionShape {
  return {
    ...(value.rate !== undefined && { rateBitsPerSecond: value.rate }),
    ...(value.trace !== undefined && { trace: value.trace }),
    ...(value.delay !== undefined && { delayMicroseconds: value.delay }),
    ...(value.buffer && { buffer: value.buffer }),
    ...(value.aqm && { queueManagement: value.aqm }),
    ...(value.jitter && { jitter: value.jitter }),
    ...(value.loss && { loss: value.loss }),
  };
}

const profile = z
  .strictObject({
    description: z.exactOptional(text("What link this stands for.")),
    source: text("Where the values are from."),
    ...shapeKeys,
  })
  .superRefine(checkShape)
  .transform(({ description, source, ...shape }): LinkProfile => ({
    ...(description !== undefined && { description }),
    source,
    shape: toShape(shape),
  }));

export const profiles = z
  .record(entityName, profile)
  .describe("Link profiles by name; a link names one as its profile.");

/** `topologies/profiles.yaml`. */
export const profilesFileSchema = z
  .strictObject({
    version: formatVersion,
    profiles,
  })
  .meta({ title: "pathlab link profiles", description: "Named sets of link parameters, each with its source." });
