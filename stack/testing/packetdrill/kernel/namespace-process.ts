/** A process in a network namespace of its own that makes system calls. The namespace has no name and ends with the process. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";

export interface CallAnswer {
  value: number;
  errno?: string;
  /** What calls give beside their number: bytes read, in hexadecimal digits, and so on. */
  data?: unknown;
}

export class NamespaceProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: CallAnswer) => void>();
  #nextId = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    const lines = createInterface({ input: child.stdout! });
    lines.on("line", (line) => this.#onLine(line));
    // What comes after the end of the process has nobody to hear it: the script is over.
    child.stdin!.on("error", () => {});
  }

  /** @throws Error when namespaces cannot be made (EPERM) or python3 is not there */
  static async start(): Promise<NamespaceProcess> {
    const program = path.join(import.meta.dirname, "calls.py");
    const child = spawn("unshare", ["--net", "python3", "-I", "-S", program], { stdio: ["pipe", "pipe", "pipe"] });
    let complaint = "";
    child.stderr.on("data", (data: Buffer) => (complaint += data.toString()));
    const started = new NamespaceProcess(child);
    const first = new Promise<void>((resolve) => started.#waiting.set(-1, () => resolve()));
    const ended = once(child, "exit").then(() => {
      throw new Error(`no process in a network namespace of its own: ${complaint.trim()}`);
    });
    await Promise.race([first, ended]);
    ended.catch(() => {});
    return started;
  }

  /** For drivers that open interfaces inside. */
  get namespacePath(): string {
    return `/proc/${this.#child.pid}/ns/net`;
  }

  /** Begins the call at once; the answer comes when it returns. */
  call(name: string, parameters: readonly unknown[]): Promise<CallAnswer> {
    const id = this.#nextId++;
    this.#child.stdin!.write(`${JSON.stringify({ id, call: name, arguments: parameters })}\n`);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  /** @throws Error with what the shell said */
  async run(command: string): Promise<void> {
    const { value, data } = await this.call("run", [command]);
    if (value !== 0) throw new Error(`"${command}" fails: ${String(data).trim()}`);
  }

  /** Ends it with all that is in its namespace. */
  async close(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  #onLine(line: string): void {
    const { id = -1, ...answer } = JSON.parse(line) as CallAnswer & { id?: number };
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }
}
