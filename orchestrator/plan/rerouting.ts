/** What a failure that routers notice changes: which links are out at a time, and which routers have other routes then. */
import type { LinkFault, NodeFault, Fault } from "../model/experiment.ts";
import type { NextLink } from "../model/generate/bcube-paths.ts";
import { familyOfText } from "../model/ip-address.ts";
import type { Topology } from "../model/topology.ts";
import type { AddressedLink } from "./addressing.ts";
import { FailedLinks } from "./failed-links.ts";
import type { PlannedFault, PlannedRoute } from "./plan.ts";
import { NetworkRouting } from "./network-routing.ts";

/** A node that fails is all of its links that fail. */
export function linkFaults(faults: readonly Fault[], { links }: Topology): LinkFault[] {
  return faults.flatMap((fault) => {
    if (!isNodeFault(fault)) return [fault];
    const { node, ...rest } = fault;
    const own = Object.entries(links).filter(([, { ends }]) => ends.some((end) => end.node === node));
    return own.map(([link]): LinkFault => ({ ...rest, link, node }));
  });
}

const isNodeFault = (fault: Fault): fault is NodeFault => !("link" in fault);

/** For each fault with a delay of rerouting: the routes that change then, of routers that have any. In the order of their times. */
export function planRerouting(
  faults: readonly LinkFault[],
  addressed: readonly AddressedLink[],
  routers: readonly string[],
  nextLink?: NextLink,
): PlannedFault[] {
  if (faults.every(({ rerouteMicroseconds }) => rerouteMicroseconds === undefined)) return [];
  const planned: PlannedFault[] = [];
  const before = new Map<string, readonly PlannedRoute[]>();
  const initial = new NetworkRouting(addressed, { ...(nextLink && { nextLink }) });
  for (const router of routers) before.set(router, initial.routesOf(router));
  // Links that fail at one time, as those of a node, are routed around at one time.
  const moments = Map.groupBy(
    faults.filter(({ rerouteMicroseconds }) => rerouteMicroseconds !== undefined),
    ({ atMicroseconds, rerouteMicroseconds }) => atMicroseconds + rerouteMicroseconds!,
  );
  for (const [atMicroseconds, causes] of [...moments].sort(([a], [b]) => a - b)) {
    const failed = failedLinks(faults, atMicroseconds);
    const routing = new NetworkRouting(addressed, { failed, ...(nextLink && { nextLink }) });
    const routes = routers.flatMap((node) => {
      const now = routing.routesOf(node);
      const gone = before
        .get(node)!
        .filter((route) => now.every((other) => wholeDestination(other) !== wholeDestination(route)));
      const isSame = JSON.stringify(now) === JSON.stringify(before.get(node));
      before.set(node, now);
      return isSame ? [] : [{ node, routes: now, gone: gone.map(wholeDestination) }];
    });
    const [cause] = causes;
    planned.push({
      atMicroseconds,
      link: cause!.link,
      action: "reroute",
      routes,
      reason: `routers have noticed that ${describeCauses(causes)}; ${routes.length} of ${routers.length} have other routes`,
    });
  }
  return planned;
}

function describeCauses(causes: readonly LinkFault[]): string {
  const namesOf = (action: LinkFault["action"]): string =>
    [...new Set(causes.filter((cause) => cause.action === action).map(({ node, link }) => node ?? link))].join(", ");
  const [failed, back] = [namesOf("blackhole"), namesOf("restore")];
  return [failed && `${failed} failed`, back && `${back} is back`].filter(Boolean).join(", ");
}

/** `default` says of no family which it is of. */
function wholeDestination({ destination, via = "" }: PlannedRoute): string {
  if (destination !== "default") return destination;
  return familyOfText(via) === "ipv6" ? "::/0" : "0.0.0.0/0";
}

/** Links that have failed, and whose failure routers have had time to notice, at a time; a return is not known before its own delay either. */
function failedLinks(faults: readonly LinkFault[], time: number): Set<string> {
  const failed = new FailedLinks();
  const known = faults
    .filter(
      ({ atMicroseconds, rerouteMicroseconds }) =>
        rerouteMicroseconds !== undefined && atMicroseconds + rerouteMicroseconds <= time,
    )
    .sort((a, b) => a.atMicroseconds - b.atMicroseconds);
  for (const fault of known) failed.apply(fault);
  return failed.links;
}
