/** A lab of one case: our stack and the Linux kernel in namespaces of their own, with the fabric between them. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Fabric, interfaceName, ipAddress, macAddress, network, type Port, type Role } from "./fabric.ts";
import { interfaceInfo } from "../io/link-events.ts";
import { type KernelCounters, KernelPeer, type KernelStream } from "./kernel-peer.ts";
import type { Subflow } from "../mptcp/subflow.ts";
import { OurPeer, type OurOptions, type OurStream } from "./our-peer.ts";
import { isIntact, type Stream } from "./stream.ts";
import { removeLeftNamespaces } from "../testing/left-namespaces.ts";

const run = promisify(execFile);
const port = 7000;
const pollMilliseconds = 4;

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

export interface LabOptions {
  /** The role of our stack; the kernel has the other. */
  ours: Role;
  /** Default 1. */
  clientAddresses?: number;
  serverAddresses?: number;
  /** Interfaces of either side, by index from 1, whose address is IPv6; default none. */
  ipv6?: "all" | Readonly<Record<Role, readonly number[]>>;
  /** The kernel's sockets are of AF_INET6, and IPv4 addresses appear in them as mapped ones (RFC 4291 §2.5.5.2). */
  mapped?: boolean;
  kernel?: KernelSetup;
  our?: OurOptions;
  /** How long a condition is waited for. */
  deadlineMilliseconds: number;
}

/** What a case waited for did not come. */
export class DeadlineError extends Error {}

let labs = 0;

export class Lab {
  readonly ours: OurPeer;
  readonly kernel: KernelPeer;
  readonly fabric: Fabric;
  readonly options: LabOptions;
  readonly #names: Names;

  private constructor(options: LabOptions, names: Names, fabric: Fabric, ours: OurPeer, kernel: KernelPeer) {
    this.options = options;
    this.#names = names;
    this.fabric = fabric;
    this.ours = ours;
    this.kernel = kernel;
  }

