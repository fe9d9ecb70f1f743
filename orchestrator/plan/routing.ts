/** Routes of every node: routers know the shortest paths to each link's subnet, all that are equally short; hosts have a default route for each interface, and one table an interface where they have several. */
import { formatSubnet } from "../model/ip-address.ts";
import type { NextLink } from "../model/generate/bcube-paths.ts";
import type { AddressedEnd, AddressedLink } from "./addressing.ts";
import { mergeRoutes, type PrefixRoute } from "./merge-routes.ts";
import type { PlannedRoute, PlannedSourceRoute } from "./plan.ts";

/** Numbers below are reserved for nobody, 253 to 255 for the kernel (rtnetlink(7)). */
const firstSourceTable = 101;

/** Between the metrics of a host's default routes, as network managers have it. */
const metricStep = 100;

/**
 * In networks with more links routers get routes to the subnets of hosts alone, merged into few prefixes: one for each subnet, in each router, nobody could read any
 * more.
 */
const mostLinksOfPlainRoutes = 32;

/** A node's interface with what is at the other end of its link. */
interface Attachment {
  readonly own: AddressedEnd;
  readonly peer: AddressedEnd;
  readonly link: AddressedLink;
}

export interface RoutingOptions {
  /** Names of links that no route may use. */
  readonly failed?: ReadonlySet<string>;
  /** Where a network has paths of its own in the place of the shortest. */
  readonly nextLink?: NextLink;
}

const anyLink: NextLink = () => undefined;

export class Routing {
  readonly #links: readonly AddressedLink[];
  /** In the order of the links, which makes all choices between equal paths. */
  readonly #attachments = new Map<string, Attachment[]>();
  readonly #failed: ReadonlySet<string>;
  readonly #nextLink: NextLink;
  readonly #regions = new Map<string, ReadonlySet<string>>();
  readonly #distances = new Map<string, ReadonlyMap<string, number>>();

  constructor(links: readonly AddressedLink[], { failed = new Set(), nextLink = anyLink }: RoutingOptions = {}) {
    this.#links = links;
    this.#failed = failed;
    this.#nextLink = nextLink;
    for (const link of links) {
      const [a, b] = link.ends;
      for (const attachment of [
        { own: a, peer: b, link },
        { own: b, peer: a, link },
      ]) {
        const list = this.#attachments.get(attachment.own.node) ?? [];
        list.push(attachment);
        this.#attachments.set(attachment.own.node, list);
      }
    }
  }

  interfacesOf(node: string): readonly AddressedEnd[] {
    return this.#attached(node).map(({ own }) => own);
  }

  /** The router at the other end of a host's interface. */
  gatewayOf(end: AddressedEnd): string | undefined {
    if (end.kind !== "host") return undefined;
    const attachment = this.#attached(end.node).find(({ own }) => own === end);
    return attachment?.peer.kind === "router" ? attachment.peer.address : undefined;
  }

  /** Beside the connected subnets, whose routes come with the addresses. Of a host's default routes the kernel takes the next one when the interface of the first goes down. */
  routesOf(node: string): PlannedRoute[] {
    const attachments = this.#attached(node);
    if (attachments[0]?.own.kind !== "host") return this.#routesTo(node, this.#links);
    const ways = attachments.filter(({ peer }) => peer.kind === "router");
    if (ways.length === 0) return [];
    const behindDefault = this.linksBehind(ways[0]!.own);
    const rest = this.#links.filter((link) => !behindDefault.has(link.name));
    return [
      ...ways.map(({ own, peer }, index) => ({
        destination: "default",
        via: peer.address,
        interface: own.interface,
        ...(ways.length > 1 && { metric: (index + 1) * metricStep }),
      })),
      ...this.#routesTo(node, rest),
    ];
  }

  /** A packet leaves through the interface whose address it bears (linux-peer.md: the lack of this is why MPTCP uses one path only). */
  sourceRoutesOf(node: string): PlannedSourceRoute[] {
    const attachments = this.#attached(node);
    if (attachments.length < 2 || attachments[0]!.own.kind !== "host") return [];
    return attachments.map(({ own, peer, link }, index) => ({
      from: own.address,
      table: firstSourceTable + index,
      routes: [
        { destination: formatSubnet(link.subnet), interface: own.interface },
        ...(peer.kind === "router" ? [{ destination: "default", via: peer.address, interface: own.interface }] : []),
      ],
    }));
  }

  /** Names of the links that packets can cross which leave through this interface. */
  linksBehind(end: AddressedEnd): ReadonlySet<string> {
    const attachment = this.#attached(end.node).find(({ own }) => own === end);
    if (attachment?.peer.kind !== "router") return new Set([end.link]);
    return this.#linksOfRegion(attachment.peer.node);
  }

