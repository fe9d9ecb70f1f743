/** Each host of a permutation sends for a while, is silent for a while, and so on: times are exponential, each burst is a connection of its own. */
import type { OnOffTraffic } from "../../model/traffic.ts";
import type { RandomStream } from "../../path/random.ts";
import { drawInterval, type Flow } from "./flow.ts";

/** Shorter bursts than this are no transfer. */
const leastBurstMicroseconds = 1000;

/** @param streamOf one for each host: its bursts do not depend on those of others */
export function onOff(
  { onMicroseconds, offMicroseconds, startMicroseconds, durationMicroseconds }: OnOffTraffic,
  pairs: readonly { readonly from: string; readonly to: string }[],
  streamOf: (host: string) => RandomStream,
): Flow[] {
  const end = startMicroseconds + durationMicroseconds;
  return pairs.flatMap(({ from, to }) => {
    const random = streamOf(from);
    const flows: Flow[] = [];
    let at = startMicroseconds + drawInterval(offMicroseconds, random);
    while (at < end) {
      const burst = Math.max(leastBurstMicroseconds, Math.min(drawInterval(onMicroseconds, random), end - at));
      flows.push({ from, to, startMicroseconds: Math.floor(at), durationMicroseconds: Math.ceil(burst) });
      at += burst + drawInterval(offMicroseconds, random);
    }
    return flows;
  });
}
