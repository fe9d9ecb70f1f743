/** A phone with WiFi and 3G, a server with one interface, and applications that send and check a known stream. */

import type { HostOptions, InterfaceOptions } from "../host-options.ts";
import { Host } from "../host.ts";
import type { Connection } from "../mptcp/connection.ts";
import type { ConnectionErrorCode } from "../mptcp/connection-observer.ts";
import { type Attachment, Network, type PipeOptions } from "./network.ts";
import { seededRandom } from "./random.ts";

/** NSDI'12: rates in bit/s, one-way delays; the queue counts frame bytes. */
export const wifi: PipeOptions = { rate: 8_000_000, delay: 10_000, queueBytes: 80_000 };
export const thirdGeneration: PipeOptions = { rate: 2_000_000, delay: 75_000, queueBytes: 500_000 };

export const serverPort = 5001;
const chunkSize = 65_536;

export interface PairOptions {
  seed?: number;
  /** One entry for each of the client's interfaces. */
  paths?: PipeOptions[];
  server?: Partial<HostOptions>;
  client?: Partial<HostOptions>;
  /** Addresses of the server beyond the first, each on an interface of its own. */
  serverInterfaces?: number;
  gso?: boolean;
  /** Nobody computes or checks checksums of what is whole, as with virtio-net: saves a tenth of the time. */
  checksumOffload?: boolean;
  /** Of the client's interfaces in their order, and of all of the server's; default IPv4. */
  clientFamilies?: readonly Family[];
  serverFamily?: Family;
}

/** `both`: the IPv4 address is the interface's first. */
export type Family = "ipv4" | "ipv6" | "both";

export interface Pair {
  network: Network;
  client: Host;
  server: Host;
  /** The client's links, in the order of `paths`. */
  links: Attachment[];
}

/** The addresses of the interface on a test's network of that number. */
export function addressesAt(network: number, family: Family): string[] {
  const addresses = [`10.0.${network}.2`, `fd00:0:0:${network.toString(16)}::2`];
  return family === "both" ? addresses : [addresses[family === "ipv4" ? 0 : 1]!];
}

function interfaceAt(index: number, network: number, gso: boolean, family: Family = "ipv4"): InterfaceOptions {
  return {
    name: `eth${index}`,
    mac: `02:00:00:00:${network.toString(16).padStart(2, "0")}:01`,
    mtu: 1500,
    gso,
    addresses: addressesAt(network, family).map((address) => ({
      address,
      prefixLength: address.includes(":") ? 64 : 24,
    })),
    ...(family !== "ipv6" && { gateway: `10.0.${network}.1` }),
    ...(family !== "ipv4" && { ipv6Gateway: "fe80::1" }),
  };
}

export function makePair(options: PairOptions = {}): Pair {
  const made = (each: InterfaceOptions): InterfaceOptions =>
    options.checksumOffload === true ? { ...each, checksumOffload: true } : each;
  const {
    seed = 1,
    paths = [wifi, thirdGeneration],
    gso = false,
    clientFamilies = [],
    serverFamily = "ipv4",
  } = options;
  const random = seededRandom(seed);
  const common = {
    mptcp: true,
    congestionControl: "lia",
    scheduler: "min-rtt",
    pathManager: "full-mesh",
    random,
  } satisfies Partial<HostOptions>;
  const client = new Host({
    ...common,
    name: "client",
    interfaces: paths.map((_, i) => made(interfaceAt(i, i + 1, gso, clientFamilies[i]))),
    ...options.client,
  });
  const serverInterfaces = Array.from({ length: options.serverInterfaces ?? 1 }, (_, i) =>
    made(interfaceAt(i, 100 + i, gso, serverFamily)),
  );
  const server = new Host({ ...common, name: "server", interfaces: serverInterfaces, ...options.server });
  const network = new Network();
  const links = paths.map((path, i) =>
    network.attach(client, i, addressesAt(i + 1, clientFamilies[i] ?? "ipv4"), path),
  );
  serverInterfaces.forEach((_, i) => network.attach(server, i, addressesAt(100 + i, serverFamily), {}));
  return { network, client, server, links };
}

