/** An experiment and its topology as plain data, as their files spell them: what a reduction takes keys out of, and what can be written and run again. */
import { stringify } from "yaml";

export type Mapping = { [key: string]: unknown };

export interface Case {
  readonly experiment: Mapping;
  readonly topology: Mapping;
}

/** Of a value that is a mapping or is not there. */
export function mappingAt(parent: Mapping, key: string): Mapping {
  return (parent[key] ?? {}) as Mapping;
}

export function listAt(parent: Mapping, key: string): readonly Mapping[] {
  return (parent[key] ?? []) as Mapping[];
}

/** A copy with another value for a key; an empty mapping or list, and undefined, take the key away. */
export function withKey(parent: Mapping, key: string, value: unknown): Mapping {
  const { [key]: _, ...rest } = parent;
  const isEmpty = value === undefined || (typeof value === "object" && Object.keys(value as object).length === 0);
  if (isEmpty) return rest;
  // In its old place, so that the order of links stays what it was.
  return key in parent ? { ...parent, [key]: value } : { ...rest, [key]: value };
}

export function pick(mapping: Mapping, keep: (key: string) => boolean): Mapping {
  return Object.fromEntries(Object.entries(mapping).filter(([key]) => keep(key)));
}

/** What happens to the network: faults, and losses of packets. Without them a case that fails by them passes. */
export function withoutTrouble({ experiment, topology }: Case): Case {
  const links = Object.entries(mappingAt(topology, "links")).map(([name, link]): [string, Mapping] => {
    const shape = link as Mapping;
    const directions = ["up", "down"].map((side) => [side, { ...mappingAt(shape, side), loss: "0%" }] as const);
    return [name, { ...withKey(shape, "loss", undefined), ...Object.fromEntries(directions) }];
  });
  return {
    experiment: withKey(experiment, "faults", undefined),
    topology: { ...topology, links: Object.fromEntries(links) },
  };
}

/** @param comment its lines stand at the top, before the key that editors look for */
export function printCase(
  { experiment, topology }: Case,
  topologyFile: string,
  comment: readonly string[] = [],
): { readonly experiment: string; readonly topology: string } {
  const head = comment.map((line) => `# ${line}\n`).join("");
  return {
    experiment: head + stringify({ ...experiment, topology: topologyFile }, { lineWidth: 0 }),
    topology: stringify(topology, { lineWidth: 0, aliasDuplicateObjects: false }),
  };
}
