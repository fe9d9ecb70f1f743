/** One host: interfaces, routes by source address, demultiplexing by port and by token, listeners. See architecture.md, decision 1. */

import { DeadlineQueue } from "./deadline-queue.ts";
import type { FallbackReason, StackEvent } from "./events.ts";
import { FlowTable } from "./flow-table.ts";
import { type ChecksumState, checksumState, type FrameSink } from "./frame.ts";
import { congestionControls, pathManagers, schedulers } from "./host-algorithms.ts";
import {
  buildInterfaces,
  checkedAddress,
  checkedBuffer,
  checkedName,
  checkedTcpOptions,
} from "./host-configuration.ts";
import { ConfigurationError, type HostOptions } from "./host-options.ts";
import { Listener } from "./listener.ts";
import { Connection } from "./mptcp/connection.ts";
import type { ConnectionEnvironment, LocalAddress } from "./mptcp/connection-environment.ts";
import type { Subflow } from "./mptcp/subflow.ts";
import { NetworkError } from "./network-error.ts";
import type { NetworkInterface } from "./network-interface.ts";
import { PacketOutput } from "./packet-output.ts";
import { resetFor } from "./tcp/reset-segment.ts";
import { etherType, ethernetHeaderLength } from "./wire/ethernet.ts";
import { icmpEchoReply, parseTcpUnreachable } from "./wire/icmp.ts";
import type { IpAddress } from "./wire/ip-address.ts";
import { ipProtocol, Ipv4Header, ipv4HeaderLength } from "./wire/ipv4.ts";
import { capableFlag, mptcpPresent, resetReason } from "./wire/mptcp-options.ts";
import { parseTcp, tcpChecksumIsRight } from "./wire/tcp-parse.ts";
import { tcpFlag, tcpHeaderLength, TcpSegment } from "./wire/tcp-segment.ts";

const defaultBuffer = 6 * 1024 * 1024;
const defaultBacklog = 511;
const firstEphemeralPort = 32_768;
const ephemeralPorts = 28_232;
/** Events that nobody polls do not pile up beyond this. */
const eventLimit = 100_000;

export interface ListenOptions {
  /** Default: every address of the host. */
  address?: string;
  port: number;
  /** Connections that are half open or wait to be accepted; default 511. */
  backlog?: number;
}

export interface ConnectOptions {
  remoteAddress: string;
  remotePort: number;
  /** Default: the address of the first interface that is up and has a route. */
  localAddress?: string;
  /** Default: as the host. */
  mptcp?: boolean;
}

/** What `deliverNotifications` had to tell: nothing, that bytes may be read or written, or that a connection or listener changed its state. */
export type Told = "nothing" | "bytes" | "state";

/**
 * No I/O, no clock. Times are microseconds (a number) that never go back. Four kinds of methods: getters; `handle…` (input); application calls; `poll…`
 * (output). After any call the driver runs `pollTransmit` and `deliverNotifications` and arms one timer for `pollTimeout`.
 */
export class Host {
  readonly name: string;
  readonly #mptcp: boolean;
  readonly #random: () => number;
  readonly #interfaces: NetworkInterface[];
  readonly #localAddresses: (LocalAddress & { up: boolean })[];
  readonly #environment: ConnectionEnvironment;

  readonly #flows = new FlowTable();
  readonly #tokens = new Map<number, Connection>();
  readonly #listeners: Listener[] = [];
  readonly #connections = new Set<Connection>();
  readonly #deadlines = new DeadlineQueue<Connection>((connection) => connection.nextTimeout);
  /** Connections that may have something to send, and those that have something to tell. */
  readonly #awake = new Set<Connection>();
  readonly #toNotify = new Set<Connection>();
  readonly #listenersToNotify = new Set<Listener>();
  #events: StackEvent[] = [];
  #polledEvents = 0;
  #nextConnectionId = 1;

  readonly #segment = new TcpSegment();
  readonly #ipv4 = new Ipv4Header();
  readonly #output: PacketOutput;
  #viewed: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #now = 0;

