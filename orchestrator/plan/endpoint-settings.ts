/** What each node's kernel is told: sysctls, and `ip mptcp` set-up of kernel endpoints. Reasons for the values are in linux-peer.md's measurements. */
import { kernelAddressLimit, kernelOptionSysctls } from "../model/endpoint-options.ts";
import { isOfOurStack } from "../model/experiment.ts";
import type { HostSettings, Workload } from "../model/experiment.ts";
import { subflowLimits } from "../model/endpoint-abilities.ts";
import type { AddressFamily } from "../model/ip-address.ts";
import type { AddressedEnd } from "./addressing.ts";
import type { PlannedEndpoint } from "./plan.ts";

/** Names as of `sysctl`. */
const everyNode: Readonly<Record<string, string>> = {
  "net.ipv4.conf.all.rp_filter": "0",
  "net.ipv4.conf.default.rp_filter": "0",
  "net.ipv4.conf.all.accept_redirects": "0",
  "net.ipv4.conf.all.send_redirects": "0",
  "net.ipv4.conf.default.send_redirects": "0",
};

/** Where the kernel has no address of IPv6 it would only add router solicitations and listener reports to captures. */
const withoutIpv6: Readonly<Record<string, string>> = {
  "net.ipv6.conf.all.disable_ipv6": "1",
  "net.ipv6.conf.default.disable_ipv6": "1",
};

/** @param forward whether the node forwards packets of others */
function withIpv6(forward: boolean): Record<string, string> {
  return {
    "net.ipv6.conf.all.disable_ipv6": "0",
    "net.ipv6.conf.default.disable_ipv6": "0",
    "net.ipv6.conf.all.forwarding": forward ? "1" : "0",
  };
}

/** Of a router's choice among several next hops of equal cost. */
export interface NextHopChoice {
  readonly equalCost: boolean;
  readonly flowHashSeed: number | undefined;
}

export function routerSysctls(families: readonly AddressFamily[], choice: NextHopChoice): Record<string, string> {
  return {
    ...(families.includes("ipv6") ? withIpv6(true) : withoutIpv6),
    ...everyNode,
    "net.ipv4.ip_forward": "1",
    ...(choice.equalCost && flowHashSysctls(families, choice.flowHashSeed)),
  };
}

/** Source and destination address, protocol, source and destination port (ip-sysctl, fib_multipath_hash_fields). */
const fiveTuple = 0x37;

/**
 * Flows take next hops by their 5-tuple, not by their addresses alone. Policy 1 takes the hash that a packet already bears, from a key that all namespaces share: all
 * routers would choose alike, and of the flows that came by the first of two ways each next router would send all by the first of its own. It is left to kernels that
 * take no seed for each router, of both families, which policy 3 hashes with.
 */
function flowHashSysctls(families: readonly AddressFamily[], seed: number | undefined): Record<string, string> {
  const settings = families.map((family): Record<string, string> => ({
    ...(seed !== undefined && { [`net.${family}.fib_multipath_hash_fields`]: String(fiveTuple) }),
    [`net.${family}.fib_multipath_hash_policy`]: seed === undefined ? "1" : "3",
  }));
  return Object.assign({}, seed !== undefined && { "net.ipv4.fib_multipath_hash_seed": String(seed) }, ...settings);
}

export function hostSysctls(settings: HostSettings, families: readonly AddressFamily[]): Record<string, string> {
  const base = { ...everyNode, "net.ipv4.ip_forward": "0" };
  if (isOfOurStack(settings.endpoint)) return { ...withoutIpv6, ...base };
  return {
    ...(families.includes("ipv6") ? withIpv6(false) : withoutIpv6),
    ...base,
    // Strong host model: an interface answers for its own address only.
    "net.ipv4.conf.all.arp_ignore": "1",
    "net.ipv4.conf.all.arp_announce": "2",
    "net.ipv4.tcp_congestion_control": settings.congestionControl,
    "net.ipv4.tcp_rmem": `4096 131072 ${settings.receiveBufferBytes}`,
    "net.ipv4.tcp_wmem": `4096 16384 ${settings.sendBufferBytes}`,
    // What a connection learned of a path must not decide how the next one starts.
    "net.ipv4.tcp_no_metrics_save": "1",
    ...(settings.endpoint === "linux-mptcp"
      ? {
          "net.mptcp.enabled": "1",
          // Unanswered MP_CAPABLE SYNs would switch MPTCP off in the whole namespace for an hour.
          "net.mptcp.blackhole_timeout": "0",
          "net.mptcp.add_addr_timeout": "1",
        }
      : {}),
    ...kernelOptionSysctls(settings.options),
  };
}

export interface EndpointPeers {
  /** Whether a host at the other end has several, so that a full mesh has more than one subflow for each of ours. */
  readonly severalPeerAddresses: boolean;
  /** Of ours, those that workloads connect to. */
  readonly connectedAddresses: readonly string[];
}

/** @param ends one for each address */
export function planEndpoint(
  settings: HostSettings,
  ends: readonly AddressedEnd[],
  role: "client" | "server" | "idle",
  { severalPeerAddresses, connectedAddresses }: EndpointPeers,
): PlannedEndpoint {
  const {
    endpoint: kind,
    congestionControl,
    scheduler,
    pathManager,
    modules,
    subflows,
    sendBufferBytes,
    receiveBufferBytes,
    backup,
    options,
  } = settings;
  const planned = {
    kind,
    congestionControl,
    scheduler,
    pathManager,
    ...(modules !== undefined && { modules }),
    ...(kind === "pathlab" && subflows !== subflowLimits.pathlab.byDefault && { subflows }),
    sendBufferBytes,
    receiveBufferBytes,
    backupInterfaces: backup,
    ...(isOfOurStack(kind) && Object.keys(options).length > 0 && { options }),
  };
  if (kind !== "linux-mptcp") return planned;
  const flags = role === "server" ? ["signal"] : severalPeerAddresses ? ["subflow", "fullmesh"] : ["subflow"];
  // The address that all clients connect to needs no announcement.
  const [first] = connectedAddresses;
  const known = role === "server" && connectedAddresses.every((address) => address === first) ? first : undefined;
  const announced = ends.filter(({ address }) => address !== known);
  const endpoints = announced.map((end) => ({
    address: end.address,
    interface: end.interface,
    flags: backup.includes(end.interface) ? [...flags, "backup"] : flags,
  }));
  return {
    ...planned,
    kernelMptcp: {
      // The kernel does not count the first.
      limits: { subflows: subflows - 1, addAddrAccepted: options.maximumAddressesAccepted ?? kernelAddressLimit },
      endpoints: ends.length > 1 && role !== "idle" ? endpoints : [],
    },
  };
}

/**
 * Who opens connections announces nothing and opens subflows from each interface; who only accepts them signals its addresses. Both at once would make one
 * subflow too many (data-plane.md).
 */
export function roleOf(
  host: string,
  workloads: readonly { readonly client: string; readonly server: string }[],
): "client" | "server" | "idle" {
  if (workloads.some(({ client }) => client === host)) return "client";
  return workloads.some(({ server }) => server === host) ? "server" : "idle";
}

export function serverOf(workload: Workload): string {
  if (workload.kind === "request-response" || workload.kind === "application") return workload.server;
  return workload.client === workload.from ? workload.to : workload.from;
}
