import { Argument, InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { linkCalibrationNames, type LinkCalibrationName } from "../model/link-calibrations.ts";
import { formatTrace } from "../model/trace-file.ts";
import { durationQuantity, parseQuantity } from "../model/units.ts";
import { drawTrace, type TraceSide } from "../plan/generated-traces.ts";
import { parseSeed } from "./options.ts";

interface TraceCommandOptions {
  readonly duration: number;
  readonly seed: number;
  readonly side: TraceSide;
}

/** `pathlab trace NAME`: what a topology's `trace: { generate: NAME, … }` makes of a link, as a file. */
export function registerTraceCommand(program: Command): void {
  program
    .command("trace")
    .summary("print the trace of a varying link, in Mahimahi's format")
    .description(
      "Prints a generated trace in Mahimahi's format, as a topology's trace: { generate: NAME, duration, seed } has it.",
    )
    .addArgument(new Argument("<name>", "what real link it shall be like").choices(linkCalibrationNames))
    .option("--duration <time>", "length of a round", parseDuration, 60e6)
    .option("--seed <number>", "seed of its random numbers", parseSeed, 1)
    .addOption(
      new Option("--side <side>", "direction of the link that it is for").choices(["up", "down"]).default("down"),
    )
    .action((name: LinkCalibrationName, { duration, seed, side }: TraceCommandOptions) => {
      process.stdout.write(formatTrace(drawTrace(name, duration, seed, side)));
    });
}

function parseDuration(text: string): number {
  const microseconds = parseQuantity(durationQuantity, text);
  if (microseconds === undefined || microseconds < 1e6 || microseconds > 900e6)
    throw new InvalidArgumentError("A round is a time from 1s to 15min, as in 60s.");
  return microseconds;
}
