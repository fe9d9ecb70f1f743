/** One end of a measured connection: a process in its namespace, commanded and read in lines. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type EndMessage, type EndTask, taskArguments } from "./end-protocol.ts";
import type { Lab, Side } from "./lab.ts";
import type { OurEndOptions } from "./our-end.ts";
import { programInC } from "./program-in-c.ts";

const ourEnd = fileURLToPath(new URL("our-end.ts", import.meta.url));
const port = 5_001;
/** Nothing that is waited for takes as long. */
const deadlineMilliseconds = 120_000;
/** USER_HZ, in which /proc/PID/stat counts. */
const ticksPerSecond = 100;

export type EndOptions = {
  lab: Lab;
  side: Side;
  /** As far as the application chooses: an MPTCP socket, or a plain one. */
  mptcp: boolean;
  task: EndTask;
  /** Of ours. `none`: packet sockets alone, without the stack. */
  application?: OurEndOptions["application"] | "none";
  ownSegments?: boolean;
  /** Arguments of Node before the program of our end. */
  nodeArguments?: readonly string[];
  /** The processor that it stays on; default: any. */
  processor?: number;
};

export class End {
  readonly #process: ChildProcess;
  readonly #waiting: { accept: (message: EndMessage) => boolean; settle: (message: EndMessage | Error) => void }[] = [];
  readonly #early: EndMessage[] = [];
  #failure: Error | undefined;
  #stopped = false;

  private constructor(process: ChildProcess, name: string) {
    this.#process = process;
    createInterface({ input: process.stdout! }).on("line", (line) => this.#onMessage(JSON.parse(line) as EndMessage));
    process.on("error", (error) => this.#fail(error));
    process.on("exit", (code, signal) => {
      if (!this.#stopped) this.#fail(new Error(`${name} ended with ${code ?? signal}`));
    });
  }

  /** Started, and listening or about to connect. */
  static async start(options: EndOptions): Promise<End> {
    const { lab, side, task, processor } = options;
    const command = commandOf(options);
    const pinned = processor === undefined ? command : ["taskset", "-c", String(processor), ...command];
    const child = spawn("ip", ["netns", "exec", lab.namespace(side), ...pinned], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const end = new End(child, `${side} (${lab.options.stacks[side]}, ${task.mode})`);
    child.stdin.on("error", () => undefined); // It has ended: that is told by `exit`.
    await end.message("ready");
    return end;
  }

  /** The next message that has this key. @throws Error when the end fails first, or says nothing for too long */
  async message<K extends string>(key: K): Promise<Extract<EndMessage, Record<K, unknown>>> {
    type Wanted = Extract<EndMessage, Record<K, unknown>>;
    const accept = (message: EndMessage): message is Wanted => key in message;
    const index = this.#early.findIndex(accept);
    if (index >= 0) return this.#early.splice(index, 1)[0] as Wanted;
    if (this.#failure !== undefined) throw this.#failure;
    const { promise, resolve, reject } = Promise.withResolvers<Wanted>();
    const timer = setTimeout(
      () => reject(new Error(`no "${key}" for ${deadlineMilliseconds} ms`)),
      deadlineMilliseconds,
    );
    this.#waiting.push({
      accept,
      settle: (message) => (message instanceof Error ? reject(message) : resolve(message as Wanted)),
    });
    return promise.finally(() => clearTimeout(timer));
  }

  /** Bytes so far, and when. */
  async sample(): Promise<{ bytes: number; microseconds: number }> {
    this.#process.stdin!.write("sample\n");
    return this.message("bytes");
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** User and system time of all its threads. */
  processorSeconds(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }

  /** How long its main thread could have run and had no processor. */
  waitingSeconds(): number {
    const [, waitingNanoseconds] = readFileSync(`/proc/${this.pid}/schedstat`, "utf8").split(" ");
    return Number(waitingNanoseconds) / 1e9;
  }

  /** VmRSS. */
  residentBytes(): number {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))![1]) * 1_024;
  }

  /** Packets that came in by the namespace's veths; a super-packet is one. */
  receivedPackets(): number {
    return [...readFileSync(`/proc/${this.pid}/net/dev`, "utf8").matchAll(/^\s*path\d+:\s+\d+\s+(\d+)/gm)].reduce(
      (sum, [, packets]) => sum + Number(packets),
      0,
    );
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null || this.#stopped) return;
    this.#stopped = true;
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }

  #onMessage(message: EndMessage): void {
    const index = this.#waiting.findIndex(({ accept }) => accept(message));
    if (index < 0) this.#early.push(message);
    else this.#waiting.splice(index, 1)[0]!.settle(message);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { settle } of this.#waiting.splice(0)) settle(error);
  }
}

function commandOf({ application = "net", ...options }: EndOptions): string[] {
  if (options.lab.options.stacks[options.side] === "kernel") return kernelCommand(options);
  return application === "none" ? packetCommand(options) : ourCommand(options, application);
}

function packetCommand({ lab, side, task }: EndOptions): string[] {
  const [own] = lab.interfaces(side);
  const [peer] = lab.interfaces(side === "client" ? "server" : "client");
  return [programInC("packet_end"), task.mode, own!.name, own!.mac, peer!.mac];
}

function kernelCommand({ lab, mptcp, task }: EndOptions): string[] {
  const { address } = lab.interfaces("server")[0]!;
  return [programInC("kernel_end"), mptcp ? "mptcp" : "tcp", task.mode, address, String(port), ...taskArguments(task)];
}

function ourCommand(
  { lab, side, mptcp, task, ownSegments = false, nodeArguments = [] }: EndOptions,
  application: OurEndOptions["application"],
): string[] {
  const { congestionControl } = lab.options;
  const options: OurEndOptions = {
    interfaces: lab.interfaces(side),
    ownSegments,
    congestionControl,
    mptcp,
    application,
    task,
    serverAddress: lab.interfaces("server")[0]!.address,
    port,
  };
  return [process.execPath, ...nodeArguments, ourEnd, JSON.stringify(options)];
}
