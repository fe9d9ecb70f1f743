import type { RandomStream } from "../../path/random.ts";

/** To whom each host sends: one other, so that none receives twice (Al-Fares et al., NSDI 2010). Any of these permutations is as likely as any other. */
export function permutation(hosts: readonly string[], random: RandomStream): { from: string; to: string }[] {
  for (;;) {
    const targets = shuffled(hosts, random);
    // Some 37 % of all permutations leave nobody where he was, however many hosts there are.
    if (targets.every((to, index) => to !== hosts[index]))
      return targets.map((to, index) => ({ from: hosts[index]!, to }));
  }
}

/** Fisher and Yates. */
export function shuffled<Item>(items: readonly Item[], random: RandomStream): Item[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random.uniform() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
