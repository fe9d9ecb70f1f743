/** Two machines, as network namespaces, with two paths between them, on which the commands of a page of docs/ are run as a reader would. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { removeLeftNamespaces } from "../testing/left-namespaces.ts";
import { askForMptcpPatiently } from "../testing/patient-kernel.ts";

export type Machine = "client" | "server";

const root = join(import.meta.dirname, "../..");
const interfaces = { client: ["wlan0", "wwan0"], server: ["eth0", "eth1"] } as const;

/** The blocks of a page that are marked `sh MACHINE NAME`, by `MACHINE NAME`. */
function blocksOf(page: string): Map<string, string> {
  const text = readFileSync(join(root, page), "utf8");
  return new Map([...text.matchAll(/^```sh (\w+ [\w-]+)\n([^]*?)^```$/gm)].map(([, name, block]) => [name!, block!]));
}

export class TwoMachines {
  readonly #page: string;
  readonly #family: string;
  readonly #prefix: string;
  readonly #blocks: ReadonlyMap<string, string>;
  readonly #processes: ChildProcess[] = [];

  /** `page`: from the root of the repository. `family`: three letters with which the namespaces of the test begin. */
  constructor(page: string, family: string) {
    this.#page = page;
    this.#family = family;
    this.#prefix = `${family}${process.pid}`;
    this.#blocks = blocksOf(page);
  }

  up(): void {
    removeLeftNamespaces(this.#family);
    for (const machine of ["client", "server"] as const) {
      ip(`netns add ${this.#name(machine)}`);
      ip(`-n ${this.#name(machine)} link set lo up`);
      askForMptcpPatiently(this.#name(machine));
    }
    for (const path of [0, 1] as const) this.addPath(path);
  }

  /** At first, and when it has been deleted: another device of the name at both ends. */
  addPath(path: 0 | 1): void {
    const [near, far] = [interfaces.client[path], interfaces.server[path]];
    ip(`link add ${near} netns ${this.#name("client")} type veth peer name ${far} netns ${this.#name("server")}`);
    // The machines have addresses of their own on the same networks, as machines do.
    ip(`-n ${this.#name("client")} address add 10.77.${path + 1}.1/24 dev ${near}`);
    ip(`-n ${this.#name("server")} address add 10.77.${path + 1}.2/24 dev ${far}`);
    ip(`-n ${this.#name("client")} link set ${near} up`);
    ip(`-n ${this.#name("server")} link set ${far} up`);
  }

  async down(): Promise<void> {
    const running = this.#processes.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    for (const child of running) child.kill("SIGTERM");
    await Promise.all(running.map((child) => once(child, "exit")));
    for (const machine of ["client", "server"] as const) ip(`netns del ${this.#name(machine)}`);
  }

  /** Names of the page's blocks, `MACHINE NAME`. */
  get blocks(): string[] {
    return [...this.#blocks.keys()];
  }

  /** Runs the page's block to its end; returns what it wrote. */
  run(machine: Machine, block: string): string {
    return execFileSync("ip", this.#shell(machine, this.#block(machine, block)), {
      encoding: "utf8",
      ...this.#spawning,
    });
  }

  /** Starts the page's block, which is one command that goes on. */
  start(machine: Machine, block: string): ChildProcess {
    return this.spawn(machine, `exec ${this.#block(machine, block).trim()}`);
  }

  /** Starts a shell's command on the machine. Its streams are pipes. */
  spawn(machine: Machine, command: string): ChildProcess {
    const child = spawn("ip", this.#shell(machine, command), { stdio: ["pipe", "pipe", "pipe"], ...this.#spawning });
    this.#processes.push(child);
    return child;
  }

  /** Starts a program of Node on the machine, over the kernel's sockets; what it writes comes line by line. `under`: a command that runs it. */
  application(machine: Machine, program: string, under: readonly string[] = []): Application {
    const argv = ["netns", "exec", this.#name(machine), ...under, process.execPath, "-e", program];
    const child = spawn("ip", argv, { stdio: ["pipe", "pipe", "inherit"] });
    this.#processes.push(child);
    return new Application(child);
  }

  /** Takes a path away, or gives it back. */
  setPath(path: 0 | 1, state: "up" | "down"): void {
    ip(`-n ${this.#name("server")} link set ${interfaces.server[path]} ${state}`);
  }

  /** The device of a path is deleted at both ends, as one that is pulled out. */
  deletePath(path: 0 | 1): void {
    ip(`-n ${this.#name("client")} link delete ${interfaces.client[path]}`);
  }

  /** Bytes that the machine has received on the path. */
  receivedBytes(machine: Machine, path: 0 | 1): number {
    const argv = ["-n", this.#name(machine), "-s", "-j", "link", "show", interfaces[machine][path]];
    const [link] = JSON.parse(execFileSync("ip", argv, { encoding: "utf8" })) as [
      { stats64: { rx: { bytes: number } } },
    ];
    return link.stats64.rx.bytes;
  }

  get #spawning() {
    // `node` of the page is the one that runs the tests.
    const path = `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
    return { cwd: root, env: { ...process.env, PATH: path } };
  }

  #shell(machine: Machine, text: string): string[] {
    return ["netns", "exec", this.#name(machine), "sh", "-e", "-c", text];
  }

  #block(machine: Machine, block: string): string {
    const text = this.#blocks.get(`${machine} ${block}`);
    if (text === undefined) throw new Error(`${this.#page} has no block "sh ${machine} ${block}"`);
    return text;
  }

  #name(machine: Machine): string {
    return `${this.#prefix}${machine[0]}`;
  }
}

export class Application {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #rest = "";
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop()!;
      this.#lines.push(...lines);
      this.#wake?.();
    });
    child.once("close", () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  /** The next line that it writes. Rejects when it has ended without. */
  async line(): Promise<string> {
    while (this.#lines.length === 0) {
      if (this.#ended) throw new Error("the application has ended");
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#lines.shift()!;
  }

  /** A line on its standard input. */
  say(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  /** Its standard input ends. Resolves when it has ended, too: its ports are free. */
  async end(): Promise<void> {
    this.#child.stdin!.end();
    while (!this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

function ip(command: string): void {
  execFileSync("ip", command.split(" "), { stdio: ["ignore", "pipe", "inherit"] });
}