  static async open(options: LabOptions): Promise<Lab> {
    if (labs === 0) removeLeftNamespaces("plio");
    const names = new Names(`plio${process.pid}n${labs++}`);
    const ports = (role: Role): Port[] =>
      Array.from({ length: options[`${role}Addresses`] ?? 1 }, (_, i) => portOf(options, role, i + 1));
    const kernelRole: Role = options.ours === "client" ? "server" : "client";
    const all = [...ports("client"), ...ports("server")];
    const seeds = { client: 11, server: 22 };
    let lab: Lab;
    try {
      await makeNamespaces(names, all, options.ours);
      await configureKernel(names.of("kernel"), kernelRole, ports(kernelRole), options.kernel ?? {});
      const fabric = new Fabric(names.path("middle"), all);
      const ours = new OurPeer(names.path("ours"), ports(options.ours), options.our ?? {}, seeds[options.ours]);
      const kernel = new KernelPeer(names.of("kernel"), options.kernel?.mptcp ?? true, seeds[kernelRole]);
      lab = new Lab(options, names, fabric, ours, kernel);
    } catch (error) {
      await names.remove();
      throw error;
    }
    try {
      await lab.#untilCarrier(all);
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  /** A link that has just come up loses what is sent before the kernel's link watch has run, up to a second later. */
  async #untilCarrier(ports: readonly Port[]): Promise<void> {
    const places = ports.flatMap((port) => {
      const side = port.role === this.options.ours ? ("ours" as const) : ("kernel" as const);
      return [side, "middle" as const].map((place) => [this.#names.path(place), interfaceName(port)] as const);
    });
    await this.until("all links run", () => places.every(([path, name]) => interfaceInfo(path, name).running));
  }

  async close(): Promise<void> {
    this.ours.stop();
    this.fabric.close();
    await this.kernel.stop();
    await this.#names.remove();
  }

  get #deadlineMilliseconds(): number {
    return this.options.deadlineMilliseconds;
  }

  get oursIsClient(): boolean {
    return this.options.ours === "client";
  }

  get kernelRole(): Role {
    return this.oursIsClient ? "server" : "client";
  }

  get client(): Stream {
    return this.oursIsClient ? this.ours.streams[0]! : this.kernel.streams[0]!;
  }

  get server(): Stream {
    return this.oursIsClient ? this.kernel.streams[0]! : this.ours.streams[0]!;
  }

  get ourStream(): OurStream {
    return this.ours.streams[0]!;
  }

  get kernelStream(): KernelStream {
    return this.kernel.streams[0]!;
  }

  counters(): KernelCounters {
    return this.kernel.counters();
  }

  port(role: Role, index: number): Port {
    return portOf(this.options, role, index);
  }

  address(role: Role, index: number): string {
    return ipAddress(this.port(role, index));
  }

  /** The server listens. */
  async listen(): Promise<void> {
    if (this.oursIsClient) {
      const { ipv6, mapped } = this.options;
      this.kernel.listen(ipv6 !== undefined || mapped === true ? "::" : "0.0.0.0", port);
      await this.until("the kernel listens", () => this.kernel.listening);
    } else this.ours.listen(port);
  }

  /** One more connection is asked for, from the client's first address to the server's first. */
  begin(): void {
    const [from, to] = [this.address("client", 1), this.address("server", 1)];
    if (this.oursIsClient) this.ours.connect(to, port, from);
    else if (this.options.mapped === true) this.kernel.connect(`::ffff:${to}`, port, `::ffff:${from}`);
    else this.kernel.connect(to, port, from);
  }

  /** One connection, known to both. */
  async connect(): Promise<void> {
    await this.listen();
    this.begin();
    await this.until("both ends are connected", () => {
      const failure = this.ours.streams[0]?.error ?? this.kernel.streams[0]?.error;
      if (failure !== undefined) throw new Error(`connecting failed: ${failure}`);
      return this.ours.streams[0]?.connected === true && this.kernel.streams[0]?.connected === true;
    });
  }

  /** Waits for a condition; it is looked at every few milliseconds. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const deadline = performance.now() + this.#deadlineMilliseconds;
    while (!holds()) {
      if (this.kernel.failure !== undefined) throw new Error(this.kernel.failure);
      if (performance.now() > deadline)
        throw new DeadlineError(`not within ${this.#deadlineMilliseconds} ms: ${what}\n${this.describe()}`);
      await delay(pollMilliseconds);
    }
  }

  /** The same for a condition that takes time to look at. */
  async untilAsync(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + this.#deadlineMilliseconds;
    while (!(await holds())) {
      if (performance.now() > deadline)
        throw new DeadlineError(`not within ${this.#deadlineMilliseconds} ms: ${what}\n${this.describe()}`);
      await delay(20);
    }
  }

  /** Pulls the cable of an interface, or puts it back: the host loses or gets its carrier. */
  async cable(port: Port, state: "up" | "down"): Promise<void> {
    await run("ip", ["-n", this.#names.of("middle"), "link", "set", interfaceName(port), state]);
  }

  /** The cable of our interface with this index. */
  async ourCable(index: number, state: "up" | "down"): Promise<void> {
    await this.cable({ role: this.options.ours, index }, state);
  }

  /** Waits until all that was sent so far has arrived at the other side, whole. */
  async delivered(): Promise<void> {
    const arrived = (): boolean =>
      this.server.received.bytes >= this.client.sent && this.client.received.bytes >= this.server.sent;
    await this.until("all bytes arrived", arrived);
    for (const [from, to, way] of [
      [this.client, this.server, "up"],
      [this.server, this.client, "down"],
    ] as const)
      if (!isIntact(from, to))
        throw new Error(`${way}: ${to.received.bytes} bytes of ${from.sent}, not those that were sent`);
  }

  /** Sends so many bytes each way and waits for them. */
  async transfer({ up = 0, down = 0 }: { up?: number; down?: number }): Promise<void> {
    if (up > 0) this.client.send(up);
    if (down > 0) this.server.send(down);
    await this.delivered();
  }

  /** Both ends close in order, the client first, and nobody sees an error. */
  async finish(): Promise<void> {
    this.client.end();
    this.server.end();
    await this.until("both ends are closed", () => this.client.closed && this.server.closed);
    const errors = [this.client.error, this.server.error];
    if (errors.some((error) => error !== undefined)) throw new Error(`ended with errors: ${errors.join(", ")}`);
  }

  /** Our subflow between these two interfaces, by index from 1. @throws Error when there is none */
  ourSubflow(clientIndex: number, serverIndex = 1): Subflow {
    const addresses = [this.address("client", clientIndex), this.address("server", serverIndex)].sort();
    const found = this.ours.connection.subflows.find(
      ({ addresses: { localAddress, remoteAddress } }) =>
        [localAddress, remoteAddress].sort().join() === addresses.join(),
    );
    if (found === undefined) throw new Error(`no subflow between ${addresses.join(" and ")}\n${this.describe()}`);
    return found;
  }

  /** `ip` in the kernel's namespace. */
  async ip(command: string): Promise<void> {
    await run("ip", ["-n", this.#names.of("kernel"), ...command.split(" ")]);
  }

  /** `ss` in the kernel's namespace. */
  async ss(...options: readonly string[]): Promise<string> {
    const { stdout } = await run("ip", ["netns", "exec", this.#names.of("kernel"), "ss", ...options]);
    return stdout;
  }

  /** What both sides say at this moment, for messages. */
  describe(): string {
    const counters = Object.entries(this.counters())
      .filter(([name, value]) => value !== 0 && !/^(Tcp|Ip)Ext/.test(name))
      .map(([name, value]) => `${name}=${value}`);
    const info = this.ours.streams[0]?.info;
    const subflows = info?.subflows.map(
      ({ localAddress, remoteAddress, state, backup, stale }) =>
        `${localAddress}>${remoteAddress} ${state}${backup ? " backup" : ""}${stale ? " stale" : ""}`,
    );
    const events = this.ours.events.slice(-12).map(({ name, ...rest }) => {
      const { time: _, section: __, connection: ___, ...facts } = rest as Record<string, unknown>;
      return `  ${name} ${JSON.stringify(facts)}`;
    });
    return [
      `ours (${this.options.ours}): ${summary(this.ours.streams[0])}; mptcp ${info?.mptcp} ${info?.fallbackReason ?? ""} ${subflows?.join("; ")}`,
      `kernel: ${summary(this.kernel.streams[0])}; ${counters.join(" ")}`,
      ...events,
    ].join("\n");
  }
}

function summary(stream: Stream | undefined): string {
  if (stream === undefined) return "none";
  const { sent, received, remoteEnded, closed, error = "" } = stream;
  return `sent ${sent} received ${received.bytes} ended ${remoteEnded} closed ${closed} ${error}`;
}

function portOf({ ipv6 }: LabOptions, role: Role, index: number): Port {
  return ipv6 === "all" || ipv6?.[role].includes(index) === true ? { role, index, family: "ipv6" } : { role, index };
}

type Place = "ours" | "kernel" | "middle";

class Names {
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

async function makeNamespaces(names: Names, ports: readonly Port[], ours: Role): Promise<void> {
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

async function configureKernel(
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
