/** Two network namespaces with one or two veth pairs between them, made for one measurement and removed after it. */

import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { interfaceInfo } from "../io/link-events.ts";
import { ipBatch, run } from "./ip.ts";
import { shapedLink, shapeLinks } from "./shaped-links.ts";
import { removeLeftNamespaces } from "../testing/left-namespaces.ts";

export const labPrefix = "plbench";

export type Side = "client" | "server";
export const sides: readonly Side[] = ["client", "server"];

/** Who speaks at an end: our stack, or the kernel's. */
export type Stack = "ours" | "kernel";

export type LabOptions = {
  stacks: Readonly<Record<Side, Stack>>;
  /** veth pairs, each a network of its own. */
  paths: number;
  /** False: every packet that crosses is one of at most 1500 bytes. */
  offload: boolean;
  congestionControl: string;
  /** Of each path, in either direction; undefined: as fast as the machine is. */
  bitsPerSecond?: number;
};

export type LabInterface = { name: string; mac: string; address: string };

export const mtu = 1_500;
export const prefixLength = 24;

/** Of every namespace with a kernel's end; buffers large enough that they limit nobody. */
export const kernelSettings: Readonly<Record<string, string>> = {
  "net.ipv4.tcp_rmem": "4096 131072 33554432",
  "net.ipv4.tcp_wmem": "4096 131072 33554432",
  // Metrics of the last connection to the same address would be the next one's.
  "net.ipv4.tcp_no_metrics_save": "1",
  "net.ipv4.tcp_max_syn_backlog": "8192",
  "net.ipv4.ip_local_port_range": "10000 65000",
  // The kernel stops asking for MPTCP in the whole namespace when SYNs with options seem to get lost.
  "net.mptcp.blackhole_timeout": "0",
};

/** Where what comes in for the kernel's stack goes through it. Where ours receives, a frame is only put into a socket: to interrupt another processor for that costs more than it is. */
const receivingProcessor: Readonly<Record<Side, number>> = { client: 0, server: cpus().length - 1 };

let labs = 0;
const open = new Set<Lab>();

export class Lab {
  readonly options: LabOptions;
  readonly #prefix: string;

  private constructor(options: LabOptions) {
    this.options = options;
    this.#prefix = `${labPrefix}${process.pid}n${labs++}`;
  }

  static async open(options: LabOptions): Promise<Lab> {
    if (labs === 0) removeLeftNamespaces(labPrefix);
    const lab = new Lab(options);
    open.add(lab);
    try {
      await lab.#make();
      return lab;
    } catch (error) {
      lab.close();
      throw error;
    }
  }

  /** What an exit in the middle of a measurement would leave. */
  static closeAll(): void {
    for (const lab of open) lab.close();
  }

  namespace(side: Side): string {
    return `${this.#prefix}${side[0]}`;
  }

  interfaces(side: Side): LabInterface[] {
    const host = side === "client" ? 1 : 2;
    return Array.from({ length: this.options.paths }, (_, path) => ({
      name: `path${path}`,
      mac: `02:62:00:00:0${path}:0${host}`,
      address: `10.98.${path}.${host}`,
    }));
  }

  /** Does not wait for anything, so that it can be done on the way out as well. */
  close(): void {
    open.delete(this);
    for (const namespace of this.#namespaces) {
      try {
        execFileSync("ip", ["netns", "del", namespace], { stdio: "pipe" });
      } catch {
        // It was not made, or is gone already.
      }
    }
  }

  get #namespaces(): string[] {
    const hosts = sides.map((side) => this.namespace(side));
    return this.options.bitsPerSecond === undefined ? hosts : [...hosts, this.#middle];
  }

