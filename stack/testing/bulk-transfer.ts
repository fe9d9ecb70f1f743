/** What a bulk transfer gets of one or of several paths, in virtual time. */

import type { HostOptions } from "../host-options.ts";
import { type Connection } from "../mptcp/connection.ts";
import type { Middlebox, PipeOptions } from "./network.ts";
import { makePair, serverPort } from "./pair.ts";
import { seededRandom } from "./random.ts";

/** One path, in the units of a table. */
export interface PathShape {
  megabitsPerSecond: number;
  /** Of the empty path, there and back. */
  rttMilliseconds: number;
  /** What a full queue takes to drain. */
  queueMilliseconds: number;
  /** Of the frames with data, whatever is in the queue. */
  lossPercent: number;
}

export interface BulkTransfer {
  /** Send and receive buffer of both ends. */
  bufferBytes: number;
  seconds: number;
  host?: Partial<HostOptions>;
  /** Of the losses; default 1. */
  seed?: number;
}

/** An Ethernet frame that carries a full segment; a queue holds at least two. */
export const fullFrame = 1_514;
const chunk = new Uint8Array(65_536);

/** Mbit/s of payload from `connect` on, over `paths`: by plain TCP over one, by MPTCP over several. */
export function bulkGoodput(paths: readonly PathShape[], transfer: BulkTransfer): number {
  const { bufferBytes, seconds, seed = 1 } = transfer;
  const host: Partial<HostOptions> = {
    sendBufferBytes: bufferBytes,
    receiveBufferBytes: bufferBytes,
    mptcp: paths.length > 1,
    ...transfer.host,
  };
  const pair = makePair({ paths: paths.map(pipeOf), client: host, server: host, checksumOffload: true });
  const { network } = pair;
  pair.links.forEach(({ up }, i) => {
    const { lossPercent } = paths[i]!;
    if (lossPercent > 0) up.middlebox = stratifiedLoss(lossPercent, seed * 1_000 + i);
  });
  let received = 0;
  const listener = pair.server.listen({ port: serverPort }, network.now);
  listener.onConnection = () => {
    const connection = listener.accept()!;
    observe(connection, { onReadable: () => (received += readAll(connection, network.now)) });
  };
  const connection = pair.client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort }, network.now);
  const fill = (): void => {
    while (connection.write(chunk, network.now) === chunk.length);
  };
  observe(connection, { onEstablished: fill, onWritable: fill });
  network.run(seconds * 1e6);
  return (received * 8) / seconds / 1e6;
}

export function queueBytesOf({ megabitsPerSecond, queueMilliseconds }: PathShape): number {
  return Math.max(2 * fullFrame, (megabitsPerSecond * queueMilliseconds * 1_000) / 8);
}

function pipeOf(path: PathShape): PipeOptions {
  const { megabitsPerSecond, rttMilliseconds } = path;
  return { rate: megabitsPerSecond * 1e6, delay: rttMilliseconds * 500, queueBytes: queueBytesOf(path) };
}

/** One of every `100 / lossPercent` frames, at a random place among them: as random as it has to be, and as many losses as it should be in a short run. */
function stratifiedLoss(lossPercent: number, seed: number): Middlebox {
  const random = seededRandom(seed);
  const stratum = Math.round(100 / lossPercent);
  let frame = 0;
  let lost = 0;
  return () => {
    if (frame % stratum === 0) lost = random() % stratum;
    return frame++ % stratum !== lost;
  };
}

const nothing = (): void => {};

function observe(
  connection: Connection,
  reactions: { onEstablished?: () => void; onReadable?: () => void; onWritable?: () => void },
): void {
  connection.observer = {
    onEstablished: nothing,
    onReadable: nothing,
    onWritable: nothing,
    onRemoteEnd: nothing,
    onClosed: nothing,
    ...reactions,
  };
}

function readAll(connection: Connection, now: number): number {
  let bytes = 0;
  for (let read = connection.read(now); read !== undefined; read = connection.read(now)) bytes += read.length;
  return bytes;
}
