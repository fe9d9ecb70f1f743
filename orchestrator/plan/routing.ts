/** Routes of every node: routers know the shortest path to each link's subnet; hosts have a default route, and one table an interface where they have several. */
import { formatIpv4, formatSubnet } from "../model/ipv4-address.ts";
import type { AddressedEnd, AddressedLink } from "./addressing.ts";
import type { PlannedRoute, PlannedSourceRoute } from "./plan.ts";

/** Numbers below are reserved for nobody, 253 to 255 for the kernel (rtnetlink(7)). */
const firstSourceTable = 101;

/** A node's interface with what is at the other end of its link. */
interface Attachment {
  readonly own: AddressedEnd;
  readonly peer: AddressedEnd;
  readonly link: AddressedLink;
}

export class Routing {
  readonly #links: readonly AddressedLink[];
  /** In the order of the links, which makes all choices between equal paths. */
  readonly #attachments = new Map<string, Attachment[]>();

  constructor(links: readonly AddressedLink[]) {
    this.#links = links;
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
    return attachment?.peer.kind === "router" ? formatIpv4(attachment.peer.address) : undefined;
  }

  /** Beside the connected subnets, whose routes come with the addresses. */
  routesOf(node: string): PlannedRoute[] {
    const attachments = this.#attached(node);
    if (attachments[0]?.own.kind !== "host") return this.#routesTo(node, this.#links);
    const first = attachments.find(({ peer }) => peer.kind === "router");
    if (!first) return [];
    const behindDefault = this.linksBehind(first.own);
    const rest = this.#links.filter((link) => !behindDefault.has(link.name));
    return [
      { destination: "default", via: formatIpv4(first.peer.address), interface: first.own.interface },
      ...this.#routesTo(node, rest),
    ];
  }

  /** A packet leaves through the interface whose address it bears (linux-peer.md: the lack of this is why MPTCP uses one path only). */
  sourceRoutesOf(node: string): PlannedSourceRoute[] {
    const attachments = this.#attached(node);
    if (attachments.length < 2 || attachments[0]!.own.kind !== "host") return [];
    return attachments.map(({ own, peer, link }, index) => ({
      from: formatIpv4(own.address),
      table: firstSourceTable + index,
      routes: [
        { destination: formatSubnet(link.subnet), interface: own.interface },
        ...(peer.kind === "router"
          ? [{ destination: "default", via: formatIpv4(peer.address), interface: own.interface }]
          : []),
      ],
    }));
  }

  /** Names of the links that packets can cross which leave through this interface. */
  linksBehind(end: AddressedEnd): ReadonlySet<string> {
    const names = new Set([end.link]);
    const attachment = this.#attached(end.node).find(({ own }) => own === end);
    const frontier = attachment?.peer.kind === "router" ? [attachment.peer.node] : [];
    const visited = new Set([end.node, ...frontier]);
    for (let node = frontier.shift(); node !== undefined; node = frontier.shift()) {
      for (const { peer, link } of this.#attached(node)) {
        names.add(link.name);
        if (visited.has(peer.node)) continue;
        visited.add(peer.node);
        if (peer.kind === "router") frontier.push(peer.node);
      }
    }
    return names;
  }

  #attached(node: string): readonly Attachment[] {
    return this.#attachments.get(node) ?? [];
  }

  /** Breadth first, so the first time that a link is seen is by its shortest path. */
  #routesTo(node: string, wanted: readonly AddressedLink[]): PlannedRoute[] {
    const firstHops = new Map<string, Attachment>();
    const visited = new Set([node]);
    let frontier = this.#attached(node).flatMap((attachment) =>
      attachment.peer.kind === "router" ? [{ at: attachment.peer.node, first: attachment }] : [],
    );
    while (frontier.length > 0) {
      const next: typeof frontier = [];
      for (const { at, first } of frontier) {
        if (visited.has(at)) continue;
        visited.add(at);
        for (const { peer, link } of this.#attached(at)) {
          if (!firstHops.has(link.name)) firstHops.set(link.name, first);
          if (peer.kind === "router") next.push({ at: peer.node, first });
        }
      }
      frontier = next;
    }
    const connected = new Set(this.#attached(node).map(({ link }) => link.name));
    return wanted.flatMap((link) => {
      const first = firstHops.get(link.name);
      if (!first || connected.has(link.name)) return [];
      return [
        { destination: formatSubnet(link.subnet), via: formatIpv4(first.peer.address), interface: first.own.interface },
      ];
    });
  }
}
