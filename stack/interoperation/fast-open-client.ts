/** The kernel's client of TCP Fast Open, which sockets of Node cannot ask for: one request, in the SYN where that may be, and all that comes back. */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { Payload } from "../endpoint/workload/payload.ts";
import type { Received } from "./stream.ts";

const program = `
import socket, sys
protocol, address, port = sys.argv[1:]
request = sys.stdin.buffer.read()
with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, int(protocol)) as client:
    if client.sendto(request, socket.MSG_FASTOPEN, (address, int(port))) != len(request):
        sys.exit("not all of the request was taken")
    while chunk := client.recv(65536):
        sys.stdout.buffer.write(chunk)
`;
const protocolNumber = { tcp: "6", mptcp: "262" } as const;

export interface FastOpenTarget {
  /** Of the kernel's side. */
  namespace: string;
  protocol: keyof typeof protocolNumber;
  address: string;
  port: number;
}

export class FastOpenClient {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #hash = createHash("sha256");
  #bytes = 0;
  #complaint = "";
  readonly seed: number;
  /** Bytes of the request. */
  readonly sent: number;
  /** The server has ended its direction, and the client is gone. */
  closed = false;

  constructor({ namespace, protocol, address, port }: FastOpenTarget, seed: number, requestBytes: number) {
    this.seed = seed;
    this.sent = requestBytes;
    const python = ["python3", "-I", "-S", "-c", program, protocolNumber[protocol], address, `${port}`];
    this.#process = spawn("ip", ["netns", "exec", namespace, ...python], { stdio: ["pipe", "pipe", "pipe"] });
    this.#process.stdout.on("data", (chunk: Buffer) => {
      this.#hash.update(chunk);
      this.#bytes += chunk.length;
    });
    this.#process.stderr.on("data", (chunk: Buffer) => (this.#complaint += chunk.toString()));
    this.#process.stdin.on("error", () => undefined); // Its end is seen as `error`.
    this.#process.once("close", () => (this.closed = true));
    this.#process.stdin.end(new Payload(seed).chunk(0, requestBytes));
  }

  /** Whole when `closed`. */
  get received(): Received {
    return { bytes: this.#bytes, sha256: this.#hash.copy().digest("hex") };
  }

  /** Why it ended before the server did. */
  get error(): string | undefined {
    if (!this.closed || this.#process.exitCode === 0) return undefined;
    return `the client of TCP Fast Open ended with ${this.#process.exitCode}: ${this.#complaint}`;
  }

  async stop(): Promise<void> {
    if (this.closed) return;
    const closed = once(this.#process, "close");
    this.#process.kill("SIGKILL");
    await closed;
  }
}
