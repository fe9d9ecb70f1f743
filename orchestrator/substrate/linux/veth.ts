/**
 * The veth pairs of a plan as lines for `ip -batch`. Both ends are made inside their namespaces at once, so no end is ever seen (or left behind) in the
 * machine's own.
 */
import type { Plan, PlannedInterface, PlannedLink, PlannedLinkEnd } from "../../plan/plan.ts";

interface VethEnd {
  readonly namespace: string;
  readonly name: string;
  readonly mtu: number;
  readonly mac?: string;
}

/** @param namespaceOf Path of a node's network namespace. @param middle Path of the namespace between the hosts. */
export function vethLines(plan: Plan, namespaceOf: (node: string) => string, middle: string): string[] {
  return plan.links.flatMap((link) =>
    vethPairs(plan, link, namespaceOf, middle).map(([one, other]) => vethLine(one, other)),
  );
}

function vethPairs(
  plan: Plan,
  link: PlannedLink,
  namespaceOf: (node: string) => string,
  middle: string,
): [VethEnd, VethEnd][] {
  const nodeEnd = (end: PlannedLinkEnd): VethEnd => {
    const { name, mac, mtu } = plannedInterface(plan, end);
    return { namespace: namespaceOf(end.node), name, mac, mtu };
  };
  if (link.realisation === "direct") return [[nodeEnd(link.ends[0]), nodeEnd(link.ends[1])]];
  return link.ends.map((end) => {
    if (end.emulatorInterface === undefined) {
      throw new Error(
        `the plan's link ${link.name} is ${link.realisation} but has no interface in the middle towards ${end.node}`,
      );
    }
    return [nodeEnd(end), { namespace: middle, name: end.emulatorInterface, mtu: plannedInterface(plan, end).mtu }];
  });
}

export function plannedInterface(
  plan: Plan,
  end: { readonly node: string; readonly interface: string },
): PlannedInterface {
  const found = plan.nodes.find(({ name }) => name === end.node)?.interfaces.find(({ name }) => name === end.interface);
  if (found === undefined) throw new Error(`the plan has no interface ${end.interface} of ${end.node}`);
  return found;
}

/** One queue each way: the order of packets is the order of their sending. */
function vethLine(one: VethEnd, other: VethEnd): string {
  return `link add ${vethEnd(one)} type veth peer ${vethEnd(other)}`;
}

function vethEnd({ namespace, name, mtu, mac }: VethEnd): string {
  return [
    `name ${name} netns ${namespace}`,
    ...(mac === undefined ? [] : [`address ${mac}`]),
    `mtu ${mtu} numtxqueues 1 numrxqueues 1`,
  ].join(" ");
}
