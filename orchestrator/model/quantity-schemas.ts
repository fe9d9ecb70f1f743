/** zod schemas of quantities and names: a text in the file, a number in base units once checked. */
import * as z from "zod";
import { formatFound } from "./diagnostics.ts";
import { expected } from "./schema-diagnostics.ts";
import {
  describeQuantityMismatch,
  durationQuantity,
  packetsQuantity,
  parseQuantity,
  percentQuantity,
  quantityPattern,
  rateQuantity,
  sizeQuantity,
} from "./units.ts";
import type { Quantity } from "./units.ts";

interface Limits {
  readonly min?: number;
  readonly max?: number;
  /** Says the limits in words: `a rate above 0`. */
  readonly limits: string;
}

function quantitySchema(quantity: Quantity, description: string, limits?: Limits) {
  const mismatch = (issue: { input?: unknown }): string => describeQuantityMismatch([quantity], issue.input);
  return z
    .string({ error: mismatch })
    .regex(quantityPattern(quantity), { error: mismatch })
    .transform((text, context) => {
      const value = parseQuantity(quantity, text);
      if (value === undefined)
        context.addIssue(expected(`${quantity.noun} that a computer can hold`, "write a smaller number"));
      else if (limits && (value < (limits.min ?? 0) || value > (limits.max ?? Infinity)))
        context.addIssue(expected(limits.limits, `as in ${quantity.example}`));
      return value ?? 0;
    })
    .meta({ description, examples: [quantity.example] });
}

const aboveZero = (quantity: Quantity): Limits => ({ min: 1, limits: `${quantity.noun} above 0` });

export const rate = (description: string) =>
  quantitySchema(rateQuantity, description, { min: 1000, max: 100e9, limits: "a rate from 1kbit to 100gbit" });
export const duration = (description: string) => quantitySchema(durationQuantity, description);
export const positiveDuration = (description: string) =>
  quantitySchema(durationQuantity, description, aboveZero(durationQuantity));
export const size = (description: string) => quantitySchema(sizeQuantity, description, aboveZero(sizeQuantity));
export const percentage = (description: string) =>
  quantitySchema(percentQuantity, description, { max: 1, limits: "a percentage from 0% to 100%" });

/** A buffer: a time of the link's rate, a size, or a number of packets. */
export const buffer = (description: string) => {
  const quantities = [durationQuantity, sizeQuantity, packetsQuantity];
  const mismatch = (issue: { input?: unknown }): string => describeQuantityMismatch(quantities, issue.input);
  const pattern = new RegExp(quantities.map((quantity) => quantityPattern(quantity).source).join("|"));
  return z
    .string({ error: mismatch })
    .regex(pattern, { error: mismatch })
    .transform((text, context) => {
      const time = parseQuantity(durationQuantity, text);
      const bytes = parseQuantity(sizeQuantity, text);
      const packets = parseQuantity(packetsQuantity, text);
      if ((time ?? bytes ?? packets) === 0)
        context.addIssue(expected("a buffer above 0", "without any buffer nothing passes: write at least 1packet"));
      return time !== undefined
        ? { timeMicroseconds: time }
        : bytes !== undefined
          ? { bytes }
          : { packets: packets ?? 0 };
    })
    .meta({ description, examples: ["80ms", "80kB", "50packets"] });
};

/** Node, link, workload and profile names: they become parts of system names, and a name of digits alone would lose its place in the order of the file. */
export const entityName = z
  .string()
  .max(40, { error: expected("a name of at most 40 characters", "shorten it") })
  .regex(/^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/, {
    error: expected(
      "a name of small letters, digits and single hyphens, with at least one letter",
      "rename it, as in wifi-router",
    ),
  });

export const formatVersion = z
  .literal(1, {
    error: (issue) =>
      expected(
        "1",
        issue.input === undefined
          ? "every file says the version of its format: version: 1"
          : "this pathlab reads files of version 1 only",
      ),
  })
  .describe("Version of the file format.");

/** A whole number within limits. */
export const whole = (description: string, min: number, max: number) =>
  z
    .number({
      error: (issue) =>
        expected(
          `a whole number from ${min} to ${max}`,
          typeof issue.input === "string" ? "write it without quotes and unit" : "as in " + min,
        ),
    })
    .refine((value) => Number.isInteger(value) && value >= min && value <= max, {
      error: (issue) => expected(`a whole number from ${min} to ${max}`, `${formatFound(issue.input)} is out of range`),
    })
    .meta({ description, type: "integer", minimum: min, maximum: max });

export const text = (description: string) =>
  z
    .string()
    .min(1, { error: expected("a text", "write it, or leave the key out") })
    .meta({ description });
