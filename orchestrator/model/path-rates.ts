/** What the links at two hosts let through together: an upper bound, not a promise. */
import type { Topology } from "./topology.ts";

/** Bits of Ethernet frame a second from one host to another: Infinity where neither end is limited. */
export function boundOnRate(from: string, to: string, topology: Topology): number {
  return Math.min(rateAt(from, "leaving", topology), rateAt(to, "arriving", topology));
}

/** Sum of the rates of a host's links in one direction. */
function rateAt(host: string, way: "leaving" | "arriving", { links }: Topology): number {
  let sum = 0;
  for (const { ends, shape } of Object.values(links)) {
    for (const [side, end] of ends.entries()) {
      if (end.node !== host) continue;
      const direction = (side === 0) === (way === "leaving") ? "up" : "down";
      sum += shape?.[direction].rateBitsPerSecond ?? Infinity;
    }
  }
  return sum;
}