/** Byte i of the test stream. */
export function streamByte(i: number): number {
  return (i ^ (i >>> 8) ^ (i >>> 16) ^ 0x5a) & 255;
}

/** An application at one end of a connection: sends `toSend` bytes of the test stream, then ends; checks what comes. */
export class StreamApplication {
  readonly connection: Connection;
  received = 0;
  corrupt = false;
  established = false;
  remoteEnded = false;
  closed = false;
  error: ConnectionErrorCode | undefined;
  /** When bytes came last, and the longest time between two arrivals. */
  lastArrival = 0;
  longestGap = 0;
  endsAfterSending: boolean;
  /** Reads nothing while true. */
  paused = false;
  readonly #network: Network;
  toSend: number;
  #sent = 0;

  constructor(network: Network, connection: Connection, toSend: number, endsAfterSending: boolean) {
    this.#network = network;
    this.connection = connection;
    this.toSend = toSend;
    this.endsAfterSending = endsAfterSending;
    connection.observer = {
      onEstablished: () => {
        this.established = true;
        this.send();
      },
      onReadable: () => this.read(),
      onWritable: () => this.send(),
      onRemoteEnd: () => {
        this.remoteEnded = true;
      },
      onClosed: (error) => {
        this.closed = true;
        this.error = error;
      },
    };
    if (connection.established) this.send();
  }

  send(): void {
    if (this.closed) return;
    const { now } = this.#network;
    while (this.#sent < this.toSend) {
      const length = Math.min(chunkSize, this.toSend - this.#sent);
      const chunk = new Uint8Array(length);
      for (let i = 0; i < length; i++) chunk[i] = streamByte(this.#sent + i);
      const taken = this.connection.write(chunk, now);
      this.#sent += taken;
      if (taken < length) return;
    }
    if (this.endsAfterSending) this.connection.closeWrite(now);
  }

  read(): void {
    if (this.paused) return;
    const { now } = this.#network;
    for (let chunk = this.connection.read(now); chunk !== undefined; chunk = this.connection.read(now)) {
      for (let i = 0; i < chunk.length; i++) if (chunk[i] !== streamByte(this.received + i)) this.corrupt = true;
      this.received += chunk.length;
      if (this.lastArrival > 0) this.longestGap = Math.max(this.longestGap, now - this.lastArrival);
      this.lastArrival = now;
    }
  }
}

export interface Conversation {
  client: StreamApplication;
  /** undefined until the server has accepted. */
  server: () => StreamApplication | undefined;
}

/** The client connects; each side sends its bytes and ends. */
export function converse(
  pair: Pair,
  clientSends: number,
  serverSends: number,
  options: {
    remoteAddress?: string;
    localAddress?: string;
    endsAfterSending?: boolean;
    mptcp?: boolean;
    backlog?: number;
  } = {},
): Conversation {
  const { network } = pair;
  const endsAfterSending = options.endsAfterSending ?? true;
  let accepted: StreamApplication | undefined;
  const { backlog } = options;
  const listener = pair.server.listen({ port: serverPort, ...(backlog !== undefined && { backlog }) }, network.now);
  listener.onConnection = () => {
    const connection = listener.accept();
    if (connection !== undefined) accepted = new StreamApplication(network, connection, serverSends, endsAfterSending);
  };
  const { localAddress, mptcp } = options;
  const connection = pair.client.connect(
    {
      remoteAddress: options.remoteAddress ?? "10.0.100.2",
      remotePort: serverPort,
      ...(localAddress !== undefined && { localAddress }),
      ...(mptcp !== undefined && { mptcp }),
    },
    network.now,
  );
  return { client: new StreamApplication(network, connection, clientSends, endsAfterSending), server: () => accepted };
}
