/** A share of the hosts sends, each to one other that is drawn for it; receivers may be drawn twice (SIGCOMM 2011, §4.2.2 of the paper on MPTCP in data centres). */
import type { RandomStream } from "../../path/random.ts";

/** @param streamOf one for each host: who else sends does not change to whom */
export function sparse(
  hosts: readonly string[],
  share: number,
  streamOf: (host: string) => RandomStream,
): { from: string; to: string }[] {
  return hosts.flatMap((from, index) => {
    const random = streamOf(from);
    if (random.uniform() >= share) return [];
    const other = Math.floor(random.uniform() * (hosts.length - 1));
    return [{ from, to: hosts[other < index ? other : other + 1]! }];
  });
}
