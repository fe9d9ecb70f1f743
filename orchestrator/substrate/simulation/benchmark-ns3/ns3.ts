/** The same network in ns-3 (nsnam.org), where its headers are installed: Debian's `libns3-dev`. It knows no MPTCP, so that TCP is compared. */
import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseIpv4, inPrefix, type Ipv4Address } from "../../../../stack/wire/ip-address.ts";
import type { LinkDirectionConfig } from "../../../path/link-direction.ts";
import type { Plan, PlannedNode } from "../../../plan/plan.ts";

export interface Ns3Measured {
  readonly packetHops: number;
  readonly payloadBytes: number;
  /** Of the simulation alone: not of building the network. */
  readonly processorSeconds: number;
}

const modules = ["core", "network", "internet", "point-to-point", "applications", "traffic-control"].map(
  (name) => `ns3-${name}`,
);
const execute = promisify(execFile);

/** Compiles our program against it, into `directory`; undefined: ns-3, pkg-config or a C++ compiler is not there. */
export async function buildNs3(directory: string): Promise<{ program: string; version: string } | undefined> {
  const asked = await execute("pkg-config", ["--modversion", modules[0]!]).catch(() => undefined);
  const compiler = await execute("c++", ["--version"]).catch(() => undefined);
  if (asked === undefined || compiler === undefined) return undefined;
  const program = join(directory, "network");
  const source = join(import.meta.dirname, "network.cc");
  // Not with the flags of pkg-config: Debian's name libraries that only those need who build ns-3 itself.
  await execute("c++", ["-O2", "-std=c++17", "-o", program, source, ...modules.map((name) => `-l${name}`)]);
  return { program, version: asked.stdout.trim() };
}

export async function runNs3(program: string, plan: Plan): Promise<Ns3Measured> {
  const child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  child.stdin.end(describeForNs3(plan));
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== 0) throw new Error(`ns-3 ended with exit code ${String(code)}`);
  return JSON.parse(printed) as Ns3Measured;
}

/** As `network.cc` reads it. Of next hops of equal cost a destination has one: in a permutation that is one for each flow. */
export function describeForNs3(plan: Plan): string {
  const numberOf = new Map(plan.nodes.map(({ name }, number) => [name, number]));
  const lines = [`nodes ${plan.nodes.length}`];
  for (const { ends, forward } of plan.links) {
    const [first, second] = ends.map(({ node }) => numberOf.get(node)!);
    const { rateBitsPerSecond = 1e12, delayMicroseconds = 0 } = forward;
    lines.push(`link ${first} ${second} ${rateBitsPerSecond} ${delayMicroseconds * 1000} ${queueBytes(forward)}`);
  }
  const hosts = plan.nodes.filter(({ kind }) => kind === "host");
  for (const node of plan.nodes)
    for (const [index, host] of hosts.entries()) {
      if (host === node) continue;
      const out = interfaceTowards(node, parseIpv4(host.interfaces[0]!.address)!, index);
      const link = plan.links.findIndex(({ ends }) =>
        ends.some((end) => end.node === node.name && end.interface === out),
      );
      lines.push(`route ${numberOf.get(node.name)} ${numberOf.get(host.name)} ${link}`);
    }
  const bufferOf = new Map(hosts.map(({ name, endpoint }) => [name, endpoint!.sendBufferBytes]));
  for (const workload of plan.workloads) {
    if (workload.kind !== "bulk" || workload.durationMicroseconds === undefined)
      throw new Error(`ns-3 is asked for flows that last, not for ${workload.name}`);
    const { client, server } = workload;
    const seconds = workload.durationMicroseconds / 1e6;
    const from = workload.from === "client" ? client : server;
    const to = from === client ? server : client;
    lines.push(`flow ${numberOf.get(from)} ${numberOf.get(to)} ${seconds} ${bufferOf.get(from)}`);
  }
  return `${lines.join("\n")}\n`;
}

function interfaceTowards(node: PlannedNode, destination: Ipv4Address, choice: number): string {
  const own = node.interfaces.find(({ address, prefixLength }) =>
    inPrefix(destination, parseIpv4(address)!, prefixLength),
  );
  if (own !== undefined) return own.name;
  const matching = node.routes
    .map((route) => {
      const [prefix, length] = (route.destination === "default" ? "0.0.0.0/0" : route.destination).split("/");
      return { route, prefix: parseIpv4(prefix!)!, length: Number(length) };
    })
    .filter(({ prefix, length }) => inPrefix(destination, prefix, length))
    .sort((a, b) => b.length - a.length);
  if (matching.length === 0) return node.interfaces[0]!.name;
  const { route } = matching[0]!;
  const ways = [route.interface, ...(route.equalCost ?? []).map((hop) => hop.interface)];
  return ways[choice % ways.length]!;
}

function queueBytes({ queue = {}, rateBitsPerSecond = Infinity }: LinkDirectionConfig): number {
  const { bytes = Infinity, packets = Infinity, timeMicroseconds = Infinity } = queue;
  return Math.round(Math.min(bytes, packets * 1514, (timeMicroseconds * rateBitsPerSecond) / 8e6, 1e9));
}
