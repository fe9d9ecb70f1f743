/** Traces that topologies ask for by the name of a link that they shall be like. */
import { linkCalibration, type LinkCalibrationName } from "../model/link-calibrations.ts";
import type { DirectionShape, LinkShape } from "../model/link-profile.ts";
import { opportunityBytes } from "../path/delivery-trace.ts";
import { RandomStream } from "../path/random.ts";
import { generateTrace } from "../path/varying-link.ts";
import { derivedSeed } from "./derived-seed.ts";

export type TraceSide = "up" | "down";

/** Both sides of one seed lose coverage at the same times, where their calibration has the same gaps; their rates have nothing to do with each other. */
export function drawTrace(
  name: LinkCalibrationName,
  durationMicroseconds: number,
  seed: number,
  side: TraceSide,
): number[] {
  const stream = (...purpose: string[]) => new RandomStream(derivedSeed(seed, "trace", ...purpose));
  return generateTrace(linkCalibration(name), durationMicroseconds, stream("gaps"), stream("rates", side));
}

/** Draws what a shape asks for; a trace that it holds already stays. One that has a seed of its own is the same whatever the run and the link's name. */
export function drawTraces(link: string, shape: LinkShape, seed: number): LinkShape {
  const draw = (direction: DirectionShape, side: TraceSide): DirectionShape => {
    const { trace } = direction;
    if (trace === undefined || !("generate" in trace) || trace.opportunitiesMilliseconds !== undefined)
      return direction;
    const opportunitiesMilliseconds = drawTrace(
      trace.generate,
      trace.durationMicroseconds,
      trace.seed ?? derivedSeed(seed, "link", link),
      side,
    );
    const bits = opportunitiesMilliseconds.length * opportunityBytes * 8;
    const rateBitsPerSecond = Math.round((bits * 1000) / opportunitiesMilliseconds.at(-1)!);
    return { ...direction, rateBitsPerSecond, trace: { ...trace, opportunitiesMilliseconds } };
  };
  return { up: draw(shape.up, "up"), down: draw(shape.down, "down") };
}
