import type { PlannedNode } from "./plan.ts";

/** A node as it is in virtual time: no kernel has settings or addresses there, and no device cuts segments. */
export function simulatedNode(node: PlannedNode): PlannedNode {
  return {
    ...node,
    interfaces: node.interfaces.map((planned) => ({ ...planned, offload: false, kernelAddress: false })),
    sysctls: {},
    reason:
      node.kind === "host"
        ? `${node.endpoint!.kind} endpoint: our stack in virtual time`
        : `forwards by the longest prefix, in no time${balancing(node)}`,
  };
}

function balancing({ flowHashSeed, balancesPackets }: PlannedNode): string {
  if (balancesPackets) return "; packets over next hops of equal cost in turn";
  return flowHashSeed === undefined ? "" : "; flows over next hops of equal cost by a seeded hash of their 5-tuple";
}
