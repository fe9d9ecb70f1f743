/** The Linux kernel's end of a lab: a program on its sockets, and its own account of what happened. */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { KernelCommand, KernelRecord } from "./kernel-program.ts";
import type { Received, Stream } from "./stream.ts";

const program = new URL("kernel-program.ts", import.meta.url).pathname;
/** As in the script that starts the command line: a third of the program's start, which comes once a case. */
const compileCache = new URL("../../build/compile-cache", import.meta.url).pathname;
const sha256OfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Counters of the namespace by their names in /proc/net/netstat, without "MPTcpExt"; the rest as "TcpExt…". */
export type KernelCounters = Readonly<Record<string, number>>;

export class KernelStream implements Stream {
  readonly seed: number;
  readonly #say: (command: KernelCommand) => void;
  readonly #connection: number;
  sent = 0;
  connected = false;
  received: Received = { bytes: 0, sha256: sha256OfNothing };
  remoteEnded = false;
  closed = false;
  error: string | undefined;

  constructor(connection: number, seed: number, say: (command: KernelCommand) => void) {
    this.#connection = connection;
    this.seed = seed;
    this.#say = say;
  }

  send(bytes: number): void {
    this.#say({ do: "send", connection: this.#connection, seed: this.seed, offset: this.sent, bytes });
    this.sent += bytes;
  }

  end(): void {
    this.#say({ do: "end", connection: this.#connection });
  }

  /** `close`: with bytes that nobody has read, the kernel makes it MP_FASTCLOSE (RFC 8684 §3.5). */
  abort(): void {
    this.#say({ do: "abort", connection: this.#connection });
  }

  pause(): void {
    this.#say({ do: "pause", connection: this.#connection });
  }

  resume(): void {
    this.#say({ do: "resume", connection: this.#connection });
  }

  handle(record: KernelRecord): void {
    switch (record.type) {
      case "connected":
        this.connected = true;
        return;
      case "received":
        this.received = { bytes: record.bytes, sha256: record.sha256 };
        return;
      case "remote-ended":
        this.remoteEnded = true;
        return;
      case "closed":
        this.closed = true;
        this.error = record.error;
        return;
    }
  }
}

export class KernelPeer {
  readonly streams: KernelStream[] = [];
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #seed: number;
  listening = false;
  failure: string | undefined;

  constructor(namespace: string, mptcp: boolean, seed: number) {
    this.#seed = seed;
    const wrapper = mptcp ? ["mptcpize", "run"] : [];
    this.#process = spawn("ip", ["netns", "exec", namespace, ...wrapper, process.execPath, program], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { NODE_COMPILE_CACHE: compileCache, ...process.env },
    });
    this.#process.stdin.on("error", () => undefined); // Its end is seen as `failure`.
    this.#process.once("close", (code) => (this.failure ??= `the kernel's program ended with ${code}`));
    createInterface({ input: this.#process.stdout }).on("line", (line) =>
      this.#handle(JSON.parse(line) as KernelRecord),
    );
  }

  /** The namespace's counters now; the program never leaves its namespace, so its view of /proc is the kernel's own word. */
  counters(): KernelCounters {
    const lines = readFileSync(`/proc/${this.#process.pid}/net/netstat`, "utf8").trimEnd().split("\n");
    const counters: Record<string, number> = {};
    for (let i = 0; i + 1 < lines.length; i += 2) {
      const [prefix, ...names] = lines[i]!.split(" ");
      const values = lines[i + 1]!.split(" ").slice(1).map(Number);
      const kept = prefix === "MPTcpExt:" ? "" : prefix!.slice(0, -1);
      names.forEach((name, j) => (counters[kept + name] = values[j]!));
    }
    return counters;
  }

  listen(address: string, port: number): void {
    this.#say({ do: "listen", address, port });
  }

  connect(address: string, port: number, localAddress: string): KernelStream {
    this.#say({ do: "connect", address, port, localAddress });
    return this.#stream(this.streams.length);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const closed = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await closed;
  }

  #stream(connection: number): KernelStream {
    return (this.streams[connection] ??= new KernelStream(connection, this.#seed, (command) => this.#say(command)));
  }

  #handle(record: KernelRecord): void {
    if (record.type === "listening") this.listening = true;
    else if (record.type === "error") this.failure = record.message;
    else this.#stream(record.connection).handle(record);
  }

  #say(command: KernelCommand): void {
    this.#process.stdin.write(`${JSON.stringify(command)}\n`);
  }
}
