/** `measure`: how much a connection to a `discard` or from a `chargen` service carries, and what of it by which subflow. */
import { setTimeout as after } from "node:timers/promises";
import type { MptcpSocket } from "../../net/net.ts";
import { formatEndpoint } from "../../wire/ip-address.ts";
import { connected, type PeerArguments } from "./byte-pipe.ts";
import type { Endpoint } from "./endpoint.ts";
import { exitCode } from "./failure.ts";

export interface MeasureArguments extends PeerArguments {
  readonly receives: boolean;
  readonly durationMicroseconds: number;
  readonly intervalMicroseconds: number;
}

const chunk = Buffer.alloc(256 * 1024);

/** Bytes of data that have arrived: there when we send, here when we receive. */
interface Reading {
  readonly milliseconds: number;
  readonly bytes: number;
  readonly subflows: ReadonlyMap<string, number>;
}

export async function measure(endpoint: Endpoint, given: MeasureArguments, signal: AbortSignal): Promise<number> {
  const { receives, durationMicroseconds, intervalMicroseconds, ...peer } = given;
  const socket = await connected(endpoint, peer, signal);
  const failed = new AbortController();
  socket.on("error", (error) => failed.abort(error));
  if (receives) socket.resume();
  else keepFull(socket);
  const begin = read(socket, receives, new Map());
  const until = begin.milliseconds + durationMicroseconds / 1000;
  let before = begin;
  while (before.milliseconds < until) {
    const wait = Math.min(intervalMicroseconds / 1000, until - before.milliseconds);
    await after(wait, undefined, { signal: AbortSignal.any([signal, failed.signal]) }).catch(() => {
      throw (failed.signal.reason as Error | undefined) ?? (signal.reason as Error);
    });
    const now = read(socket, receives, before.subflows);
    say("interval", before, now);
    before = now;
  }
  say("result", begin, before);
  socket.resetAndDestroy();
  return exitCode.done;
}

function keepFull(socket: MptcpSocket): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", more).resume();
  more();
}

/** Subflows that have closed meanwhile stay in it with what they had carried `before`. */
function read(socket: MptcpSocket, receives: boolean, before: Reading["subflows"]): Reading {
  const info = socket.info();
  return {
    milliseconds: performance.now(),
    bytes: receives ? info.bytesReceived : info.bytesAcked,
    subflows: new Map([
      ...before,
      ...info.subflows.map((subflow): [string, number] => [
        `${subflow.interfaceName} ${formatEndpoint(subflow.localAddress, subflow.localPort)}-${formatEndpoint(subflow.remoteAddress, subflow.remotePort)}`,
        receives ? subflow.bytesReceived : subflow.bytesAcked,
      ]),
    ]),
  };
}

function say(type: "interval" | "result", before: Reading, now: Reading): void {
  const seconds = (now.milliseconds - before.milliseconds) / 1000;
  const rate = (bytes: number): number => Math.round((bytes * 8) / seconds / 1e4) / 100;
  const bytes = now.bytes - before.bytes;
  const subflows = Array.from(now.subflows, ([name, total]) => {
    const carried = total - (before.subflows.get(name) ?? 0);
    return { name, bytes: carried, mbitPerSecond: rate(carried) };
  });
  const record = { type, seconds: Math.round(seconds * 1e3) / 1e3, bytes, mbitPerSecond: rate(bytes), subflows };
  process.stdout.write(`${JSON.stringify(record)}\n`);
}
