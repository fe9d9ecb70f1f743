/** Paths on which nothing takes time. On a machine its processors are the limit; in virtual time a transfer over such a path would never come to an end. */
import type { Topology, TopologyLink } from "../model/topology.ts";

/** Whether two hosts are joined by links (and routers) none of which has a rate or a delay. */
export function joinedWithoutTime(one: string, other: string, topology: Topology): boolean {
  const timeless = Object.values(topology.links).filter((link) => !takesTime(link));
  const reached = new Set([one]);
  const frontier = [one];
  for (let node = frontier.pop(); node !== undefined; node = frontier.pop()) {
    for (const { ends } of timeless) {
      const side = ends.findIndex((end) => end.node === node);
      if (side < 0) continue;
      const peer = ends[side === 0 ? 1 : 0].node;
      if (peer === other) return true;
      if (reached.has(peer) || !Object.hasOwn(topology.routers, peer)) continue;
      reached.add(peer);
      frontier.push(peer);
    }
  }
  return false;
}

function takesTime({ shape }: TopologyLink): boolean {
  if (shape === undefined) return false;
  return [shape.up, shape.down].some(
    ({ rateBitsPerSecond, delayMicroseconds = 0 }) => rateBitsPerSecond !== undefined || delayMicroseconds > 0,
  );
}
