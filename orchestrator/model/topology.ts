/** A topology, checked: nodes and the links between them. Made from a file by `load.ts`; the file's form is in `topology-schema.ts`. */
import type { BCubeSize } from "./generate/bcube-paths.ts";
import type { Addressing } from "./ip-address.ts";
import type { LinkProfile, LinkShape } from "./link-profile.ts";

export interface Topology {
  readonly version: 1;
  readonly name: string;
  readonly description?: string;
  /** Of the addresses of all links that do not say it themselves. */
  readonly addressing: Addressing;
  readonly hosts: Readonly<Record<string, HostNode>>;
  /** All that forward, switches among them. */
  readonly routers: Readonly<Record<string, RouterNode>>;
  /** In the order of the file, which numbers the subnets and decides a host's first interface. */
  readonly links: Readonly<Record<string, TopologyLink>>;
  /** Of a BCube whose routes are not the shortest paths but the disjoint ones. */
  readonly disjointPaths?: BCubeSize;
  /** The shipped profiles and those of the file itself. */
  readonly profiles: Readonly<Record<string, LinkProfile>>;
}

interface HostNode {
  readonly description?: string;
}

export interface RouterNode {
  readonly description?: string;
  /** Default: router. */
  readonly kind?: "router" | "switch";
  /** Over next hops of equal cost: flow by flow (default), or a packet over each in turn. */
  readonly balance?: "flows" | "packets";
}

export interface TopologyLink {
  readonly description?: string;
  /** The first end is the user's side: `up` flows from it to the second. */
  readonly ends: readonly [TopologyLinkEnd, TopologyLinkEnd];
  readonly profile?: string;
  /** The profile's shape with the link's own values over it; absent where the link asks for none. */
  readonly shape?: LinkShape;
  readonly mtu?: number;
  /** Where it is not the topology's. */
  readonly addressing?: Addressing;
}

export interface TopologyLinkEnd {
  readonly node: string;
  /** Chosen by the plan where the file names none. */
  readonly interface?: string;
  readonly address?: { readonly address: string; readonly prefixLength: number };
  readonly mac?: string;
}
