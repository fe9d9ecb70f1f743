import type { LinkFault } from "../model/experiment.ts";

/** Which links are dead, each by its own failure, by that of the node at either end, or by several at once: it is back when the last of them is over. */
export class FailedLinks {
  readonly #causes = new Map<string, Set<string | undefined>>();

  /** Whether the link dies or comes back by it. */
  apply({ link, node, action }: Pick<LinkFault, "link" | "node" | "action">): boolean {
    const causes = this.#causes.get(link) ?? new Set();
    const wasDead = causes.size > 0;
    if (action === "blackhole") this.#causes.set(link, causes.add(node));
    if (action === "restore") causes.delete(node);
    return wasDead !== causes.size > 0;
  }

  get links(): Set<string> {
    return new Set([...this.#causes].filter(([, causes]) => causes.size > 0).map(([link]) => link));
  }
}
