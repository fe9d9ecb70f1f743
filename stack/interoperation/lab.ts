/** A lab of one case: our stack and the Linux kernel in namespaces of their own, with the fabric between them. */

import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { FastOpenClient } from "./fast-open-client.ts";
import { Fabric, interfaceName, ipAddress, type Port, type Role } from "./fabric.ts";
import { interfaceInfo } from "../io/link-events.ts";
import { type KernelCounters, KernelPeer, type KernelStream } from "./kernel-peer.ts";
import type { Subflow } from "../mptcp/subflow.ts";
import { configureKernel, type KernelSetup, makeNamespaces, Names } from "./namespaces.ts";
import { OurPeer, type OurOptions, type OurStream } from "./our-peer.ts";
import { isIntact, type Stream } from "./stream.ts";
import { removeLeftNamespaces } from "../testing/left-namespaces.ts";

const run = promisify(execFile);
const port = 7000;
/** Of the payload of each. */
const seeds: Readonly<Record<Role, number>> = { client: 11, server: 22 };
const pollMilliseconds = 4;

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
  /** Our stack asks for TCP Fast Open, or takes it; default false. */
  fastOpen?: boolean;
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
  readonly #fastOpenClients: FastOpenClient[] = [];

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
    await Promise.all([this.kernel, ...this.#fastOpenClients].map((end) => end.stop()));
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
    } else this.ours.listen(port, this.options.fastOpen ?? false);
  }

  /** One more connection is asked for, from the client's first address to the server's first. */
  begin(): void {
    const [from, to] = [this.address("client", 1), this.address("server", 1)];
    if (this.oursIsClient) this.ours.connect(to, port, from, this.options.fastOpen ?? false);
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

  /** Sets a variable of the kernel's namespace. */
  async sysctl(name: string, value: string): Promise<void> {
    await run("ip", ["netns", "exec", this.#names.of("kernel"), "sysctl", "-qw", `${name}=${value}`]);
  }

  /** `ss` in the kernel's namespace. */
  async ss(...options: readonly string[]): Promise<string> {
    const { stdout } = await run("ip", ["netns", "exec", this.#names.of("kernel"), "ss", ...options]);
    return stdout;
  }

  /** A client on the kernel's sockets asks the server's first address with TCP Fast Open, for as many bytes of its payload. */
  fastOpenRequest(bytes: number): FastOpenClient {
    const protocol = (this.options.kernel?.mptcp ?? true) ? "mptcp" : "tcp";
    const target = { namespace: this.#names.of("kernel"), protocol, address: this.address("server", 1), port } as const;
    const client = new FastOpenClient(target, seeds.client, bytes);
    this.#fastOpenClients.push(client);
    return client;
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
