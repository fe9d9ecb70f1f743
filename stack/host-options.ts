/** Configuration of a host, as the application gives it; checked once, when the host is made. */

import type { CongestionControl } from "./congestion/congestion-control.ts";
import type { CoupledGroup } from "./congestion/coupled.ts";
import type { TraceCategory } from "./events.ts";
import type { MultipathPolicy } from "./mptcp/multipath-policy.ts";
import type { MultipathMechanisms } from "./mptcp/multipath-mechanisms.ts";
import type { PathManager } from "./path-manager/path-manager.ts";
import type { Scheduler } from "./scheduler/scheduler.ts";
import type { TcpOptions } from "./tcp/tcp-options.ts";

export interface AddressOptions {
  /** Dotted IPv4, or IPv6 as RFC 4291 writes it; an interface may have both. */
  address: string;
  prefixLength: number;
  /** Port that is advertised with the address: joins to it are asked for there (RFC 8684 §3.4.1). Default: that of the first subflow. */
  port?: number;
}

export interface InterfaceOptions {
  name: string;
  /** Six hexadecimal octets with colons. */
  mac: string;
  /** Bytes of IP packet that fit, 576 … 65535; at least 1280 with IPv6. */
  mtu: number;
  /** The device, or the kernel before it, cuts segments and completes checksums (virtio-net TSO): transmit items of up to 44 segments with a `gsoSize`. */
  gso: boolean;
  /** The device completes checksums (VIRTIO_NET_HDR_F_NEEDS_CSUM), also of single segments. Default: as `gso`. */
  checksumOffload?: boolean;
  addresses: readonly AddressOptions[];
  /**
   * A way to everywhere without a link layer, as a TUN device is: packets for any destination are for this host (`Host.listenTransparently`), it may speak as anybody
   * (`ConnectOptions.localAddress`), and nobody is asked for a hardware address. It may then be without `addresses`. Default false.
   */
  transparent?: boolean;
  /** Next hop for IPv4 destinations outside the interface's prefixes, for packets with a source address of this interface. */
  gateway?: string;
  /** The same for IPv6; it may be a link-local address. */
  ipv6Gateway?: string;
  /** Subflows over this interface carry data only when no other can (RFC 8684 §3.3.8). */
  backup?: boolean;
}

export type CongestionControlName = "lia" | "olia" | "balia" | "wvegas" | "ewtcp" | "fully-coupled" | "reno" | "cubic";
export type SchedulerName = "min-rtt" | "round-robin" | "redundant" | "blest" | "ecf";
/** `n-different-ports`: with `maximumSubflows` beside the first one. */
export type PathManagerName = "full-mesh" | "n-different-ports" | "signal" | "subflow" | "backup" | "single-path";

/** By name, or one's own: a function that makes one. */
export interface AlgorithmChoices {
  /** Made for each subflow; `group` holds those of the same connection. */
  congestionControl: CongestionControlName | ((group: CoupledGroup) => CongestionControl);
  /** Made for each connection. */
  scheduler: SchedulerName | (() => Scheduler);
  /** Made for each connection. */
  pathManager: PathManagerName | (() => PathManager);
}

/** Those that `options` makes. */
export function algorithmChoices(options: Partial<AlgorithmChoices>): Partial<AlgorithmChoices> {
  const { congestionControl, scheduler, pathManager } = options;
  return {
    ...(congestionControl !== undefined && { congestionControl }),
    ...(scheduler !== undefined && { scheduler }),
    ...(pathManager !== undefined && { pathManager }),
  };
}

/** Choices that can be written down. */
export interface NamedAlgorithms {
  congestionControl: CongestionControlName;
  scheduler: SchedulerName;
  pathManager: PathManagerName;
}

export interface HostOptions extends AlgorithmChoices, Partial<MultipathPolicy>, Partial<MultipathMechanisms> {
  name: string;
  /** Uniform unsigned 32-bit numbers: initial sequence numbers, keys, nonces, ephemeral ports. */
  random: () => number;
  interfaces: readonly InterfaceOptions[];
  mptcp: boolean;
  /** Bytes that `Connection.write` accepts before the peer has acknowledged any; default 6 MiB. */
  sendBufferBytes?: number;
  /** Of these, bytes that have not been sent for the first time (TCP_NOTSENT_LOWAT, tcp(7)): `write` takes no more, and asks again when half of them have gone. Default: as many. */
  notSentLowatBytes?: number;
  /** Largest receive window; default 6 MiB. */
  receiveBufferBytes?: number;
  /** The receive window begins small and grows to twice what the application reads in a round trip, at most to `receiveBufferBytes`; default false. */
  autotune?: boolean;
  /** Ask for DSS checksums (RFC 8684 §3.1, flag A); used when either side asks. Default false. */
  dssChecksum?: boolean;
  /** What is told of each decision beside the notable events (events.ts); default nothing. */
  trace?: readonly TraceCategory[];
  /** Where TCP leaves a choice. */
  tcp?: TcpOptions;
}

/** A configuration that cannot be; `path` names the offending option, e.g. `interfaces[1].mtu`. */
export class ConfigurationError extends Error {
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
    this.name = "ConfigurationError";
    this.path = path;
  }
}
