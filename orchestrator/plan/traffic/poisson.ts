/** From each host flows to others that are drawn, at times of a Poisson process, with sizes of a distribution. */
import type { PoissonTraffic } from "../../model/traffic.ts";
import type { RandomStream } from "../../path/random.ts";
import { drawInterval, drawSize, type Flow } from "./flow.ts";

/** @param streamOf one for each host: its flows do not depend on those of others */
export function poisson(
  { flowsPerSecond, sizes, startMicroseconds, durationMicroseconds }: PoissonTraffic,
  hosts: readonly string[],
  streamOf: (host: string) => RandomStream,
): Flow[] {
  const mean = (1e6 * hosts.length) / flowsPerSecond;
  const end = startMicroseconds + durationMicroseconds;
  return hosts.flatMap((from, index) => {
    const random = streamOf(from);
    const flows: Flow[] = [];
    for (let at = startMicroseconds + drawInterval(mean, random); at < end; at += drawInterval(mean, random)) {
      const other = Math.floor(random.uniform() * (hosts.length - 1));
      const to = hosts[other < index ? other : other + 1]!;
      flows.push({ from, to, startMicroseconds: Math.floor(at), sizeBytes: drawSize(sizes, random) });
    }
    return flows;
  });
}