  /** @throws ConfigurationError */
  constructor(options: HostOptions) {
    this.name = options.name;
    this.#mptcp = options.mptcp;
    this.#random = options.random;
    this.#interfaces = buildInterfaces(options);
    this.#output = new PacketOutput(this.#interfaces);
    let addressId = 0;
    this.#localAddresses = this.#interfaces.flatMap((networkInterface) =>
      networkInterface.addresses.map(({ address }) => ({
        addressId: ++addressId,
        address,
        interfaceIndex: networkInterface.index,
        interfaceName: networkInterface.name,
        maximumSegmentSize: networkInterface.mtu - ipv4HeaderLength - tcpHeaderLength,
        gso: networkInterface.gso,
        backup: options.interfaces[networkInterface.index]!.backup ?? false,
        up: true,
      })),
    );
    if (addressId > 255)
      throw new ConfigurationError("interfaces", "more than 255 addresses: an address id is one octet");
    const newCongestionControl = checkedName("congestionControl", options.congestionControl, congestionControls);
    const newPathManager = checkedName("pathManager", options.pathManager, pathManagers);
    this.#environment = {
      localAddresses: this.#localAddresses,
      sendBufferBytes: checkedBuffer("sendBufferBytes", options.sendBufferBytes, defaultBuffer),
      receiveBufferBytes: checkedBuffer("receiveBufferBytes", options.receiveBufferBytes, defaultBuffer),
      dssChecksum: options.dssChecksum ?? false,
      tcp: checkedTcpOptions(options.tcp ?? {}),
      scheduler: checkedName("scheduler", options.scheduler, schedulers),
      record: (event) => {
        if (this.#events.length < eventLimit) this.#events.push(event);
      },
      random: () => this.#random() >>> 0,
      newCongestionControl,
      newPathManager,
      hasRoute: (local, remote) => this.#interfaces[local.interfaceIndex]!.nextHop(remote) !== undefined,
      attach: (subflow) => this.#flows.add(subflow),
      detach: (subflow) => this.#flows.remove(subflow),
      allocatePort: (local, remote, remotePort) => this.#allocatePort(local, remote, remotePort),
      registerToken: (token, connection) => {
        if (this.#tokens.has(token)) return false;
        this.#tokens.set(token, connection);
        return true;
      },
      unregisterToken: (token) => void this.#tokens.delete(token),
      notify: (connection) => void this.#toNotify.add(connection),
      wake: (connection) => void this.#awake.add(connection),
    };
  }

