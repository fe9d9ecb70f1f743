/** Two network namespaces with two veth pairs between them, and endpoint programs, bundled as they are shipped, inside them. */
import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { build } from "esbuild";
import { bundledAddonName } from "../io/native/addon.ts";
import { buildNative } from "../io/native/build.ts";
import { bundleExtension, bundleOptions } from "./bundle/bundle-options.ts";
import { LineSplitter } from "./ndjson.ts";
import type { EndpointCommand, EndpointRecord } from "./protocol.ts";
import { removeLeftNamespaces } from "../testing/left-namespaces.ts";
import { askForMptcpPatiently } from "../testing/patient-kernel.ts";

export type Side = "a" | "b";
export type EndpointFlavour = "kernel" | "kernel-mptcp" | "stack";

/** Interface i of side a has 10.77.i.1, of side b 10.77.i.2. */
export function address(side: Side, path: 1 | 2): string {
  return `10.77.${path}.${side === "a" ? 1 : 2}`;
}

export class TwoNamespaces {
  readonly #prefix = `ple${process.pid}`;
  readonly #flavours: Record<Side, EndpointFlavour>;
  readonly #endpoints: EndpointUnderTest[] = [];

  constructor(flavours: Record<Side, EndpointFlavour>) {
    this.#flavours = flavours;
  }

  name(side: Side): string {
    return `${this.#prefix}${side}`;
  }

