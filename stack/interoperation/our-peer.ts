/** Our end of a lab: host and driver in this process, so that a case can ask and steer them. */

import { createHash, randomBytes } from "node:crypto";
import { Payload } from "../endpoint/workload/payload.ts";
import type { StackEvent } from "../events.ts";
import type { HostOptions } from "../host-options.ts";
import { Host } from "../host.ts";
import { Driver } from "../io/driver.ts";
import type { Connection } from "../mptcp/connection.ts";
import type { Subflow } from "../mptcp/subflow.ts";
import { parseIpAddress } from "../wire/ip-address.ts";
import type { ConnectionInfo } from "../mptcp/connection-info.ts";
import { connect, createServer, type MptcpSocket } from "../net/net.ts";
import { interfaceName, ipAddress, macAddress, network, type Port } from "./fabric.ts";
import type { Received, Stream } from "./stream.ts";

export type OurOptions = Partial<
  Pick<
    HostOptions,
    | "mptcp"
    | "dssChecksum"
    | "receiveBufferBytes"
    | "sendBufferBytes"
    | "allowJoinInitialAddress"
    | "maximumSubflows"
    | "maximumAddressesAccepted"
    | "fastClose"
    | "tcp"
  >
> & {
  /** Interfaces, by index from 1, that are backup. */
  backup?: readonly number[];
};

export class OurStream implements Stream {
  readonly seed: number;
  readonly socket: MptcpSocket;
  readonly #hash = createHash("sha256");
  sent = 0;
  #bytes = 0;
  connected: boolean;
  remoteEnded = false;
  closed = false;
  error: string | undefined;

  constructor(socket: MptcpSocket, seed: number) {
    this.socket = socket;
    this.seed = seed;
    this.connected = !socket.connecting;
    socket.on("connect", () => (this.connected = true));
    socket.on("data", (chunk: Buffer) => {
      this.#hash.update(chunk);
      this.#bytes += chunk.length;
    });
    socket.on("end", () => (this.remoteEnded = true));
    socket.on("error", (error: NodeJS.ErrnoException) => (this.error = error.code ?? error.message));
    socket.on("close", () => (this.closed = true));
  }

  get received(): Received {
    return { bytes: this.#bytes, sha256: this.#hash.copy().digest("hex") };
  }

  get info(): ConnectionInfo {
    return this.socket.info();
  }

  send(bytes: number): void {
    const end = this.sent + bytes;
    for (const chunk of new Payload(this.seed).chunks(this.sent, end)) this.socket.write(chunk);
    this.sent = end;
  }

  end(): void {
    this.socket.end();
  }

  abort(): void {
    this.socket.resetAndDestroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }
}

export class OurPeer {
  readonly host: Host;
  readonly driver: Driver;
  readonly streams: OurStream[] = [];
  readonly events: StackEvent[] = [];
  readonly #seed: number;

  constructor(namespacePath: string, ports: readonly Port[], options: OurOptions, seed: number) {
    this.#seed = seed;
    const { backup = [], ...hostOptions } = options;
    this.host = new Host({
      name: "ours",
      random: () => randomBytes(4).readUInt32LE(),
      interfaces: ports.map((port) => ({
        name: interfaceName(port),
        mac: macAddress(port),
        mtu: 1500,
        gso: true,
        addresses: [{ address: ipAddress(port), prefixLength: network[port.family ?? "ipv4"].prefixLength }],
        backup: backup.includes(port.index),
      })),
      mptcp: true,
      congestionControl: "reno",
      scheduler: "min-rtt",
      pathManager: "full-mesh",
      ...hostOptions,
    });
    this.driver = new Driver({
      host: this.host,
      interfaces: ports.map((port) => ({ interfaceName: interfaceName(port), namespacePath })),
      onEvent: (event) => this.events.push(event),
    });
  }

  /** The connection under test. */
  get connection(): Connection {
    return this.host.connections[0]!;
  }

  get info(): ConnectionInfo {
    return this.streams[0]!.info;
  }

  listen(port: number, fastOpen: boolean): void {
    createServer(this.driver, { allowHalfOpen: true }, (socket) => {
      this.streams.push(new OurStream(socket, this.#seed));
    }).listen({ port, fastOpen });
  }

  connect(address: string, port: number, localAddress: string, fastOpen: boolean): OurStream {
    const stream = new OurStream(
      connect(this.driver, { host: address, port, localAddress, fastOpen, allowHalfOpen: true }),
      this.#seed,
    );
    this.streams.push(stream);
    return stream;
  }

  /** MP_PRIO from us for a subflow. */
  setBackup(subflow: Subflow, backup: boolean): void {
    this.connection.paths.setBackup(subflow, backup, this.driver.now());
    this.driver.wake();
  }

  /** ADD_ADDR for an address that need not be one of the host's. */
  advertise(addressId: number, address: string): void {
    const parsed = parseIpAddress(address)!;
    this.connection.paths.addresses.advertise({ addressId, address: parsed }, this.driver.now());
    this.driver.wake();
  }

  /** REMOVE_ADDR for an id that need not have been used. */
  withdraw(addressId: number): void {
    this.connection.paths.addresses.remove(addressId, this.driver.now());
    this.driver.wake();
  }

  /** The interfaces, by index from 1, have no carrier any more: all of them in the same moment. */
  loseInterfaces(...indices: readonly number[]): void {
    for (const index of indices) this.host.setInterfaceUp(index - 1, false, this.driver.now());
    this.driver.wake();
  }

  stop(): void {
    this.driver.close();
  }
}
