/** What flows would get if links were shared by max-min fairness: progressive filling (Bertsekas and Gallager, Data Networks, §6.5.2). */

/** A flow with several paths is the sum of its subflows, each of which takes its own share; `capacity` is that of every link in every direction. */
export function maxMinShares(flows: readonly (readonly (readonly string[])[])[], capacity: number): number[] {
  const subflows = flows.flatMap((paths, flow) => paths.map((links) => ({ flow, links, share: 0, isFrozen: false })));
  const left = new Map(subflows.flatMap(({ links }) => links.map((link) => [link, capacity] as const)));
  while (subflows.some(({ isFrozen }) => !isFrozen)) {
    const users = new Map<string, number>();
    for (const { links, isFrozen } of subflows)
      if (!isFrozen) for (const link of links) users.set(link, (users.get(link) ?? 0) + 1);
    const step = Math.min(...[...users].map(([link, count]) => left.get(link)! / count));
    for (const subflow of subflows) if (!subflow.isFrozen) subflow.share += step;
    for (const [link, count] of users) left.set(link, left.get(link)! - step * count);
    const full = new Set([...users.keys()].filter((link) => left.get(link)! < 1e-9 * capacity));
    for (const subflow of subflows) if (subflow.links.some((link) => full.has(link))) subflow.isFrozen = true;
  }
  return flows.map((_, flow) =>
    subflows.reduce((sum, subflow) => sum + (subflow.flow === flow ? subflow.share : 0), 0),
  );
}
