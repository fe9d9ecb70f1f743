/** Nodes as network namespaces: a host shares the machine's files and processes, and has a network of its own. */
import type { Journal } from "../../journal/journal.ts";
import type { Plan, PlannedNode } from "../../plan/plan.ts";
import type { Lab, LabObserver, Substrate } from "../substrate.ts";
import type { LabCommand, LabProcess } from "../../workload/lab-process.ts";
import { type NodeHosting, createNamespaces, raiseLab } from "../linux/linux-lab.ts";
import { spawnInNamespace } from "../linux/marked-process.ts";

export const namespaces: Substrate = {
  name: "namespaces",
  up(plan: Plan, journal: Journal, observer: LabObserver, signal?: AbortSignal): Promise<Lab> {
    return raiseLab({ plan, journal, observer, hosting: new NamespaceHosting(journal) }, signal);
  },
};

class NamespaceHosting implements NodeHosting {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  async create(nodes: readonly PlannedNode[], signal: AbortSignal): Promise<void> {
    await createNamespaces(
      nodes.map(({ systemName }) => systemName),
      this.#journal,
      signal,
    );
  }

  networkNamespace(node: PlannedNode): string {
    return `/run/netns/${node.systemName}`;
  }

  spawn(node: PlannedNode, command: LabCommand, marks: Readonly<Record<string, string>>): Promise<LabProcess> {
    return spawnInNamespace(this.networkNamespace(node), command, marks);
  }
}