  #attached(node: string): readonly Attachment[] {
    return this.#attachments.get(node) ?? [];
  }

  /** Links at routers that reach each other without crossing a host: the same for all of them. */
  #linksOfRegion(router: string): ReadonlySet<string> {
    const known = this.#regions.get(router);
    if (known !== undefined) return known;
    const names = new Set<string>();
    const frontier = [router];
    this.#regions.set(router, names);
    for (let node = frontier.pop(); node !== undefined; node = frontier.pop()) {
      for (const { peer, link } of this.#attached(node)) {
        names.add(link.name);
        if (peer.kind !== "router" || this.#regions.has(peer.node)) continue;
        this.#regions.set(peer.node, names);
        frontier.push(peer.node);
      }
    }
    return names;
  }

  #routesTo(node: string, wanted: readonly AddressedLink[]): PlannedRoute[] {
    const attachments = this.#attached(node);
    const connected = new Set(attachments.map(({ link }) => link));
    const large = this.#links.length > mostLinksOfPlainRoutes;
    const hopsOf = new Map<string, readonly Attachment[]>();
    const routes = wanted.flatMap((link): PrefixRoute<readonly Attachment[]>[] => {
      if (connected.has(link) || (large && !hasHost(link))) return [];
      const next = this.#nextLink(node, link.name);
      if (next !== undefined) {
        const own = attachments.filter((attachment) => attachment.link.name === next && this.#carries(attachment));
        return own.length === 0 ? [] : [{ ...link.subnet, hops: own }];
      }
      const routers = link.ends.flatMap((end) => (end.kind === "router" ? [end.node] : []));
      const key = routers.join(" ");
      let hops = hopsOf.get(key);
      if (hops === undefined) hopsOf.set(key, (hops = this.#nearest(attachments, routers)));
      return hops.length === 0 ? [] : [{ ...link.subnet, hops }];
    });
    return (large ? mergeRoutes(unified(routes)) : routes).map(plannedRoute);
  }

  /** Those of a node's attachments whose routers are nearest to one of `targets`, in the order of the links. */
  #nearest(attachments: readonly Attachment[], targets: readonly string[]): readonly Attachment[] {
    let nearest: Attachment[] = [];
    let least = Infinity;
    for (const attachment of attachments) {
      if (!this.#carries(attachment)) continue;
      const distance = Math.min(
        ...targets.map((target) => this.#distancesTo(target).get(attachment.peer.node) ?? Infinity),
      );
      if (distance < least) nearest = [];
      if (distance < least || (distance === least && distance < Infinity)) nearest.push(attachment);
      least = Math.min(least, distance);
    }
    return nearest;
  }

  /** Hops from each router to this one. */
  #distancesTo(target: string): ReadonlyMap<string, number> {
    const known = this.#distances.get(target);
    if (known !== undefined) return known;
    const distances = new Map([[target, 0]]);
    const frontier = [target];
    for (let at = 0; at < frontier.length; at++) {
      const node = frontier[at]!;
      for (const attachment of this.#attached(node)) {
        if (!this.#carries(attachment) || distances.has(attachment.peer.node)) continue;
        distances.set(attachment.peer.node, distances.get(node)! + 1);
        frontier.push(attachment.peer.node);
      }
    }
    this.#distances.set(target, distances);
    return distances;
  }

  /** Whether packets for others can go this way. */
  #carries({ peer, link }: Attachment): boolean {
    return peer.kind === "router" && !this.#failed.has(link.name);
  }
}

const hasHost = ({ ends }: AddressedLink): boolean => ends.some(({ kind }) => kind === "host");

/** Equal sets of next hops become one and the same. */
function unified(routes: readonly PrefixRoute<readonly Attachment[]>[]): PrefixRoute<readonly Attachment[]>[] {
  const known = new Map<string, readonly Attachment[]>();
  return routes.map((route) => {
    const key = route.hops.map(({ own }) => own.interface).join(" ");
    const hops = known.get(key) ?? route.hops;
    known.set(key, hops);
    return { ...route, hops };
  });
}

function plannedRoute({ hops, ...subnet }: PrefixRoute<readonly Attachment[]>): PlannedRoute {
  const [first, ...rest] = hops.map(({ own, peer }) => ({ via: peer.address, interface: own.interface }));
  return {
    destination: subnet.prefixLength === 0 ? "default" : formatSubnet(subnet),
    ...first!,
    ...(rest.length > 0 && { equalCost: rest }),
  };
}
