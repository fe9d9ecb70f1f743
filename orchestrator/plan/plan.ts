/**
 * The plan: everything that a run will create and do, with names, addresses and MACs already decided. It is plain data (JSON in, JSON out), made by
 * a pure function from experiment, topology and the machine's abilities, and it is all that a substrate gets to see.
 */
import type { Playback, ServedFile } from "../model/application.ts";
import type { EndpointOptions } from "../model/endpoint-options.ts";
import type { LinkDirectionConfig } from "../path/link-direction.ts";
import type {
  AlgorithmKey,
  AlgorithmModule,
  EndpointKind,
  Expectation,
  FaultAction,
  SubstrateName,
} from "../model/experiment.ts";

export interface Plan {
  readonly version: 1;
  readonly experiment: string;
  /** Four hexadecimal digits, unlike those of any other lab on the machine; part of every name that the lab creates. */
  readonly lab: string;
  readonly substrate: SubstrateName;
  readonly seed: number;
  readonly nodes: readonly PlannedNode[];
  readonly links: readonly PlannedLink[];
  readonly workloads: readonly PlannedWorkload[];
  /** In the order of their times. */
  readonly faults: readonly PlannedFault[];
  readonly expectations: readonly PlannedExpectation[];
  readonly capture: { readonly enabled: boolean; readonly snapLength: number };
  /** Time series are sampled this often. */
  readonly metricsIntervalMicroseconds: number;
  /** The run is ended at this time, whether its workloads are done or not. */
  readonly deadlineMicroseconds: number;
}

export interface PlannedNode {
  /** As in the topology file. */
  readonly name: string;
  /** A switch forwards by IP too, as those of data centres do. */
  readonly kind: "host" | "router" | "switch";
  /** The namespace's or container's name on the machine: `pl-<lab>-<name>`. */
  readonly systemName: string;
  readonly interfaces: readonly PlannedInterface[];
  /** Main-table routes of the kernel in this node; for a `pathlab` host those of our stack. */
  readonly routes: readonly PlannedRoute[];
  /** Policy routing per source address of a multihomed host: one table an interface (linux-peer.md). */
  readonly sourceRoutes: readonly PlannedSourceRoute[];
  /** `net.*` values set inside the node's network namespace. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** Of a router with several next hops of equal cost: seed of its hash of flows, never 0. Absent where a kernel takes none: which next hop a flow takes is not known then. */
  readonly flowHashSeed?: number;
  /** Of a router that does not hash: each packet takes the next hop after that of the one before. */
  readonly balancesPackets?: true;
  /** Hosts only. */
  readonly endpoint?: PlannedEndpoint;
  /** Of a host of our stack that runs an application: what carries it, in the place of an endpoint program. */
  readonly gateway?: PlannedGateway;
  readonly reason: string;
}

export interface PlannedAddress {
  readonly address: string;
  readonly prefixLength: number;
  /** Next hop towards everything else of this family through this interface, where there is one. */
  readonly gateway?: string;
}

export interface PlannedInterface extends PlannedAddress {
  readonly name: string;
  readonly link: string;
  readonly mac: string;
  /** The address of IPv6 of an interface that has one of each family. */
  readonly second?: PlannedAddress;
  readonly mtu: number;
  /** Segmentation and checksum offload on; off on the ends of emulated links, whose packets must be single segments. */
  readonly offload: boolean;
  /** Whether the kernel of the node owns the address; false where our stack does (it answers ARP and ping itself). */
  readonly kernelAddress: boolean;
}

export function addressesOf(planned: PlannedAddress & { readonly second?: PlannedAddress }): readonly PlannedAddress[] {
  return planned.second === undefined ? [planned] : [planned, planned.second];
}

export interface PlannedRoute {
  /** `10.0.2.0/24` or `default`. */
  readonly destination: string;
  readonly via?: string;
  readonly interface: string;
  readonly metric?: number;
  /** Further next hops that are as near as the first: each flow takes one of them all by a hash of its 5-tuple (RFC 2992). */
  readonly equalCost?: readonly PlannedNextHop[];
}

export interface PlannedNextHop {
  readonly via: string;
  readonly interface: string;
}

export interface PlannedSourceRoute {
  readonly from: string;
  readonly table: number;
  readonly routes: readonly PlannedRoute[];
}

export interface PlannedEndpoint {
  readonly kind: EndpointKind;
  readonly congestionControl: string;
  readonly scheduler: string;
  readonly pathManager: string;
  /** Of those that are paths, what is there. */
  readonly modules?: Readonly<Partial<Record<AlgorithmKey, AlgorithmModule>>>;
  /** Of our stack, where it is not the 8 that it has by default: the most subflows of a connection. */
  readonly subflows?: number;
  readonly sendBufferBytes: number;
  readonly receiveBufferBytes: number;
  /** Interfaces whose subflows are used only when no other is left. */
  readonly backupInterfaces: readonly string[];
  /** Of our stack, what the experiment says; a kernel has the like among its sysctls. */
  readonly options?: EndpointOptions;
  /** `ip mptcp` set-up of a `linux-mptcp` host. */
  readonly kernelMptcp?: {
    readonly limits: { readonly subflows: number; readonly addAddrAccepted: number };
    readonly endpoints: readonly {
      readonly address: string;
      readonly interface: string;
      readonly flags: readonly string[];
    }[];
  };
}

