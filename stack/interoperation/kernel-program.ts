/**
 * The kernel's end, to be run in its namespace under `mptcpize run`: `node:net` on kernel sockets, driven by lines. Connections are numbered from
 * 0 in the order in which they appear.
 */

import { createHash, type Hash } from "node:crypto";
import { createServer, createConnection, type Socket } from "node:net";
import { Payload } from "../endpoint/workload/payload.ts";
import { serveLines, writeLine } from "../io/line-process.ts";

export type KernelCommand =
  | { do: "listen"; address: string; port: number }
  | { do: "connect"; address: string; port: number; localAddress: string }
  | { do: "send"; connection: number; seed: number; offset: number; bytes: number }
  | { do: "end" | "abort" | "pause" | "resume"; connection: number };

export type KernelRecord =
  | { type: "listening" }
  | { type: "connected"; connection: number }
  | { type: "received"; connection: number; bytes: number; sha256: string }
  | { type: "remote-ended"; connection: number }
  | { type: "closed"; connection: number; error?: string }
  | { type: "error"; message: string };

const sockets: Socket[] = [];

function say(record: KernelRecord): void {
  writeLine(record);
}

function adopt(socket: Socket): void {
  const connection = sockets.push(socket) - 1;
  const hash: Hash = createHash("sha256");
  let error: string | undefined;
  let bytes = 0;
  socket.on("data", (chunk) => {
    hash.update(chunk);
    bytes += chunk.length;
    say({ type: "received", connection, bytes, sha256: hash.copy().digest("hex") });
  });
  socket.on("end", () => say({ type: "remote-ended", connection }));
  socket.on("error", (cause: NodeJS.ErrnoException) => {
    error = cause.code ?? cause.message;
  });
  socket.on("close", () => say({ type: "closed", connection, ...(error !== undefined && { error }) }));
  if (socket.connecting) socket.on("connect", () => say({ type: "connected", connection }));
  else say({ type: "connected", connection });
}

function send(socket: Socket, seed: number, offset: number, bytes: number): void {
  for (const chunk of new Payload(seed).chunks(offset, offset + bytes)) socket.write(chunk);
}

/** A paused socket takes one chunk more and then leaves everything in the kernel. */
const options = { allowHalfOpen: true, noDelay: true, highWaterMark: 1 } as const;
const server = createServer(options, adopt);

serveLines({
  onLine(value) {
    const command = value as KernelCommand;
    switch (command.do) {
      case "listen":
        server.listen(command.port, command.address, () => say({ type: "listening" }));
        return;
      case "connect":
        adopt(
          createConnection({
            host: command.address,
            port: command.port,
            localAddress: command.localAddress,
            ...options,
          }),
        );
        return;
      case "send":
        send(sockets[command.connection]!, command.seed, command.offset, command.bytes);
        return;
      case "end":
        sockets[command.connection]!.end();
        return;
      case "abort":
        sockets[command.connection]!.destroy();
        return;
      case "pause":
        sockets[command.connection]!.pause();
        return;
      case "resume":
        sockets[command.connection]!.resume();
        return;
    }
  },
  onEnd() {
    server.close();
    for (const socket of sockets) socket.destroy();
  },
});