  up(): void {
    const { prefix, a, b } = { prefix: this.#prefix, a: this.name("a"), b: this.name("b") };
    removeLeftNamespaces("ple");
    ip(`netns add ${a}`, `netns add ${b}`);
    for (const path of [1, 2] as const) {
      ip(`link add ${prefix}${path} netns ${a} type veth peer name ${prefix}${path} netns ${b}`);
      for (const side of ["a", "b"] as const) {
        const inside = `-n ${this.name(side)}`;
        ip(`${inside} link set ${prefix}${path} up address ${mac(side, path)}`);
        if (this.#flavours[side] !== "stack") ip(`${inside} addr add ${address(side, path)}/24 dev ${prefix}${path}`);
      }
    }
    for (const side of ["a", "b"] as const) {
      ip(`-n ${this.name(side)} link set lo up`);
      execFileSync("ip", ["netns", "exec", this.name(side), "sysctl", "-qw", "net.ipv4.tcp_congestion_control=reno"]);
      if (this.#flavours[side] !== "kernel-mptcp") continue;
      askForMptcpPatiently(this.name(side));
      ip(`-n ${this.name(side)} mptcp limits set subflow 4 add_addr_accepted 4`);
      // The server tells of its second address; the client needs no endpoint of its own to go there.
      if (side === "b") ip(`-n ${this.name(side)} mptcp endpoint add ${address(side, 2)} dev ${this.#prefix}2 signal`);
    }
  }

  /** Ends the endpoints, whatever a failed test left them at. */
  async down(): Promise<void> {
    for (const endpoint of this.#endpoints) endpoint.closeInput();
    await Promise.all(this.#endpoints.map(({ exited }) => exited));
    for (const side of ["a", "b"] as const) ip(`netns del ${this.name(side)}`);
  }

  /** Subflows that joined a connection and were accepted by this side, as its kernel counts, or as our stack tells. */
  acceptedJoins(side: Side, endpoint: EndpointUnderTest): number {
    if (this.#flavours[side] === "stack") {
      const established = endpoint.ofType("event").filter(({ event }) => event.name === "mptcp:subflow-established");
      return established.filter(({ event }) => event.section === "RFC 8684 §3.2").length;
    }
    const counter = ["-asz", "MPTcpExtMPJoinAckRx"];
    const said = execFileSync("ip", ["netns", "exec", this.name(side), "nstat", ...counter], { encoding: "utf8" });
    return Number(/MPTcpExtMPJoinAckRx\s+(\d+)/.exec(said)?.[1]);
  }

  /** A started endpoint program. */
  async endpoint(side: Side): Promise<EndpointUnderTest> {
    const flavour = this.#flavours[side];
    const wrapper = flavour === "kernel-mptcp" ? ["mptcpize", "run"] : [];
    const endpoint = new EndpointUnderTest(["ip", "netns", "exec", this.name(side), ...wrapper]);
    this.#endpoints.push(endpoint);
    const options = {
      name: side,
      mptcp: true,
      congestionControl: "reno",
      scheduler: "min-rtt",
      pathManager: "full-mesh",
      interfaces: ([1, 2] as const).map((path) => ({
        name: `${this.#prefix}${path}`,
        mac: mac(side, path),
        mtu: 1500,
        gso: true,
        addresses: [{ address: address(side, path), prefixLength: 24 }],
      })),
    } as const;
    const transport =
      flavour === "stack" ? ({ kind: "stack", options, seed: 7 } as const) : ({ kind: "kernel" } as const);
    endpoint.say({ do: "start", host: side, transport, metricsIntervalMicroseconds: 50_000 });
    await endpoint.next((record) => record.type === "ready");
    return endpoint;
  }
}

let bundleDirectory: string | undefined;

/** Path of the bundled program; made once. */
export async function bundleEndpoint(): Promise<string> {
  if (bundleDirectory === undefined) {
    bundleDirectory = mkdtempSync(join(tmpdir(), "pathlab-endpoint-test-"));
    copyFileSync(buildNative(), join(bundleDirectory, bundledAddonName));
    await build({
      ...bundleOptions,
      entryPoints: [new URL("main.ts", import.meta.url).pathname],
      outfile: join(bundleDirectory, `endpoint${bundleExtension}`),
      logLevel: "error",
    });
  }
  return join(bundleDirectory, `endpoint${bundleExtension}`);
}

export function removeBundle(): void {
  if (bundleDirectory !== undefined) rmSync(bundleDirectory, { recursive: true });
  bundleDirectory = undefined;
}

/** Call `bundleEndpoint` before. */
export class EndpointUnderTest {
  readonly records: EndpointRecord[] = [];
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Set<() => void>();

  constructor(wrapper: readonly string[]) {
    const argv = [...wrapper, process.execPath, join(bundleDirectory ?? "", `endpoint${bundleExtension}`)];
    this.#process = spawn("env", argv, { stdio: ["pipe", "pipe", "inherit"] });
    this.#process.stdin.on("error", () => undefined);
    const lines = new LineSplitter();
    this.#process.stdout.on("data", (chunk: Buffer) => {
      this.records.push(...lines.push(chunk).map((line) => JSON.parse(line) as EndpointRecord));
      for (const wake of this.#waiting) wake();
    });
    this.exited = new Promise((resolve) => {
      this.#process.once("close", (code) => {
        resolve(code);
        for (const wake of this.#waiting) wake();
      });
    });
  }

  say(command: EndpointCommand): void {
    this.write(`${JSON.stringify(command)}\n`);
  }

  write(text: string): void {
    this.#process.stdin.write(text);
  }

  closeInput(): void {
    this.#process.stdin.end();
  }

  /** The first record that matches, said already or yet to come. Rejects when the program ends without it. */
  next<Record extends EndpointRecord>(matches: (record: EndpointRecord) => boolean): Promise<Record> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.records.find(matches);
        if (found !== undefined) resolve(found as Record);
        else if (this.#process.exitCode !== null) reject(new Error(`ended; it said ${JSON.stringify(this.records)}`));
        else return;
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  ofType<Type extends EndpointRecord["type"]>(type: Type): Extract<EndpointRecord, { type: Type }>[] {
    return this.records.filter((record): record is Extract<EndpointRecord, { type: Type }> => record.type === type);
  }

  async stop(): Promise<number | null> {
    this.say({ do: "stop" });
    return this.exited;
  }
}

function mac(side: Side, path: number): string {
  return `02:77:00:00:0${path}:0${side === "a" ? 1 : 2}`;
}

function ip(...commands: readonly string[]): void {
  for (const command of commands) execFileSync("ip", command.split(" "), { stdio: ["ignore", "pipe", "inherit"] });
}
