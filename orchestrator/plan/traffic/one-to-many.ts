/** One host sends to each of the others, or to `count` of them that are drawn. */
import type { RandomStream } from "../../path/random.ts";
import { shuffled } from "./permutation.ts";

export function oneToMany(
  from: string,
  hosts: readonly string[],
  count: number | undefined,
  random: RandomStream,
): { from: string; to: string }[] {
  const others = hosts.filter((host) => host !== from);
  const chosen = count === undefined ? others : shuffled(others, random).slice(0, count);
  return chosen.map((to) => ({ from, to }));
}
