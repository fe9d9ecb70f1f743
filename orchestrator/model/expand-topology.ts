/** A topology file with what it has generated and with its switches among the nodes that forward. */
import { generateTopology } from "./generate/generators.ts";
import type { BCubeSize } from "./generate/bcube-paths.ts";
import { unshaped } from "./link-profile.ts";
import type { WrittenLink, WrittenTopology } from "./topology-schema.ts";
import type { RouterNode, Topology } from "./topology.ts";
import type { Complaint } from "./yaml-source.ts";

export type ExpandedTopology = Omit<WrittenTopology, "generate" | "switches" | "routers"> & {
  readonly routers: Readonly<Record<string, RouterNode>>;
  readonly disjointPaths?: BCubeSize;
};

export interface Expansion {
  readonly topology: ExpandedTopology;
  readonly complaints: readonly Complaint[];
}

/** Generated nodes and links come first, so that what a file adds leaves their addresses as they were. */
export function expandTopology({ generate, switches, ...written }: WrittenTopology): Expansion {
  const complaints: Complaint[] = [];
  const generated = generate && generateTopology(generate);
  const own = { hosts: written.hosts, routers: written.routers, switches, links: written.links };
  const taken = new Map<string, string>();
  for (const kind of ["hosts", "routers", "switches"] as const)
    for (const name of generated?.[kind] ?? []) taken.set(name, "generate makes a node of this name; rename this one");
  for (const [kind, word] of [
    ["hosts", "host"],
    ["routers", "router"],
    ["switches", "switch"],
  ] as const) {
    for (const name of Object.keys(own[kind])) {
      const other = taken.get(name);
      taken.set(name, `there is a ${word} of this name; rename one of the two`);
      if (other === undefined) continue;
      complaints.push({
        path: [kind, name],
        at: "key",
        found: `the name ${name} again`,
        expected: "each name once",
        hint: other,
      });
    }
  }
  for (const name of Object.keys(written.links)) {
    if (generated === undefined || !Object.hasOwn(generated.links, name)) continue;
    complaints.push({
      path: ["links", name],
      at: "key",
      found: `the name ${name} again`,
      expected: "each name once",
      hint: "generate makes a link of this name; rename this one, or change the other by a fault at 0s",
    });
  }
  const links: Record<string, WrittenLink> = {};
  for (const [name, { ends, shape }] of Object.entries(generated?.links ?? {})) {
    links[name] = { ends: [{ node: ends[0] }, { node: ends[1] }], shape: shape ?? unshaped };
  }
  return {
    topology: {
      ...written,
      hosts: { ...named(generated?.hosts ?? [], {}), ...written.hosts },
      routers: {
        ...named(generated?.routers ?? [], {}),
        ...written.routers,
        ...named(generated?.switches ?? [], { kind: "switch" as const }),
        ...asSwitches(switches),
      },
      links: { ...links, ...written.links },
      ...(generated?.disjointPaths && { disjointPaths: generated.disjointPaths }),
    },
    complaints,
  };
}

function named<Node>(names: readonly string[], node: Node): Record<string, Node> {
  return Object.fromEntries(names.map((name) => [name, node]));
}

function asSwitches(switches: WrittenTopology["switches"]): Topology["routers"] {
  return Object.fromEntries(
    Object.entries(switches).map(([name, node]) => [name, { ...node, kind: "switch" as const }]),
  );
}
