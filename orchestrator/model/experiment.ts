/** An experiment, checked and in base units (bits per second, microseconds, bytes). Made from a file by `load.ts`; the file's form is in `experiment-schema.ts`. */
import type { ClientProgram, Playback, ServerProgram } from "./application.ts";
import type { EndpointOptions } from "./endpoint-options.ts";
import type { AddressFamily } from "./ip-address.ts";
import type { LinkShape } from "./link-profile.ts";
import type { OverRepetitions } from "./repetition-statistic.ts";
import type { Traffic } from "./traffic.ts";

export type SubstrateName = "simulation" | "namespaces" | "containers";

/** `pathlab`: our own stack. `pathlab-tcp`: the same without MPTCP. `linux-mptcp`: the kernel's MPTCP sockets. `linux-tcp`: the kernel's TCP. */
export type EndpointKind = "pathlab" | "pathlab-tcp" | "linux-mptcp" | "linux-tcp";

/**
 * `blackhole` drops every packet of the link silently until `restore`; `down` and `up` are interface events that the hosts at the link's ends see; `set`
 * changes the link's shape.
 */
export type FaultAction = "blackhole" | "restore" | "down" | "up" | "set";

export const substrateNames: readonly SubstrateName[] = ["simulation", "namespaces", "containers"];
export const endpointKinds: readonly EndpointKind[] = ["pathlab", "pathlab-tcp", "linux-mptcp", "linux-tcp"];

/** Whose TCP an endpoint speaks: our stack's, or else the kernel's. */
export const isOfOurStack = (kind: EndpointKind): boolean => kind === "pathlab" || kind === "pathlab-tcp";
export const faultActions: readonly FaultAction[] = ["blackhole", "restore", "down", "up", "set"];

export interface Experiment {
  readonly version: 1;
  readonly name: string;
  readonly description?: string;
  /** Path of the topology file, relative to the experiment file. */
  readonly topology: string;
  readonly seed: number;
  /** Runs, each with the next seed. */
  readonly repeat: number;
  readonly on: SubstrateName;
  /** The run is ended then, whether its workloads are done or not. */
  readonly durationMicroseconds?: number;
  readonly hosts: Readonly<Record<string, HostSettings>>;
  /** Of hosts that `hosts` does not name; the load puts it there for each of them. */
  readonly everyHost?: HostSettings;
  readonly workload: Readonly<Record<string, Workload>>;
  /** Many flows at once, by name; no name is also that of a workload. */
  readonly traffic: Readonly<Record<string, Traffic>>;
  readonly faults: readonly Fault[];
  /** By name of the workload or the traffic. */
  readonly expect: Readonly<Record<string, Expectation>>;
  readonly capture: { readonly enabled: boolean; readonly snapLength: number };
  readonly metrics: { readonly intervalMicroseconds: number };
  readonly baselines: Readonly<Record<string, Baseline>>;
}

/** What of a host's algorithms can be a module of one's own. */
export type AlgorithmKey = "congestionControl" | "scheduler" | "pathManager";

/** A file that exports what makes an algorithm. */
export interface AlgorithmModule {
  /** As the experiment names it. */
  readonly path: string;
  /** Of the file at that path, hexadecimal. */
  readonly sha256: string;
  /** An ES module with all that it imports in it. */
  readonly javascript: string;
}

export interface HostSettings {
  readonly endpoint: EndpointKind;
  /** One that the endpoint offers, or of our stack the path of a module. */
  readonly congestionControl: string;
  readonly scheduler: string;
  readonly pathManager: string;
  /** Those that are paths, read; the load puts them there. */
  readonly modules?: Readonly<Partial<Record<AlgorithmKey, AlgorithmModule>>>;
  /** The most of a connection, the first among them. */
  readonly subflows: number;
  readonly sendBufferBytes: number;
  readonly receiveBufferBytes: number;
  /** Interfaces whose subflows are used only when no other is left. */
  readonly backup: readonly string[];
  /** What the file says beyond that; each one that the endpoint has. */
  readonly options: EndpointOptions;
}

interface WorkloadBase {
  readonly startMicroseconds: number;
  readonly port?: number;
  /** Of the address that the client connects to; left out: of the server's first that it reaches. */
  readonly family?: AddressFamily;
  /** TCP_NODELAY at both ends. Left out: of `request-response` alone. */
  readonly noDelay?: boolean;
}

/** Bytes flow `from` → `to`. `client` opens the connection: `to` unless the file says otherwise, as in a download. Exactly one of size and duration is there. */
export interface BulkWorkload extends WorkloadBase {
  readonly kind: "bulk";
  readonly from: string;
  readonly to: string;
  readonly client: string;
  readonly sizeBytes?: number;
  readonly durationMicroseconds?: number;
  /** The traffic that it is one flow of. */
  readonly traffic?: string;
}

export interface StreamWorkload extends WorkloadBase {
  readonly kind: "stream";
  readonly from: string;
  readonly to: string;
  readonly client: string;
  readonly rateBitsPerSecond: number;
  readonly segmentMicroseconds: number;
  readonly playbackBufferMicroseconds: number;
  readonly durationMicroseconds: number;
}

