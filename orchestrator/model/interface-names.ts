/** Names of interfaces that a topology leaves open: `eth0`, `eth1` … of each node, in the order of the links, past those that it gives itself. */
import type { TopologyLinkEnd } from "./topology.ts";

type Ends = Readonly<Record<string, { readonly ends: readonly [TopologyLinkEnd, TopologyLinkEnd] }>>;

/** For each link the names of its two ends. */
export function interfaceNames(links: Ends): ReadonlyMap<string, readonly [string, string]> {
  const taken = new Map<string, Set<string>>();
  const namesOf = (node: string): Set<string> => {
    const names = taken.get(node) ?? new Set<string>();
    taken.set(node, names);
    return names;
  };
  for (const { ends } of Object.values(links)) {
    for (const end of ends) if (end.interface !== undefined) namesOf(end.node).add(end.interface);
  }
  const nameOf = (end: TopologyLinkEnd): string => {
    if (end.interface !== undefined) return end.interface;
    const names = namesOf(end.node);
    let index = 0;
    while (names.has(`eth${index}`)) index++;
    names.add(`eth${index}`);
    return `eth${index}`;
  };
  return new Map(Object.entries(links).map(([link, { ends }]) => [link, [nameOf(ends[0]), nameOf(ends[1])] as const]));
}

/** A node's interfaces in the order of the links. */
export function interfacesOf(node: string, links: Ends): string[] {
  const names = interfaceNames(links);
  return Object.entries(links).flatMap(([link, { ends }]) =>
    ends.flatMap((end, side) => (end.node === node ? [names.get(link)![side]!] : [])),
  );
}
