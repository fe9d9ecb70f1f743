/** What a generated network is like as a graph: distances and shortest paths between hosts, of which none forwards. */
import type { GeneratedTopology } from "./generated-topology.ts";

export interface ShortestPaths {
  /** Links on each. */
  readonly length: number;
  /** How many there are of that length; 0 where there is none. */
  readonly count: number;
}

export class Graph {
  readonly #neighbours = new Map<string, string[]>();
  readonly #hosts: ReadonlySet<string>;

  constructor({ hosts, links }: GeneratedTopology) {
    this.#hosts = new Set(hosts);
    for (const {
      ends: [a, b],
    } of Object.values(links)) {
      this.#neighbours.set(a, [...(this.#neighbours.get(a) ?? []), b]);
      this.#neighbours.set(b, [...(this.#neighbours.get(b) ?? []), a]);
    }
  }

  get nodes(): readonly string[] {
    return [...this.#neighbours.keys()];
  }

  degree(node: string): number {
    return this.#neighbours.get(node)?.length ?? 0;
  }

  /** From one node to all others. */
  pathsFrom(node: string): ReadonlyMap<string, ShortestPaths> {
    const paths = new Map([[node, { length: 0, count: 1 }]]);
    const frontier = [node];
    for (let at = 0; at < frontier.length; at++) {
      const here = frontier[at]!;
      if (here !== node && this.#hosts.has(here)) continue;
      const { length, count } = paths.get(here)!;
      for (const next of this.#neighbours.get(here) ?? []) {
        const known = paths.get(next);
        if (known === undefined) {
          paths.set(next, { length: length + 1, count });
          frontier.push(next);
        } else if (known.length === length + 1) known.count += count;
      }
    }
    return paths;
  }

  /** The longest of the shortest paths between hosts. */
  diameter(): number {
    const hosts = [...this.#hosts];
    return Math.max(
      ...hosts.map((host) => {
        const paths = this.pathsFrom(host);
        return Math.max(...hosts.map((other) => paths.get(other)?.length ?? Infinity));
      }),
    );
  }
}
