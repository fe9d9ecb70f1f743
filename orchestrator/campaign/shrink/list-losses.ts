/** Random losses of a run as the numbers of the packets that were lost: what a seed decided, written out, so that each can be left out by itself. */
import { LinkDirection } from "../../path/link-direction.ts";
import type { LinkDirectionConfig } from "../../path/link-direction.ts";
import type { LinkTotals } from "../../metrics/link-rates.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Mapping } from "./case.ts";
import { mapDirections } from "./reductions.ts";

/** Packets that may have come after the last sample; a number too many loses nothing. */
const afterLastSample = 1000;

/** @param loads what each direction of each link carried and lost in the run */
export function listLosses(topology: Mapping, plan: Plan, loads: readonly LinkTotals[]): Mapping {
  return mapDirections(topology, (name, side, shape) => {
    const direction = side === "up" ? "forward" : "backward";
    const config = plan.links.find((link) => link.name === name)?.[direction];
    if (config?.loss === undefined || config.loss.kind === "listed") return shape;
    const load = loads.find((candidate) => candidate.link === name && candidate.direction === direction);
    const { loss: _, ...rest } = shape;
    const seen = load === undefined ? 0 : load.packets + load.dropsQueue + load.dropsLoss;
    const packets = lostNumbers(config, seen + afterLastSample);
    return packets.length === 0 ? rest : { ...rest, loss: { packets } };
  });
}

/** The same element with the same seed, and nothing else: it decides by the order of packets alone. */
function lostNumbers({ loss, seed }: LinkDirectionConfig, count: number): number[] {
  const lost: number[] = [];
  const link = new LinkDirection<{ readonly bytes: number; readonly number: number }>(
    { ...(loss && { loss }), seed },
    () => undefined,
    ({ number }) => void lost.push(number),
  );
  for (let number = 1; number <= count; number++) link.push({ bytes: 0, number }, 0);
  return lost;
}
