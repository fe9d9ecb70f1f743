/** `send` and `receive`: a file, and the word of the receiver that it has it, byte for byte. */
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream, fstatSync, openSync } from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { MptcpSocket } from "../../net/net.ts";
import { accepted, connected, type PeerArguments } from "./byte-pipe.ts";
import type { Endpoint } from "./endpoint.ts";
import { exitCode, UsageError } from "./failure.ts";

interface Digest {
  readonly bytes: number;
  readonly sha256: string;
}

class Digester extends Transform {
  bytes = 0;
  readonly #hash: Hash = createHash("sha256");

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
    done(null, chunk);
  }

  digest(): Digest {
    return { bytes: this.bytes, sha256: this.#hash.digest("hex") };
  }
}

/** `file`: a path, or "-" for standard input. 1 when what arrived differs. */
export async function sendFile(
  endpoint: Endpoint,
  file: string,
  peer: PeerArguments,
  signal: AbortSignal,
): Promise<number> {
  const source = file === "-" ? process.stdin : openedToRead(file);
  const socket = await connected(endpoint, peer, signal);
  const begun = performance.now();
  const digester = new Digester();
  const answer = readAnswer(socket);
  await pipeline(source, digester, socket, { end: false });
  socket.end();
  const sent = digester.digest();
  const received = await answer;
  const seconds = (performance.now() - begun) / 1000;
  if (received?.bytes !== sent.bytes || received.sha256 !== sent.sha256) {
    endpoint.log.error("what arrived is not what was sent", { sent, received });
    return exitCode.failed;
  }
  report("sent", sent, seconds);
  return exitCode.done;
}

/** `file`: a path, or "-" for standard output. */
export async function receiveFile(
  endpoint: Endpoint,
  port: number,
  file: string,
  signal: AbortSignal,
): Promise<number> {
  const target = file === "-" ? process.stdout : openedToWrite(file);
  const socket = await accepted(endpoint, port, signal);
  const begun = performance.now();
  const digester = new Digester();
  const closed = once(socket, "close");
  const written = pipeline(digester, target, { end: file !== "-" });
  socket.on("error", (error) => digester.destroy(error));
  socket.pipe(digester);
  await written;
  const digest = digester.digest();
  socket.end(`${JSON.stringify(digest)}\n`);
  await closed;
  // Standard output has the file, then.
  if (file === "-") endpoint.log.info("received", digest);
  else report("received", digest, (performance.now() - begun) / 1000);
  return exitCode.done;
}

/** undefined: the receiver ended without a word. */
async function readAnswer(socket: MptcpSocket): Promise<Digest | undefined> {
  let text = "";
  socket.setEncoding("utf8");
  for await (const chunk of socket) text += chunk as string;
  try {
    return JSON.parse(text) as Digest;
  } catch {
    return undefined;
  }
}

function report(type: "sent" | "received", { bytes, sha256 }: Digest, seconds: number): void {
  const mbitPerSecond = Math.round((bytes * 8) / seconds / 1e4) / 100;
  process.stdout.write(
    `${JSON.stringify({ type, bytes, seconds: Math.round(seconds * 1e3) / 1e3, mbitPerSecond, sha256 })}\n`,
  );
}

function openedToRead(file: string): NodeJS.ReadableStream {
  const descriptor = opened(file, "r");
  if (fstatSync(descriptor).isDirectory())
    throw new UsageError(`${file} is a directory: give a file, or - for standard input`);
  return createReadStream(file, { fd: descriptor });
}

function openedToWrite(file: string): NodeJS.WritableStream {
  return createWriteStream(file, { fd: opened(file, "w") });
}

/** Before a connection is asked for. */
function opened(file: string, flags: "r" | "w"): number {
  try {
    return openSync(file, flags);
  } catch (error) {
    throw new UsageError(`${file} cannot be opened: ${(error as Error).message}`);
  }
}