  get connections(): readonly Connection[] {
    return [...this.#connections];
  }

  // Input.

  /** `length` bytes of an Ethernet frame at `offset` of `buffer`; only lent. Super-packets of up to 64 KiB are one frame. */
  handleFrame(
    interfaceIndex: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    checksum: ChecksumState,
    now: number,
  ): void {
    const networkInterface = this.#interfaces[interfaceIndex]!;
    if (!networkInterface.up || length < ethernetHeaderLength) return;
    this.#now = now;
    if (buffer !== this.#viewed) {
      this.#viewed = buffer;
      this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    }
    const view = this.#view;
    const start = offset + ethernetHeaderLength;
    const rest = length - ethernetHeaderLength;
    const type = view.getUint16(offset + 12);
    if (type === etherType.arp) networkInterface.handleArp(view, start, rest, now);
    else if (type === etherType.ipv4) this.#handleIpv4(networkInterface, buffer, view, start, rest, checksum, now);
  }

  handleTimeout(now: number): void {
    this.#now = now;
    for (const networkInterface of this.#interfaces) networkInterface.handleTimeout(now);
    for (let due = this.#deadlines.takeDue(now); due !== undefined; due = this.#deadlines.takeDue(now)) {
      due.handleTimeout(now);
      this.#awake.add(due);
    }
  }

  setInterfaceUp(interfaceIndex: number, up: boolean, now: number): void {
    const networkInterface = this.#interfaces[interfaceIndex]!;
    if (networkInterface.up === up) return;
    networkInterface.setUp(up);
    for (const local of this.#localAddresses) if (local.interfaceIndex === interfaceIndex) local.up = up;
    for (const connection of this.#connections) connection.onInterfaceChanged(interfaceIndex, up, now);
  }

  // Application calls.

  /** @throws NetworkError EADDRINUSE, EADDRNOTAVAIL, EINVAL; ConfigurationError for what is no address */
  listen(options: ListenOptions, _now: number): Listener {
    const { port } = options;
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new NetworkError("EINVAL", `port ${port} is not in 1 … 65535`);
    const address = options.address === undefined ? undefined : checkedAddress("address", options.address);
    if (address !== undefined && this.#localAddressOf(address) === undefined) {
      throw new NetworkError("EADDRNOTAVAIL", `${options.address} is not an address of ${this.name}`);
    }
    const isSame = (other: Listener): boolean =>
      other.port === port && (address === undefined || other.address === undefined || other.address === address);
    if (this.#listeners.some(isSame)) throw new NetworkError("EADDRINUSE", `port ${port} is in use on ${this.name}`);
    const listener = new Listener(port, address, options.backlog ?? defaultBacklog, (closing) => {
      this.#listeners.splice(this.#listeners.indexOf(closing), 1);
    });
    this.#listeners.push(listener);
    return listener;
  }

  /** @throws NetworkError EADDRNOTAVAIL, ENETUNREACH, EINVAL; ConfigurationError for what is no address */
  connect(options: ConnectOptions, now: number): Connection {
    const { remotePort } = options;
    if (!Number.isInteger(remotePort) || remotePort < 1 || remotePort > 65_535) {
      throw new NetworkError("EINVAL", `port ${remotePort} is not in 1 … 65535`);
    }
    const remote = checkedAddress("remoteAddress", options.remoteAddress);
    const local =
      options.localAddress === undefined
        ? this.#sourceFor(remote)
        : this.#localAddressOf(checkedAddress("localAddress", options.localAddress));
    if (local === undefined && options.localAddress !== undefined) {
      throw new NetworkError("EADDRNOTAVAIL", `${options.localAddress} is not an address of ${this.name}`);
    }
    if (local === undefined)
      throw new NetworkError("ENETUNREACH", `${this.name} has no route to ${options.remoteAddress}`);
    const connection = this.#newConnection(true, options.mptcp ?? this.#mptcp, "disabled");
    connection.open(local, remote, remotePort, now);
    return connection;
  }

  // Output.

  /** When `handleTimeout` is due, `Infinity` for never. */
  pollTimeout(): number {
    let next = this.#deadlines.next;
    for (const networkInterface of this.#interfaces) next = Math.min(next, networkInterface.nextTimeout);
    return next;
  }

  /** Hands out every frame that may be sent now. */
  pollTransmit(now: number, sink: FrameSink): void {
    this.#now = now;
    this.#output.begin(sink, now);
    for (const connection of this.#awake) {
      this.#awake.delete(connection);
      connection.transmit(now, this.#output);
      if (connection.finished) this.#remove(connection);
      else this.#deadlines.update(connection);
    }
    this.#output.end();
  }

  pollEvent(): StackEvent | undefined {
    const event = this.#events[this.#polledEvents];
    if (event !== undefined) this.#polledEvents++;
    else if (this.#polledEvents > 0) {
      this.#events = [];
      this.#polledEvents = 0;
    }
    return event;
  }

  /** Calls the observers of connections and listeners on which something happened. They may call anything but `handle…` and `poll…`. */
  deliverNotifications(): Told {
    let told: Told = this.#toNotify.size > 0 ? "bytes" : "nothing";
    for (const listener of this.#listenersToNotify) {
      this.#listenersToNotify.delete(listener);
      told = "state";
      if (listener.hasAcceptable) listener.onConnection?.();
    }
    for (const connection of this.#toNotify) {
      this.#toNotify.delete(connection);
      if (connection.deliverNotifications()) told = "state";
    }
    return told;
  }

  #handleIpv4(
    via: NetworkInterface,
    buffer: Uint8Array,
    view: DataView,
    start: number,
    length: number,
    checksum: ChecksumState,
    now: number,
  ): void {
    const ip = this.#ipv4;
    if (!ip.parse(buffer, view, start, length)) return;
    const local = this.#localAddressOf(ip.destination);
    if (local === undefined) return;
    const payloadStart = start + ip.headerLength;
    const payloadLength = ip.totalLength - ip.headerLength;
    if (ip.protocol === ipProtocol.icmp) {
      const reply = icmpEchoReply(buffer, payloadStart, payloadLength);
      if (reply !== undefined) this.#output.sendIcmp(via, ip.destination, ip.source, reply, now);
      else this.#handleUnreachable(buffer, payloadStart, payloadLength, now);
      return;
    }
    if (ip.protocol !== ipProtocol.tcp) return;
    if (
      checksum === checksumState.unverified &&
      !tcpChecksumIsRight(buffer, payloadStart, payloadLength, ip.source, ip.destination)
    )
      return;
    const segment = this.#segment;
    if (!parseTcp(segment, buffer, view, payloadStart, payloadLength)) return;
    segment.source = ip.source;
    segment.destination = ip.destination;
    segment.ecn = ip.ecn;
    this.#handleSegment(segment, local, now);
  }

  #handleUnreachable(buffer: Uint8Array, start: number, length: number, now: number): void {
    const error = parseTcpUnreachable(buffer, start, length);
    if (error === undefined) return;
    const subflow = this.#flows.find(error.source, error.sourcePort, error.destination, error.destinationPort);
    if (subflow === undefined) return;
    subflow.endpoint.handleUnreachable(error, now);
    this.#awake.add(subflow.connection);
  }

  #handleSegment(segment: TcpSegment, local: LocalAddress, now: number): void {
    const subflow = this.#flows.find(segment.destination, segment.destinationPort, segment.source, segment.sourcePort);
    if (subflow !== undefined && !subflow.endpoint.closed && !this.#replacesOld(segment, subflow, now)) {
      subflow.endpoint.handleSegment(segment, now);
      this.#awake.add(subflow.connection);
      return;
    }
    if (segment.has(tcpFlag.rst)) return;
    const isOpening = (segment.flags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn;
    if (isOpening && segment.mptcp.has(mptcpPresent.join)) {
      const connection = this.#tokens.get(segment.mptcp.joinToken);
      const isComplete = connection !== undefined && segment.mptcp.joinLength === 12;
      const refusal = isComplete ? connection.acceptJoin(segment, local, now) : resetReason.mptcpSpecific;
      if (refusal >= 0) this.#reset(segment, local, refusal);
      return;
    }
    const listener = isOpening ? this.#listenerFor(segment) : undefined;
    if (listener === undefined) this.#reset(segment, local, -1);
    else if (listener.makeRoom(now)) this.#accept(listener, segment, local, now);
  }

  /** RFC 6191: a new SYN may take over from a connection in TIME-WAIT. */
  #replacesOld(segment: TcpSegment, subflow: Subflow, now: number): boolean {
    if (!subflow.endpoint.mayBeReplacedBy(segment, now)) return false;
    subflow.endpoint.discard("finished", now);
    this.#flows.remove(subflow);
    this.#awake.add(subflow.connection);
    return true;
  }

  #accept(listener: Listener, segment: TcpSegment, local: LocalAddress, now: number): void {
    const { mptcp } = segment;
    const asked = mptcp.has(mptcpPresent.capable);
    const supported = asked && mptcp.capableVersion === 1 && (mptcp.capableFlags & capableFlag.hmacSha256) !== 0;
    const reason: FallbackReason = !this.#mptcp ? "disabled" : asked ? "version-not-supported" : "peer-without-mptcp";
    const connection = this.#newConnection(false, this.#mptcp && supported, reason);
    listener.addHalfOpen(connection, now);
    connection.onAcceptable = () => {
      listener.promote(connection);
      this.#listenersToNotify.add(listener);
    };
    connection.onEndedEarly = () => listener.forget(connection);
    connection.acceptInitial(segment, local, now);
  }

  #newConnection(initiator: boolean, mptcp: boolean, plainReason: FallbackReason): Connection {
    const connection = new Connection({
      id: this.#nextConnectionId++,
      environment: this.#environment,
      initiator,
      mptcp,
      plainReason,
    });
    this.#connections.add(connection);
    return connection;
  }

  #remove(connection: Connection): void {
    this.#connections.delete(connection);
    this.#deadlines.remove(connection);
  }

  #localAddressOf(address: IpAddress): LocalAddress | undefined {
    return this.#localAddresses.find((local) => local.address === address);
  }

