/**
 * The shell script that turns a bare network namespace with its interfaces into a node of the plan. Pure, so that it can be read and tested; one process
 * chain a node runs it (data-plane.md: one `ip` per command costs three times as much).
 */
import { addressesOf } from "../../plan/plan.ts";
import type { PlannedInterface, PlannedNode, PlannedRoute } from "../../plan/plan.ts";

export interface ScriptContext {
  /** All interfaces of the node are served by this processor, so that veth keeps the packets' order (data-plane.md, pitfall 1). */
  readonly processor: number;
}

/** For `sh -eu` with a /sys that shows the namespace's devices. */
export function nodeScript(node: PlannedNode, context: ScriptContext): string {
  const ipv6 = node.interfaces.some(
    (own) => own.kernelAddress && addressesOf(own).some(({ address }) => isIpv6(address)),
  );
  return [
    ...baselineSysctls(node.kind !== "host", ipv6),
    ...Object.entries(node.sysctls).map(([key, value]) => writeSysctl(key, value)),
    ...node.interfaces.flatMap((planned) => [
      ...offloads(planned.name, planned.offload),
      receiveOn(planned.name, context.processor),
    ]),
    ...ipBatch(node),
  ].join("\n");
}

/** Ends of emulated links that face the emulator: no addresses, nothing that would send a packet of its own. */
export function middleScript(
  interfaces: readonly { readonly name: string; readonly offload: boolean }[],
  context: ScriptContext,
): string {
  return [
    ...baselineSysctls(false, false),
    ...interfaces.flatMap(({ name, offload }) => [...offloads(name, offload), receiveOn(name, context.processor)]),
    heredoc("ip -batch -", ["link set dev lo up", ...interfaces.map(({ name }) => `link set dev ${name} up`)]),
  ].join("\n");
}

/** Routes that the kernel forgot when the interface went down; addresses and rules it kept. */
export function interfaceUpScript(node: PlannedNode, interfaceName: string): string {
  const planned = node.interfaces.find(({ name }) => name === interfaceName);
  const lines = { v4: [`link set dev ${interfaceName} up`], v6: [] as string[] };
  if (planned?.kernelAddress === true) {
    for (const { address, prefixLength } of addressesOf(planned))
      if (isIpv6(address)) lines.v6.push(`addr replace ${address}/${prefixLength} dev ${planned.name} nodad`);
    addRoutes(node, lines, (route) =>
      [route, ...(route.equalCost ?? [])].some((hop) => hop.interface === interfaceName),
    );
  }
  return [
    heredoc("ip -4 -batch -", lines.v4),
    ...(lines.v6.length > 0 ? [heredoc("ip -6 -batch -", lines.v6)] : []),
  ].join("\n");
}

/** Other routes in the place of those that there were: each changes at once, and those that are gone go last. */
export function changeRoutesScript(node: PlannedNode, gone: readonly string[]): string {
  const lines: FamilyLines = { v4: [], v6: [] };
  addRoutes(node, lines, () => true);
  for (const destination of gone) lines[family(destination)].push(`route del ${destination}`);
  return [
    heredoc("ip -4 -batch -", lines.v4),
    ...(lines.v6.length > 0 ? [heredoc("ip -6 -batch -", lines.v6)] : []),
  ].join("\n");
}

/** A namespace inherits some values from the machine's: what they are may not depend on the machine. */
function baselineSysctls(forward: boolean, ipv6: boolean): string[] {
  const forwarding = forward ? "1" : "0";
  return [
    sysctlFunction,
    // Without addresses in the plan no solicitation or listener report may get into the captures.
    writeSysctl("net.ipv6.conf.all.disable_ipv6", ipv6 ? "0" : "1"),
    writeSysctl("net.ipv6.conf.default.disable_ipv6", ipv6 ? "0" : "1"),
    ...(ipv6
      ? [
          writeSysctl("net.ipv6.conf.all.forwarding", forwarding),
          writeEverywhere("ipv6", "accept_ra", "0"),
          writeEverywhere("ipv6", "router_solicitations", "0"),
          writeEverywhere("ipv6", "accept_redirects", "0"),
          // All addresses are the plan's: none is taken twice, and none waits until that is known.
          writeEverywhere("ipv6", "accept_dad", "0"),
          writeEverywhere("ipv6", "keep_addr_on_down", "1"),
        ]
      : []),
    writeSysctl("net.ipv4.ip_forward", forwarding),
    // Paths of a multihomed host may be asymmetric.
    writeEverywhere("ipv4", "rp_filter", "0"),
    writeEverywhere("ipv4", "send_redirects", "0"),
    writeEverywhere("ipv4", "accept_redirects", "0"),
  ];
}

/** The shell's own words for a refused value (`echo: I/O error`) name neither the key nor the value. */
const sysctlFunction = `sysctl_write() { { echo "$2" > "/proc/sys/$1"; } 2>/dev/null || { echo "the kernel refuses $1 = $2" >&2; exit 1; }; }`;

function writeSysctl(key: string, value: string): string {
  return `sysctl_write ${quote(key.replaceAll(".", "/"))} ${quote(value)}`;
}

function writeEverywhere(family: "ipv4" | "ipv6", key: string, value: string): string {
  return `for place in /proc/sys/net/${family}/conf/*/${key}; do echo ${value} > "$place"; done`;
}

