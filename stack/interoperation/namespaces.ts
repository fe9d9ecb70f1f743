/** The namespaces of a lab: ours, the kernel's with its settings, and the one between them, where the fabric is. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { interfaceName, ipAddress, macAddress, network, type Port, type Role } from "./fabric.ts";

const run = promisify(execFile);

export interface KernelSetup {
  /** Default true; false: its sockets are plain TCP. */
  mptcp?: boolean;
  /** It asks without MPTCP when SYNs with it are not answered; default false. */
  fallsBackUnanswered?: boolean;
  /** `ip mptcp limits`: default 8 each. */
  subflows?: number;
  addressesAccepted?: number;
  /** After `ip mptcp endpoint add`; default: further addresses as `subflow` of a client, as `signal` of a server. */
  endpoints?: readonly string[];
  /** Beyond those that every lab sets. */
  sysctls?: Readonly<Record<string, string | number>>;
}

type Place = "ours" | "kernel" | "middle";

/** The three namespaces of a lab, by what they are called on this machine. */
export class Names {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  of(place: Place): string {
    return `${this.#prefix}${place[0]}`;
  }

  path(place: Place): string {
    return `/run/netns/${this.of(place)}`;
  }

  async remove(): Promise<void> {
    await Promise.allSettled(
      (["ours", "kernel", "middle"] as const).map((place) => run("ip", ["netns", "del", this.of(place)])),
    );
  }
}

/** Our side has its interfaces, the middle their far ends; the links of those two are up, the kernel's come up when it is configured. */
export async function makeNamespaces(names: Names, ports: readonly Port[], ours: Role): Promise<void> {
  const places = ["ours", "kernel", "middle"] as const;
  await batch(places.map((place) => `netns add ${names.of(place)}`));
  await batch(
    ports.map((port) => {
      const side = names.of(port.role === ours ? "ours" : "kernel");
      const name = interfaceName(port);
      return `link add ${name} netns ${side} address ${macAddress(port)} type veth peer name ${name} netns ${names.of("middle")}`;
    }),
  );
  // Where only packet sockets listen, the kernel has no address of its own and says nothing.
  const silent = (role: (port: Port) => boolean): string[] =>
    ports.filter(role).map((port) => `link set ${interfaceName(port)} addrgenmode none`);
  const links = (role: (port: Port) => boolean): string[] =>
    ["lo", ...ports.filter(role).map(interfaceName)].map((name) => `link set ${name} up`);
  await Promise.all([
    batch([...silent(() => true), ...links(() => true)], names.of("middle")),
    batch([...silent(({ role }) => role === ours), ...links(({ role }) => role === ours)], names.of("ours")),
  ]);
}

export async function configureKernel(
  namespace: string,
  role: Role,
  ports: readonly Port[],
  setup: KernelSetup,
): Promise<void> {
  const sysctls = {
    // The kernel stops asking for MPTCP in the whole namespace when SYNs with options seem to get lost.
    "net.mptcp.blackhole_timeout": 0,
    // A busy machine may keep us from answering it for seconds.
    ...(!setup.fallsBackUnanswered &&
      existsSync("/proc/sys/net/mptcp/syn_retrans_before_tcp_fallback") && {
        "net.mptcp.syn_retrans_before_tcp_fallback": 100,
      }),
    "net.mptcp.add_addr_timeout": 1,
    "net.ipv4.tcp_congestion_control": "reno",
    // Each interface answers for its own address alone, as if the links were apart.
    "net.ipv4.conf.all.arp_ignore": 1,
    "net.ipv4.conf.all.arp_announce": 2,
    "net.ipv4.conf.all.rp_filter": 0,
    "net.ipv4.conf.default.rp_filter": 0,
    ...setup.sysctls,
  };
  const values = Object.entries(sysctls).map(([name, value]) => `${name}=${value}`);
  await run("ip", ["netns", "exec", namespace, "sysctl", "-qw", ...values]);
  const endpoints =
    setup.endpoints ??
    ports
      .slice(1)
      .map((port) => `${ipAddress(port)} dev ${interfaceName(port)} ${role === "client" ? "subflow" : "signal"}`);
  await batch(["link set lo up", ...ports.map((port) => `link set ${interfaceName(port)} up`)], namespace);
  for (const [family, flag] of [
    ["ipv4", "-4"],
    ["ipv6", "-6"],
  ] as const) {
    const { prefix, prefixLength } = network[family];
    const lines = ports
      .filter((port) => (port.family ?? "ipv4") === family)
      .flatMap((port) => {
        const [name, address] = [interfaceName(port), ipAddress(port)];
        return [
          `address add ${address}/${prefixLength} dev ${name}${family === "ipv6" ? " nodad" : ""}`,
          `rule add from ${address} table ${port.index}`,
          `route add ${prefix}/${prefixLength} dev ${name} src ${address} table ${port.index}`,
        ];
      });
    if (lines.length > 0) await batch(lines, namespace, flag);
  }
  await batch(
    [
      `mptcp limits set subflow ${setup.subflows ?? 8} add_addr_accepted ${setup.addressesAccepted ?? 8}`,
      ...endpoints.map((endpoint) => `mptcp endpoint add ${endpoint}`),
    ],
    namespace,
  );
}

/** Lines for `ip`, in order; an error in one is an error of all. */
async function batch(lines: readonly string[], namespace?: string, ...flags: string[]): Promise<void> {
  const child = run("ip", [...flags, ...(namespace === undefined ? [] : ["-n", namespace]), "-batch", "-"]);
  child.child.stdin!.end(`${lines.join("\n")}\n`);
  await child;
}