  #sourceFor(remote: IpAddress): LocalAddress | undefined {
    const reachable = this.#localAddresses.filter(
      (local) => local.up && this.#interfaces[local.interfaceIndex]!.nextHop(remote) !== undefined,
    );
    return (
      reachable.find((local) => this.#interfaces[local.interfaceIndex]!.nextHop(remote) === remote) ?? reachable[0]
    );
  }

  #listenerFor(segment: TcpSegment): Listener | undefined {
    return this.#listeners.find(
      ({ port, address }) =>
        port === segment.destinationPort && (address === undefined || address === segment.destination),
    );
  }

  /** RFC 6056 §3.3.1, simple randomisation. */
  #allocatePort(local: IpAddress, remote: IpAddress, remotePort: number): number {
    const start = this.#random() >>> 0;
    for (let i = 0; i < ephemeralPorts; i++) {
      const port = firstEphemeralPort + ((start + i) % ephemeralPorts);
      if (this.#flows.find(local, port, remote, remotePort) === undefined) return port;
    }
    throw new NetworkError("EADDRNOTAVAIL", `${this.name} has no port left`);
  }

  /** `reason` of MP_TCPRST, -1: none. */
  #reset(received: TcpSegment, local: LocalAddress, reason: number): void {
    const reply = resetFor(received);
    if (reason >= 0) {
      reply.mptcp.present = mptcpPresent.reset;
      reply.mptcp.resetReason = reason;
    }
    this.#output.sendSegment(reply, this.#interfaces[local.interfaceIndex]!, this.#now);
  }
}

export { NetworkError } from "./network-error.ts";
export type { Connection } from "./mptcp/connection.ts";
export type { Listener } from "./listener.ts";
