/** A datagram and its echo between two nodes of a lab, as ping would do it: both ends are lines of JavaScript for the Node that every node has. */
import { createInterface } from "node:readline";
import type { Lab } from "./substrate.ts";
import type { LabProcess } from "../workload/lab-process.ts";

const echoProgram = `
let bound = 0;
for (const options of [{ type: "udp4" }, { type: "udp6", ipv6Only: true }]) {
  const socket = require("node:dgram").createSocket(options);
  socket.on("message", (message, { port, address }) => socket.send(message, port, address));
  socket.bind(7, () => ++bound === 2 && console.log("ready"));
}
process.stdin.on("end", () => process.exit()).resume();
`;

const probeProgram = `
const { createSocket } = require("node:dgram");
const sockets = new Map();
function socketOf(from, use) {
  if (sockets.has(from)) return use(sockets.get(from));
  const socket = createSocket(from.includes(":") ? "udp6" : "udp4");
  sockets.set(from, socket);
  socket.on("message", (message) => console.log(String(message)));
  socket.on("error", () => {});
  socket.bind(0, from, () => use(socket));
}
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { from, to } = JSON.parse(line);
  socketOf(from, (socket) => socket.send(line, 7, to, () => {}));
}).on("close", () => process.exit());
console.log("ready");
`;

export class UdpProbe {
  readonly #client: LabProcess;
  readonly #waiting = new Map<number, () => void>();
  readonly answered = new Set<number>();
  #last = 0;

  private constructor(client: LabProcess) {
    this.#client = client;
  }

  static async between(lab: Lab, client: string, server: string): Promise<UdpProbe> {
    const echo = await lab.spawn(server, { name: "echo", argv: [process.execPath, "-e", echoProgram] });
    const probe = await lab.spawn(client, { name: "probe", argv: [process.execPath, "-e", probeProgram] });
    const self = new UdpProbe(probe);
    await Promise.all([
      firstLine(echo, () => undefined),
      firstLine(probe, (line) => {
        const { number } = JSON.parse(line) as { number: number };
        self.answered.add(number);
        self.#waiting.get(number)?.();
      }),
    ]);
    return self;
  }

  /** Sends one datagram and answers its number. */
  send(from: string, to: string): number {
    const number = ++this.#last;
    this.#client.stdin.write(`${JSON.stringify({ from, to, number })}\n`);
    return number;
  }

  /** Sends one datagram; resolves when its echo is back. */
  async exchange(from: string, to: string): Promise<void> {
    const number = this.send(from, to);
    if (this.answered.has(number)) return;
    await new Promise<void>((resolve) => this.#waiting.set(number, resolve));
  }
}

function firstLine(process: LabProcess, onLater: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let first = true;
    createInterface({ input: process.stdout }).on("line", (line) => {
      if (first) resolve();
      else onLater(line);
      first = false;
    });
    let complaint = "";
    process.stderr.on("data", (text: Buffer) => (complaint += text.toString()));
    void process.exited.then(({ code, signal }) =>
      reject(new Error(`${process.name} ended (${code ?? signal}) ${complaint}`)),
    );
  });
}