  get #middle(): string {
    return `${this.#prefix}m`;
  }

  async #make(): Promise<void> {
    await ipBatch(this.#namespaces.map((namespace) => `netns add ${namespace}`));
    await (this.options.bitsPerSecond === undefined
      ? this.#joinDirectly()
      : this.#joinShaped(this.options.bitsPerSecond));
    await Promise.all(sides.map((side) => this.#configure(side)));
    await this.#untilCarrier();
  }

  #joinDirectly(): Promise<void> {
    const servers = this.interfaces("server");
    return ipBatch(
      this.interfaces("client").map(
        ({ name, mac }, path) =>
          `${this.#veth("client", name, mac)} peer name ${name} netns ${this.namespace("server")} address ${servers[path]!.mac}`,
      ),
    );
  }

  async #joinShaped(bitsPerSecond: number): Promise<void> {
    const links = this.interfaces("client").map((_, path) => shapedLink(path));
    await ipBatch(
      sides.flatMap((side) =>
        this.interfaces(side).map(
          ({ name, mac }, path) =>
            `${this.#veth(side, name, mac)} peer name ${links[path]![`${side}End`]} netns ${this.#middle}`,
        ),
      ),
    );
    await shapeLinks(this.#middle, links, bitsPerSecond);
  }

  #veth(side: Side, name: string, mac: string): string {
    return `link add ${name} netns ${this.namespace(side)} address ${mac} type veth`;
  }

  async #configure(side: Side): Promise<void> {
    const namespace = this.namespace(side);
    const interfaces = this.interfaces(side);
    const isKernel = this.options.stacks[side] === "kernel";
    if (isKernel) {
      const settings = { ...kernelSettings, "net.ipv4.tcp_congestion_control": this.options.congestionControl };
      const values = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
      await run("ip", ["netns", "exec", namespace, "sysctl", "-qw", ...values]);
    }
    // Where our stack has the address the kernel has none, and says nothing.
    await ipBatch(
      interfaces.flatMap(({ name, address }) => [
        `link set ${name} ${isKernel ? "" : "addrgenmode none "}up`,
        ...(isKernel ? [`address add ${address}/${prefixLength} dev ${name}`] : []),
      ]),
      namespace,
    );
    for (const { name } of interfaces) {
      await (isKernel ? steer(namespace, name, receivingProcessor[side]) : keepFromKernel(namespace, name));
      const state = this.options.offload ? "on" : "off";
      await run("ip", ["netns", "exec", namespace, "ethtool", "-K", name, "gso", state, "tso", state, "gro", "off"]);
    }
    if (isKernel && interfaces.length > 1) await this.#allowSubflows(side, namespace, interfaces.slice(1));
  }

  /** One subflow for each path: the server tells its further addresses, and the client joins there from wherever its routes lead. */
  async #allowSubflows(side: Side, namespace: string, further: readonly LabInterface[]): Promise<void> {
    const limits = `mptcp limits set subflow ${further.length} add_addr_accepted ${further.length}`;
    const signals = further.map(({ name, address }) => `mptcp endpoint add ${address} dev ${name} signal`);
    await ipBatch([limits, ...(side === "server" ? signals : [])], namespace);
  }

  /** A link that has just come up loses what is sent before the kernel's link watch has run, up to a second later. */
  async #untilCarrier(): Promise<void> {
    const running = (): boolean =>
      sides.every((side) =>
        this.interfaces(side).every(({ name }) => interfaceInfo(`/run/netns/${this.namespace(side)}`, name).running),
      );
    while (!running()) await delay(5);
  }
}

/** What one processor takes in stays in order, whatever processors it was sent from (rps_cpus is a mask). */
async function steer(namespace: string, name: string, processor: number): Promise<void> {
  const mask = (2 ** processor).toString(16);
  const file = `/sys/class/net/${name}/queues/rx-0/rps_cpus`;
  await run("ip", ["netns", "exec", namespace, "sh", "-c", `echo ${mask} > ${file}`]);
}

/** What our socket has heard goes no further: the kernel would look for a route for each packet before it drops it (tc-bpf(8): all of it is shot). */
async function keepFromKernel(namespace: string, name: string): Promise<void> {
  const tc = (...words: string[]): Promise<unknown> => run("ip", ["netns", "exec", namespace, "tc", ...words]);
  await tc("qdisc", "add", "dev", name, "clsact");
  await tc("filter", "add", "dev", name, "ingress", "bpf", "direct-action", "bytecode", "1,6 0 0 2,");
}