function offloads(name: string, on: boolean): string[] {
  return on ? [] : [`ethtool -K ${quote(name)} rx off tx off sg off tso off gso off gro off`];
}

function receiveOn(name: string, processor: number): string {
  const mask = (1n << BigInt(processor)).toString(16).replace(/\B(?=(?:.{8})+$)/g, ",");
  return `for queue in /sys/class/net/${quote(name)}/queues/rx-*; do echo ${mask} > "$queue/rps_cpus"; done`;
}

interface FamilyLines {
  readonly v4: string[];
  readonly v6: string[];
}

function ipBatch(node: PlannedNode): string[] {
  const lines: FamilyLines = { v4: ["link set dev lo up"], v6: [] };
  const kernelOwned = node.interfaces.filter(({ kernelAddress }) => kernelAddress);
  for (const own of kernelOwned)
    for (const { address, prefixLength } of addressesOf(own))
      lines[family(address)].push(addAddress({ address, prefixLength, name: own.name }));
  for (const { name } of node.interfaces) lines.v4.push(`link set dev ${name} up`);
  addRoutes(node, lines, () => true);
  addTun(node, lines);
  if (kernelOwned.length > 0) {
    for (const { from, table } of node.sourceRoutes) lines[family(from)].push(`rule add from ${from} table ${table}`);
  }
  const mptcp = node.endpoint?.kernelMptcp;
  const mptcpLines =
    mptcp === undefined
      ? []
      : [
          `mptcp limits set subflow ${mptcp.limits.subflows} add_addr_accepted ${mptcp.limits.addAddrAccepted}`,
          ...mptcp.endpoints.map((endpoint) =>
            ["mptcp endpoint add", endpoint.address, "dev", endpoint.interface, ...endpoint.flags].join(" "),
          ),
        ];
  return [
    heredoc("ip -4 -batch -", lines.v4),
    ...gatewayIpv6(node),
    ...(lines.v6.length > 0 ? [heredoc("ip -6 -batch -", lines.v6)] : []),
    ...(mptcpLines.length > 0 ? [heredoc("ip -batch -", mptcpLines)] : []),
  ];
}

/** The kernel of a host of our stack has IPv6 where its applications meet the gateway, and nowhere that a capture sees. */
function gatewayIpv6({ gateway }: PlannedNode): string[] {
  const { tun, servers } = gateway ?? {};
  const places = [
    ...([tun, servers].some((side) => side !== undefined && isIpv6(side.address)) ? ["lo"] : []),
    ...(tun !== undefined && isIpv6(tun.address) ? [tun.name] : []),
  ];
  return places.map((name) => writeSysctl(`net.ipv6.conf.${name}.disable_ipv6`, "0"));
}

/** What the gateway takes applications' connections from: it has an address of its own, and is the way to their servers. */
function addTun({ gateway }: PlannedNode, lines: FamilyLines): void {
  if (gateway?.tun === undefined) return;
  const { name, address, destinations } = gateway.tun;
  lines.v4.push(`tuntap add dev ${name} mode tun`, `link set dev ${name} up`);
  const [family, length] = isIpv6(address) ? [lines.v6, 128] : [lines.v4, 32];
  family.push(addAddress({ address, prefixLength: length, name }));
  family.push(...destinations.map((destination) => `route add ${destination}/${length} dev ${name}`));
}

/** A host whose addresses are our stack's has no routes in the kernel: they would point nowhere. */
function addRoutes(node: PlannedNode, lines: FamilyLines, wanted: (route: PlannedRoute) => boolean): void {
  const owned = new Map(
    node.interfaces.filter(({ kernelAddress }) => kernelAddress).map((planned) => [planned.name, planned]),
  );
  const add = (route: PlannedRoute, table?: number): void => {
    const planned = owned.get(route.interface);
    if (planned === undefined || !wanted(route)) return;
    lines[routeFamily(route, planned)].push(
      [
        `route replace ${route.destination}`,
        ...(route.equalCost === undefined ? [nextHop(route)] : []),
        ...(route.metric === undefined ? [] : [`metric ${route.metric}`]),
        ...(table === undefined ? [] : [`table ${table}`]),
        ...(route.equalCost === undefined ? [] : [route, ...route.equalCost].map((hop) => `nexthop ${nextHop(hop)}`)),
      ].join(" "),
    );
  };
  for (const route of node.routes) add(route);
  for (const { table, routes } of node.sourceRoutes) for (const route of routes) add(route, table);
}

function nextHop({ via, interface: name }: { readonly via?: string; readonly interface: string }): string {
  return via === undefined ? `dev ${name}` : `via ${via} dev ${name}`;
}

function addAddress({
  address,
  prefixLength,
  name,
}: Pick<PlannedInterface, "address" | "prefixLength" | "name">): string {
  return `addr add ${address}/${prefixLength} dev ${name}${isIpv6(address) ? " nodad" : ""}`;
}

function routeFamily(route: PlannedRoute, planned: PlannedInterface): "v4" | "v6" {
  if (route.via !== undefined) return family(route.via);
  return family(route.destination === "default" ? planned.address : route.destination);
}

function family(address: string): "v4" | "v6" {
  return isIpv6(address) ? "v6" : "v4";
}

function isIpv6(address: string): boolean {
  return address.includes(":");
}

function heredoc(command: string, lines: readonly string[]): string {
  return [`${command} <<'END'`, ...lines, "END"].join("\n");
}

function quote(word: string): string {
  return /^[\w./:-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
