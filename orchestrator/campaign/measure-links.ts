/** Measures every shaped link of a lab before the run, so that nobody has to believe a configuration (architecture.md, decision 5). */
import type { MeasureConfig, MeasureLine } from "../path/measure/main.ts";
import type { DirectionMeasurement } from "../path/measure/measurement.ts";
import type { PlannedLink, PlannedLinkEnd } from "../plan/plan.ts";
import { programFile } from "../substrate/prerequisites/programs.ts";
import type { Lab } from "../substrate/substrate.ts";
import { LineClient } from "./line-client.ts";

/** A link takes about two seconds, three times that where it has to be measured again, and many are measured at once. */
function limitSeconds(links: number): number {
  return 60 + 10 * links;
}

/** In the order of the plan. Rejects with `LineProcessError`, or with the signal's reason. */
export async function measureLinks(lab: Lab, signal: AbortSignal): Promise<DirectionMeasurement[]> {
  const links = lab.plan.links.filter(({ measured }) => measured);
  if (links.length === 0) return [];
  const process_ = await lab.spawnBeside({ name: "measure", argv: [process.execPath, programFile("measure")] });
  const client = new LineClient<MeasureLine>(process_);
  const measurements: DirectionMeasurement[] = [];
  client.onLine((line) => {
    if (line.type !== "measurement") return;
    const { type: _, ...measurement } = line;
    measurements.push(measurement);
  });
  const end = ({ node, interface: interfaceName }: PlannedLinkEnd) => ({
    namespacePath: lab.networkNamespace(node),
    interfaceName,
  });
  const config: MeasureConfig = {
    links: links.map(({ name, ends, forward, backward }) => ({
      name,
      ends: [end(ends[0]), end(ends[1])],
      forward,
      backward,
    })),
  };
  client.say(config);
  const limit = new AbortController();
  const seconds = limitSeconds(links.length);
  const timer = setTimeout(
    () => limit.abort(new Error(`the links were not measured within ${seconds} s: the machine is too busy, or hangs`)),
    seconds * 1000,
  );
  try {
    await client.next("done", AbortSignal.any([signal, limit.signal]));
  } finally {
    clearTimeout(timer);
  }
  await client.finish();
  return links.flatMap((link) => inOrder(link, measurements));
}

function inOrder({ name }: PlannedLink, measurements: readonly DirectionMeasurement[]): DirectionMeasurement[] {
  return (["forward", "backward"] as const).flatMap((direction) =>
    measurements.filter((measurement) => measurement.link === name && measurement.direction === direction),
  );
}
