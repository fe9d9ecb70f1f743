import { addressesOf, type Plan } from "../plan/plan.ts";
import { parseSubflowId } from "../plan/subflow-id.ts";

interface Attachment {
  readonly link: string;
  /** The link's first end is the user's side. */
  readonly userSide: boolean;
  readonly interfacesOfHost: number;
}

/**
 * Names the user-side link that a subflow crosses, from its id `10.0.1.2:40000-10.0.9.2:5001`: of its two addresses the one at a link's first end,
 * or else that of the host with more interfaces, or else the local one. Undefined when neither address is a host's.
 */
export function subflowPaths(plan: Plan): (subflow: string) => string | undefined {
  const attachments = new Map<string, Attachment>();
  for (const node of plan.nodes) {
    if (node.kind !== "host") continue;
    for (const own of node.interfaces) {
      const { name, link } = own;
      const first = plan.links.find((candidate) => candidate.name === link)?.ends[0];
      const userSide = first?.node === node.name && first.interface === name;
      for (const { address } of addressesOf(own))
        attachments.set(address, { link, userSide, interfacesOfHost: node.interfaces.length });
    }
  }
  return (subflow) => {
    const ends = parseSubflowId(subflow);
    if (ends === undefined) return undefined;
    const [local, remote] = [ends.local, ends.remote].map(({ address }) => attachments.get(address));
    if (local === undefined || remote === undefined) return (local ?? remote)?.link;
    if (local.userSide !== remote.userSide) return (local.userSide ? local : remote).link;
    return (remote.interfacesOfHost > local.interfacesOfHost ? remote : local).link;
  };
}
