/**
 * A connection in memory before the first one on the wire. V8 compiles a function when it is called for the first time: in a process that has just started, each packet of a handshake, of a join or
 * of a first loss was answered 1.5 to 2.5 ms late, where the same packets of a second connection take 0.2 to 0.4. What an experiment measures would begin with that.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { checksumState, type FrameSink, type OutgoingFrame } from "../../frame.ts";
import { Host } from "../../host.ts";
import type { InterfaceOptions } from "../../host-options.ts";
import { connect, createServer, type NetworkStack } from "../../net/net.ts";
import { seededRandom } from "./seeded-random.ts";

/** There and back; more makes the start of an endpoint longer, and the rest faster by less and less. */
const streamBytes = 128 * 1024;
const networks = 2;
const port = 1;
const turnMicroseconds = 5_000;
/** The first network loses one frame of so many, and goes down when half of the stream is back. */
const lostOf = 12;
/** It proves nothing, and ends in any case. */
const turnLimit = 500;

/** What has been rehearsed. */
export interface Rehearsal {
  readonly echoedBytes: number;
  readonly subflows: number;
  readonly lostFrames: number;
}

type Offload = Pick<InterfaceOptions, "gso" | "checksumOffload">;

/** `offload`: as the interfaces that are used afterwards have it. Some 50 ms of the processor's time. */
export async function rehearse({ gso, checksumOffload = gso }: Offload): Promise<Rehearsal> {
  const offload = { gso, checksumOffload };
  const client = new Player(1, offload);
  const server = new Player(2, offload);
  const result = { echoedBytes: 0, subflows: 0, lostFrames: 0 };
  const listener = createServer(server, (socket) => void socket.pipe(socket)).listen(port);
  const socket = connect(client, { host: addressOf(0, 2), port }, () => void socket.end(Buffer.alloc(streamBytes)));
  socket.on("data", ({ length }: Buffer) => {
    if (result.subflows === 0) result.subflows = socket.info().subflows.length;
    result.echoedBytes += length;
    if (result.echoedBytes > streamBytes / 2) client.host.setInterfaceUp(0, false, client.now());
  });
  for (let turn = 0; turn < turnLimit && !socket.destroyed; turn++) {
    result.lostFrames += server.take(client) + client.take(server);
    await nextTurn();
  }
  socket.destroy();
  listener.close();
  return result;
}

/** One of the two hosts, in a time of its own. */
class Player implements FrameSink, NetworkStack {
  readonly host: Host;
  #now = 0;
  #sent: { network: number; bytes: Uint8Array }[] = [];
  #frames = 0;

  constructor(number: number, offload: Offload) {
    this.host = new Host({
      name: "rehearsal",
      random: seededRandom(number),
      mptcp: true,
      congestionControl: "lia",
      scheduler: "min-rtt",
      pathManager: "full-mesh",
      interfaces: Array.from({ length: networks }, (_, network) => ({
        ...offload,
        name: `eth${network}`,
        mac: `02:00:00:00:0${network}:0${number}`,
        mtu: 1_500,
        addresses: [{ address: addressOf(network, number), prefixLength: 25 }],
      })),
    });
  }

  now(): number {
    return this.#now;
  }

  wake(): void {
    // Each turn looks.
  }

  transmit(frame: OutgoingFrame): void {
    const pieces = [frame.header.subarray(0, frame.headerLength)];
    for (let i = 0; i < frame.payloadCount; i++) {
      const from = frame.payloadOffsets[i]!;
      pieces.push(frame.payloadBuffers[i]!.subarray(from, from + frame.payloadLengths[i]!));
    }
    this.#sent.push({ network: frame.interfaceIndex, bytes: Buffer.concat(pieces) });
  }

  /** A turn with what the other has sent; how many frames were lost on the way. */
  take(other: Player): number {
    this.#now += turnMicroseconds;
    const frames = other.#sent;
    other.#sent = [];
    let lost = 0;
    for (const { network, bytes } of frames) {
      if (network === 0 && ++this.#frames % lostOf === 0) lost++;
      else this.host.handleFrame(network, bytes, 0, bytes.length, checksumState.partial, this.#now);
    }
    if (this.host.pollTimeout() <= this.#now) this.host.handleTimeout(this.#now);
    this.host.pollTransmit(this.#now, this);
    this.host.deliverNotifications();
    this.host.pollTransmit(this.#now, this);
    while (this.host.pollEvent() !== undefined);
    return lost;
  }
}

function addressOf(network: number, host: number): string {
  return `192.0.2.${network * 128 + host}`;
}