/** Carries the connections of a host's applications (docs/gateway.md): out of a TUN device to their servers, and from the paths to the local ports. */
export interface PlannedGateway {
  /** A TUN device of the node: its own address, and those that are routed into it. */
  readonly tun?: { readonly name: string; readonly address: string; readonly destinations: readonly string[] };
  /** Ports of the host's servers, which listen on `address` for its kernel. */
  readonly servers?: { readonly ports: readonly number[]; readonly address: string };
}

export interface PlannedLink {
  readonly name: string;
  /** `direct`: one veth pair. `emulated`: two veth pairs with the emulator between. `netem`: one pair, qdiscs in a node of their own in the middle. */
  readonly realisation: "direct" | "emulated" | "netem";
  /** The first end is the user's side: `forward` (up) flows from it to the second. */
  readonly ends: readonly [PlannedLinkEnd, PlannedLinkEnd];
  readonly forward: LinkDirectionConfig;
  readonly backward: LinkDirectionConfig;
  /** The link profile that the values came from. */
  readonly profile?: string;
  /** Whether it is measured before the run, and held to tolerance. */
  readonly measured: boolean;
  readonly reason: string;
}

export interface PlannedLinkEnd {
  readonly node: string;
  readonly interface: string;
  /** The veth end that faces the emulator, in the lab's middle namespace; absent on direct links. */
  readonly emulatorInterface?: string;
}

interface PlannedWorkloadBase {
  readonly name: string;
  /** Who opens the connection. */
  readonly client: string;
  readonly server: string;
  readonly serverAddress: string;
  readonly port: number;
  readonly startMicroseconds: number;
  /** TCP_NODELAY at both ends. Left out: of `request-response` alone. */
  readonly noDelay?: boolean;
  /** Seed of the bytes that are sent, so that the judge knows them without asking. */
  readonly payloadSeed: number;
}

/** Bytes flow `from` → `to`; either may be the client. */
export interface PlannedBulk extends PlannedWorkloadBase {
  readonly kind: "bulk";
  readonly from: string;
  readonly to: string;
  /** Exactly one of the two. */
  readonly sizeBytes?: number;
  readonly durationMicroseconds?: number;
  /** The traffic of the experiment that it is one flow of. */
  readonly traffic?: string;
}

/** Constant-rate segments, as of a video, into a playback buffer that drains at the same rate. */
export interface PlannedStream extends PlannedWorkloadBase {
  readonly kind: "stream";
  readonly from: string;
  readonly to: string;
  readonly rateBitsPerSecond: number;
  readonly segmentMicroseconds: number;
  /** Playback starts (and resumes after a stall) when this much is buffered. */
  readonly playbackBufferMicroseconds: number;
  readonly durationMicroseconds: number;
}

export interface PlannedRequestResponse extends PlannedWorkloadBase {
  readonly kind: "request-response";
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly intervalMicroseconds: number;
  readonly count: number;
}

/** As it is started inside its node, after what the endpoint puts before it. */
export interface PlannedProgram {
  readonly argv: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  /** Where it runs, and what it finds and leaves there; goes with the lab. */
  readonly directory: string;
  /** Files there that the bundle keeps. */
  readonly logs: readonly string[];
}

/** Programs that nobody changed. Where a gateway carries them, `port` is also its own. */
export interface PlannedApplication extends PlannedWorkloadBase {
  readonly kind: "application";
  readonly from: string;
  readonly to: string;
  readonly serve: PlannedProgram & { readonly files: Readonly<Record<string, ServedFile>> };
  readonly run: PlannedProgram & { readonly receives: Readonly<Record<string, string>> };
  readonly timeoutMicroseconds: number;
  readonly playback?: Playback;
}

export type PlannedWorkload = PlannedBulk | PlannedStream | PlannedRequestResponse | PlannedApplication;

export interface PlannedFault {
  readonly atMicroseconds: number;
  readonly link: string;
  /** `reroute`: routers have noticed a failure, or that something is back. */
  readonly action: FaultAction | "reroute";
  /** `reroute`: all routes of the routers that have other ones from then on, and destinations to which they have none any more. */
  readonly routes?: readonly {
    readonly node: string;
    readonly routes: readonly PlannedRoute[];
    readonly gone: readonly string[];
  }[];
  /** `down` and `up`: the ends whose interface changes, those on hosts; where the link joins two routers, both. */
  readonly interfaces?: readonly { readonly node: string; readonly interface: string }[];
  /** `set`: the link's whole configuration from then on. */
  readonly forward?: LinkDirectionConfig;
  readonly backward?: LinkDirectionConfig;
  readonly reason: string;
}

export interface PlannedExpectation {
  /** Name of the workload or the traffic that it speaks of. */
  readonly workload: string;
  readonly expectation: Expectation;
}