/** Exactly one of count and duration is there. */
export interface RequestResponseWorkload extends WorkloadBase {
  readonly kind: "request-response";
  readonly client: string;
  readonly server: string;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly intervalMicroseconds: number;
  readonly count?: number;
  readonly durationMicroseconds?: number;
}

/** Programs that nobody changed. `server` listens on the port, `client` is started then; the workload is over when it has ended. */
export interface ApplicationWorkload extends WorkloadBase {
  readonly kind: "application";
  readonly client: string;
  readonly server: string;
  /** Where the bytes that count flow from, one of the two. */
  readonly from: string;
  readonly to: string;
  readonly serve: ServerProgram;
  readonly run: ClientProgram;
  /** A client that takes longer is ended. */
  readonly timeoutMicroseconds: number;
  readonly playback?: Playback;
  /** Only so that all workloads can be asked: when it ends, the client decides. */
  readonly durationMicroseconds?: undefined;
}

export type Workload = BulkWorkload | StreamWorkload | RequestResponseWorkload | ApplicationWorkload;

/** Of the workloads whose programs are not ours. */
export const isApplication = <T extends { readonly kind: string }>(
  workload: T,
): workload is T & { readonly kind: "application" } => workload.kind === "application";

interface FaultBase {
  readonly atMicroseconds: number;
  /** With `blackhole` and `restore`: routers have routes without the link, or with it again, this long after. Left out: they never notice. */
  readonly rerouteMicroseconds?: number;
}

/** All links of a router or switch at once. */
export interface NodeFault extends FaultBase {
  readonly node: string;
  readonly action: "blackhole" | "restore";
}

export interface LinkFault extends FaultBase {
  readonly link: string;
  readonly action: FaultAction;
  /** The node whose failure it is a part of. */
  readonly node?: string;
  /** With `set` only: what changes; what it does not name stays. */
  readonly shape?: LinkShape;
}

export type Fault = LinkFault | NodeFault;

/** What must hold of one workload, or of the flows of one traffic. What is absent is not judged. */
export interface Expectation {
  /** Of traffic: over its flows, each as in `goodput`. */
  readonly meanGoodput?: {
    readonly atLeastBitsPerSecond?: number;
    readonly atMostBitsPerSecond?: number;
  } & OverRepetitions;
  readonly leastGoodput?: {
    readonly atLeastBitsPerSecond?: number;
    readonly atMostBitsPerSecond?: number;
  } & OverRepetitions;
  /** Of traffic: Jain's index of its flows' goodputs, 0 to 1. */
  readonly fairness?: { readonly atLeast?: number; readonly atMost?: number } & OverRepetitions;
  /** Of traffic: from a flow's start to its last byte. */
  readonly flowCompletion?: {
    readonly p50?: { readonly atMostMicroseconds: number } & OverRepetitions;
    readonly p99?: { readonly atMostMicroseconds: number } & OverRepetitions;
  };
  /** Payload bits per second of the whole transfer, from its first byte to its last. */
  readonly goodput?: {
    readonly atLeastBitsPerSecond?: number;
    readonly atMostBitsPerSecond?: number;
  } & OverRepetitions;
  /** Subflows that carried data. */
  readonly subflows?: { readonly exactly?: number; readonly atLeast?: number; readonly atMost?: number };
  /** By name of the user-side link: of the payload that arrived, what came over it, 0 to 1. */
  readonly share?: Readonly<Record<string, { readonly atLeast?: number; readonly atMost?: number } & OverRepetitions>>;
  /** Longest time without a byte delivered to the application while the transfer was on. */
  readonly longestGap?: {
    readonly atLeastMicroseconds?: number;
    readonly atMostMicroseconds?: number;
  } & OverRepetitions;
  /** Times that playback stopped for want of bytes. */
  readonly stalls?: { readonly atMost: number } & OverRepetitions;
  /** Every byte arrived once, in order and unchanged. */
  readonly intact?: true;
  /** Of an application: what its client ended with. */
  readonly exitCode?: number;
  /** Of an application: payload that arrived, whatever the programs' protocol adds among it. */
  readonly bytes?: { readonly atLeast?: number; readonly atMost?: number } & OverRepetitions;
  /** Of an application that plays: pictures that came to the screen. */
  readonly frames?: { readonly atLeast: number } & OverRepetitions;
  /** Whether the connection fell back to plain TCP. */
  readonly fallback?: boolean;
  /** Time from the workload's start to its last byte. */
  readonly completion?: { readonly atMostMicroseconds: number } & OverRepetitions;
  /** From a request's first byte to its response's last. */
  readonly latency?: {
    readonly p50?: { readonly atMostMicroseconds: number } & OverRepetitions;
    readonly p99?: { readonly atMostMicroseconds: number } & OverRepetitions;
    /** Standard deviation. */
    readonly deviation?: {
      readonly atLeastMicroseconds?: number;
      readonly atMostMicroseconds?: number;
    } & OverRepetitions;
  };
}

/** The same experiment run again with some keys set otherwise, for comparison in one report. */
export interface Baseline {
  readonly description?: string;
  /** Key of the experiment file (`hosts.phone.endpoint`) ⇒ its value as it would stand in the file. */
  readonly set: Readonly<Record<string, unknown>>;
  /** Takes the place of the experiment's own expectations. */
  readonly expect: Readonly<Record<string, Expectation>>;
}
