/** Routes of a network of one family or of both: each family has its own, and knows nothing of the other's (RFC 4213 §2). */
import { addressFamilies, type AddressFamily } from "../model/ip-address.ts";
import type { AddressedEnd, AddressedLink } from "./addressing.ts";
import type { PlannedRoute, PlannedSourceRoute } from "./plan.ts";
import { Routing, type RoutingOptions } from "./routing.ts";

export class NetworkRouting {
  readonly #byFamily: ReadonlyMap<AddressFamily, Routing>;
  /** In the links' order; an interface of both families is there twice, with its address of IPv4 first. */
  readonly #ends = new Map<string, AddressedEnd[]>();
  readonly #familyOf = new Map<AddressedEnd, AddressFamily>();

  constructor(links: readonly AddressedLink[], options: RoutingOptions = {}) {
    this.#byFamily = new Map(
      addressFamilies.flatMap((family) => {
        const own = links.filter((link) => link.family === family);
        return own.length === 0 ? [] : [[family, new Routing(own, options)] as const];
      }),
    );
    for (const { ends, family } of links)
      for (const end of ends) {
        const list = this.#ends.get(end.node);
        if (list === undefined) this.#ends.set(end.node, [end]);
        else list.push(end);
        this.#familyOf.set(end, family);
      }
  }

  get families(): readonly AddressFamily[] {
    return [...this.#byFamily.keys()];
  }

  /** One for each address of the node. */
  endsOf(node: string): readonly AddressedEnd[] {
    return this.#ends.get(node) ?? [];
  }

  /** The router at the other end of a host's interface. */
  gatewayOf(end: AddressedEnd): string | undefined {
    return this.#routingOf(end).gatewayOf(end);
  }

  routesOf(node: string): PlannedRoute[] {
    return [...this.#byFamily.values()].flatMap((routing) => routing.routesOf(node));
  }

  sourceRoutesOf(node: string): PlannedSourceRoute[] {
    return [...this.#byFamily.values()].flatMap((routing) => routing.sourceRoutesOf(node));
  }

  /** Names of the links that packets can cross which leave by this end. */
  linksBehind(end: AddressedEnd): ReadonlySet<string> {
    return this.#routingOf(end).linksBehind(end);
  }

  /** Where clients connect to: the server's first address, of the family where one is asked for, that the client has a way to. */
  serverAddress(client: string, server: string, family?: AddressFamily): string | undefined {
    const ways = this.endsOf(client).map((end) => ({ family: this.#familyOf.get(end)!, links: this.linksBehind(end) }));
    return this.endsOf(server).find((end) => {
      const own = this.#familyOf.get(end)!;
      return (
        (family === undefined || own === family) && ways.some((way) => way.family === own && way.links.has(end.link))
      );
    })?.address;
  }

  #routingOf(end: AddressedEnd): Routing {
    return this.#byFamily.get(this.#familyOf.get(end)!)!;
  }
}
