/** One host: its interfaces and connections, what applications ask of it, and when it has something to send. See architecture.md, decision 1. */

import { type Alarm, Alarms } from "./alarm.ts";
import { DeadlineQueue } from "./deadline-queue.ts";
import {
  checkBacklog,
  checkPort,
  type ConnectOptions,
  defaultBacklog,
  listeningAddress,
  type ListenOptions,
} from "./call-options.ts";
import { Demultiplexer } from "./demultiplexer.ts";
import { freePort } from "./ephemeral-ports.ts";
import { EventQueue } from "./event-queue.ts";
import { type FallbackReason, type StackEvent, tracerOf } from "./events.ts";
import type { ChecksumState, FrameSink } from "./frame.ts";
import { chosenAlgorithms } from "./host-algorithms.ts";
import { checkedBuffer, checkedMultipathPolicy, checkedTcpOptions, checkedTrace } from "./host-configuration.ts";
import {
  type AddressOptions,
  algorithmChoices,
  type AlgorithmChoices,
  ConfigurationError,
  type HostOptions,
  type InterfaceOptions,
} from "./host-options.ts";
import { buildInterfaces, checkedAddress, checkedDevice, checkedOwnAddress } from "./interface-configuration.ts";
import { Listener } from "./listener.ts";
import { LocalAddresses } from "./local-addresses.ts";
import type { Algorithms } from "./mptcp/algorithms.ts";
import { Connection } from "./mptcp/connection.ts";
import type { ConnectionEnvironment, LocalAddress } from "./mptcp/connection-environment.ts";
import { chosenMechanisms } from "./mptcp/multipath-mechanisms.ts";
import { GatherMemory } from "./mptcp/gather-memory.ts";
import type { ConnectionKey } from "./mptcp/keys.ts";
import { SlabPool } from "./mptcp/slab-pool.ts";
import { NetworkError } from "./network-error.ts";
import type { NetworkInterface } from "./network-interface.ts";
import { PacketInput } from "./packet-input.ts";
import { PacketOutput } from "./packet-output.ts";
import { Routes } from "./routes.ts";
import { tellUnreachable } from "./silent-neighbours.ts";
import { StatelessHandshake } from "./stateless-handshake.ts";
import { windowScaleFor } from "./tcp/handshake.ts";
import { HostTcp } from "./tcp/host-tcp.ts";
import type { SynCookiePolicy } from "./tcp/tcp-options.ts";
import { TransparentListener } from "./transparent-listener.ts";
import { TurnQueue } from "./turn-queue.ts";
import { isUnicast } from "./unicast.ts";
import { formatIpAddress, type IpAddress, isIpv6, isUnspecified } from "./wire/ip-address.ts";
import { minimumIpv6Mtu } from "./wire/ipv6.ts";
import type { TcpSegment } from "./wire/tcp-segment.ts";

const defaultBuffer = 6 * 1024 * 1024;

/** Counts; frames are those that wait for a neighbour's hardware address or for `pollTransmit`. */
export interface HostHoldings {
  connections: number;
  subflows: number;
  tokens: number;
  deadlines: number;
  waitingFrames: number;
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
  readonly #addresses = new LocalAddresses();
  readonly #routes: Routes;
  readonly #synCookies: SynCookiePolicy;
  readonly #choices: AlgorithmChoices;
  readonly #algorithms: Algorithms;
  readonly #environment: ConnectionEnvironment;

  readonly #demultiplexer: Demultiplexer;
  readonly #connections = new Set<Connection>();
  readonly #deadlines = new DeadlineQueue<Connection>((connection) => connection.nextTimeout);
  /** Connections that may have something to send, and those that have something to tell. */
  readonly #awake = new TurnQueue<Connection>();
  readonly #toNotify = new TurnQueue<Connection>();
  readonly #listenersToNotify = new Set<Listener>();
  #hasRequests = false;
  readonly #alarms = new Alarms();
  readonly #events = new EventQueue();
  #nextConnectionId = 1;

  readonly #input: PacketInput;
  readonly #output: PacketOutput;

  /** @throws ConfigurationError */
  constructor(options: HostOptions) {
    this.name = options.name;
    this.#mptcp = options.mptcp;
    this.#random = options.random;
    this.#interfaces = buildInterfaces(options);
    this.#routes = new Routes(this.#interfaces, this.#addresses);
    this.#output = new PacketOutput(this.#interfaces);
    for (const [index, { addresses, backup = false }] of options.interfaces.entries()) {
      const networkInterface = this.#interfaces[index]!;
      for (const [i, own] of networkInterface.addresses.entries())
        this.#addresses.add(networkInterface, own, { port: addresses[i]!.port ?? 0, backup });
    }
    const tcp = checkedTcpOptions(options.tcp ?? {});
    this.#synCookies = tcp.synCookies ?? "when-full";
    const hostTcp = new HostTcp(tcp, options.random);
    const policy = checkedMultipathPolicy(options);
    const dssChecksum = options.dssChecksum ?? false;
    const receiveBufferBytes = checkedBuffer("receiveBufferBytes", options.receiveBufferBytes, defaultBuffer);
    const statelessHandshake = new StatelessHandshake({
      hostTcp,
      receiveBufferBytes,
      windowScale: windowScaleFor(receiveBufferBytes),
      dssChecksum,
      allowJoinInitialAddress: policy.allowJoinInitialAddress,
      explicitCongestionNotification: tcp.explicitCongestionNotification ?? false,
    });
    const demultiplexer = new Demultiplexer({
      mptcp: this.#mptcp,
      statelessHandshake,
      newConnection: (listener, mptcp, plainReason, key) =>
        this.#newConnection(false, mptcp, plainReason, listener?.algorithms ?? this.#algorithms, key),
      wake: (connection) => this.#awake.add(connection),
      notifyListener: (listener) => void this.#listenersToNotify.add(listener),
      reply: (segment, local, now) => this.#reply(segment, local, now),
    });
    this.#demultiplexer = demultiplexer;
    this.#input = new PacketInput(this.#addresses.list, this.#addresses.networks, demultiplexer, this.#output);
    const { flows, tokens } = demultiplexer;
    const { congestionControl, scheduler, pathManager } = options;
    this.#choices = { congestionControl, scheduler, pathManager };
    this.#algorithms = chosenAlgorithms(this.#choices, policy);
    const record = (event: StackEvent): void => this.#events.add(event);
    this.#environment = {
      localAddresses: this.#addresses.list,
      sendBufferBytes: checkedBuffer("sendBufferBytes", options.sendBufferBytes, defaultBuffer),
      notSentLowatBytes: checkedBuffer("notSentLowatBytes", options.notSentLowatBytes, Number.POSITIVE_INFINITY),
      receiveBufferBytes,
      autotune: options.autotune ?? false,
      dssChecksum,
      policy,
      mechanisms: chosenMechanisms(options),
      tcp,
      hostTcp,
      gather: new GatherMemory(),
      slabs: new SlabPool(),
      record,
      trace: tracerOf(checkedTrace(options.trace ?? []), record),
      random: () => this.#random() >>> 0,
      hasRoute: (local, remote) => this.#routes.nextHop(local, remote) !== undefined,
      attach: (subflow) => flows.add(subflow),
      detach: (subflow) => flows.remove(subflow),
      allocatePort: (local, remote, remotePort) => this.#allocatePort(local, remote, remotePort),
      registerToken: (token, connection) => {
        if (tokens.has(token)) return false;
        tokens.set(token, connection);
        return true;
      },
      unregisterToken: (token) => void tokens.delete(token),
      notify: (connection) => this.#toNotify.add(connection),
      wake: (connection) => this.#awake.add(connection),
    };
  }

  get connections(): readonly Connection[] {
    return [...this.#connections];
  }

  /** What the host keeps for its connections: nothing, once the last of them has ended and listeners are closed. */
  get holdings(): HostHoldings {
    const { flows, tokens } = this.#demultiplexer;
    return {
      connections: this.#connections.size,
      subflows: flows.size,
      tokens: tokens.size,
      deadlines: this.#deadlines.size,
      waitingFrames: this.#interfaces.reduce((sum, networkInterface) => sum + networkInterface.waitingFrames, 0),
    };
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
    if (!networkInterface.up) return;
    this.#input.handleFrame(networkInterface, buffer, offset, length, checksum, now);
  }

  handleTimeout(now: number): void {
    for (const networkInterface of this.#interfaces)
      for (const neighbour of networkInterface.handleTimeout(now))
        tellUnreachable(this.#connections, networkInterface, neighbour, now);
    for (let due = this.#deadlines.takeDue(now); due !== undefined; due = this.#deadlines.takeDue(now)) {
      due.handleTimeout(now);
      this.#awake.add(due);
    }
    this.#alarms.handleTimeout(now);
  }

  setInterfaceUp(interfaceIndex: number, up: boolean, now: number): void {
    const networkInterface = this.#interfaces[interfaceIndex]!;
    if (networkInterface.up === up) return;
    networkInterface.setUp(up);
    const changed = this.#addresses.onInterface(interfaceIndex);
    for (const local of changed) this.#addresses.setUp(local, up);
    for (const connection of this.#connections) {
      if (up) connection.onAddressesCome(now);
      else connection.onAddressesGone(changed, "interface-down", now);
    }
  }

  /**
   * Another device has come in the place of that which the interface had: frames have its hardware address, new subflows its MTU. While the interface is down.
   * @throws ConfigurationError for what no device has, as an MTU below that of IPv6 where there is an address of IPv6
   */
  setInterfaceDevice(interfaceIndex: number, device: Pick<InterfaceOptions, "mac" | "mtu">): void {
    const networkInterface = this.#interfaces[interfaceIndex]!;
    const { mac, mtu } = checkedDevice(device, networkInterface.addresses, networkInterface.name);
    networkInterface.setDevice(mac, mtu);
    this.#addresses.onDevice(networkInterface);
  }

  /**
   * A further address for an interface; connections may use it from now on.
   * @throws ConfigurationError for what cannot be an address there; NetworkError EADDRINUSE
   */
  addAddress(interfaceIndex: number, options: AddressOptions & { backup?: boolean }, now: number): void {
    const networkInterface = this.#interfaces[interfaceIndex];
    if (networkInterface === undefined)
      throw new ConfigurationError("interfaceIndex", `${this.name} has no interface ${interfaceIndex}`);
    const own = checkedOwnAddress(options, "address");
    if (isIpv6(own.address) && networkInterface.mtu < minimumIpv6Mtu)
      throw new ConfigurationError(
        "address",
        `IPv6 takes an MTU of ${minimumIpv6Mtu}: ${networkInterface.name} has less`,
      );
    if (this.#addresses.find(own.address) !== undefined)
      throw new NetworkError("EADDRINUSE", `${options.address} is an address of ${this.name} already`);
    this.#addresses.add(networkInterface, own, { port: options.port ?? 0, backup: options.backup ?? false });
    networkInterface.addAddress(own);
    for (const connection of this.#connections) connection.onAddressesCome(now);
  }

  /** Subflows from the address end, and peers are told where another subflow is left. @throws NetworkError EADDRNOTAVAIL */
  removeAddress(address: string, now: number): void {
    const local = this.#addresses.find(checkedAddress("address", address));
    if (local === undefined) throw new NetworkError("EADDRNOTAVAIL", `${address} is not an address of ${this.name}`);
    this.#addresses.setUp(local, false);
    for (const connection of this.#connections) connection.onAddressesGone([local], "address-removed", now);
    this.#addresses.remove(local);
    this.#interfaces[local.interfaceIndex]!.removeAddress(local.address);
  }

  // Application calls.

  /** Addresses of ours that `connect` to there can use, the one that it chooses itself first. @throws ConfigurationError for what is no address */
  sourcesFor(remoteAddress: string): string[] {
    return this.#routes
      .sourcesFor(checkedAddress("remoteAddress", remoteAddress))
      .map(({ address }) => formatIpAddress(address));
  }

  /** @throws NetworkError EADDRINUSE, EADDRNOTAVAIL, EINVAL, ERR_SOCKET_BAD_PORT; ConfigurationError for what is no address */
  listen(options: ListenOptions, _now: number): Listener {
    checkPort(options.port, 0);
    const address = listeningAddress(options);
    if (address !== undefined && !isUnspecified(address) && this.#addresses.find(address) === undefined) {
      throw new NetworkError("EADDRNOTAVAIL", `${options.address} is not an address of ${this.name}`);
    }
    const demultiplexer = this.#demultiplexer;
    const port = options.port === 0 ? this.#portToListenOn(address) : options.port;
    if (demultiplexer.isListening(port, address))
      throw new NetworkError("EADDRINUSE", `port ${port} is in use on ${this.name}`);
    const { backlog = defaultBacklog } = options;
    checkBacklog(backlog);
    const listener = new Listener({
      port,
      address,
      backlog,
      synCookies: this.#synCookies,
      fastOpen: options.fastOpen ?? false,
      algorithms: this.#algorithmsFor(options),
      close: (closing) => demultiplexer.removeListener(closing),
    });
    demultiplexer.addListener(listener);
    return listener;
  }

  /**
   * Takes connections to any address and port, of which the packets come in by transparent interfaces; the application decides before the peer gets an answer.
   * @throws NetworkError EADDRINUSE when there is such a listener; ConfigurationError without such an interface
   */
  listenTransparently({ backlog = defaultBacklog }: { backlog?: number } = {}): TransparentListener {
    const demultiplexer = this.#demultiplexer;
    if (!this.#interfaces.some(({ transparent }) => transparent))
      throw new ConfigurationError("interfaces", `${this.name} has no transparent interface`);
    if (demultiplexer.transparentListener !== undefined)
      throw new NetworkError("EADDRINUSE", `${this.name} listens to everybody's connections already`);
    const listener = new TransparentListener(
      {
        accept: (syn, local, now) => demultiplexer.acceptKept(syn, local, now),
        reply: (segment, local, now) => this.#reply(segment, local, now),
        notify: () => void (this.#hasRequests = true),
        close: () => void (demultiplexer.transparentListener = undefined),
      },
      backlog,
    );
    demultiplexer.transparentListener = listener;
    return listener;
  }

  /** @throws NetworkError EADDRINUSE, EADDRNOTAVAIL, ENETUNREACH, ERR_SOCKET_BAD_PORT; ConfigurationError for what is no address */
  connect(options: ConnectOptions, now: number): Connection {
    const { remotePort } = options;
    checkPort(remotePort, 1);
    const remote = checkedAddress("remoteAddress", options.remoteAddress);
    if (!isUnicast(remote, this.#addresses.networks))
      throw new NetworkError("ENETUNREACH", `${options.remoteAddress} is not the address of one host`);
    const local =
      options.localAddress === undefined
        ? this.#routes.sourcesFor(remote)[0]
        : this.#routes.ownOrForeign(checkedAddress("localAddress", options.localAddress));
    if (local === undefined && options.localAddress !== undefined) {
      throw new NetworkError("EADDRNOTAVAIL", `${options.localAddress} is not an address of ${this.name}`);
    }
    if (local === undefined || this.#routes.nextHop(local, remote) === undefined)
      throw new NetworkError("ENETUNREACH", `${this.name} has no route to ${options.remoteAddress}`);
    const { localPort, fastOpen = false } = options;
    if (
      localPort !== undefined &&
      this.#demultiplexer.flows.find(local.address, localPort, remote, remotePort) !== undefined
    )
      throw new NetworkError("EADDRINUSE", `${this.name} has a connection from port ${localPort} to there`);
    const algorithms = this.#algorithmsFor(options);
    const connection = this.#newConnection(true, options.mptcp ?? this.#mptcp, "disabled", algorithms);
    try {
      connection.open(local, remote, remotePort, now, {
        fastOpen,
        ...(localPort !== undefined && { localPort }),
      });
    } catch (error) {
      // No port is left, or an algorithm of the application's is none.
      connection.abort(now);
      this.#remove(connection);
      throw error;
    }
    return connection;
  }

  /** Has `alarm` ring at `at`, instead of when it would have; `Infinity`: not at all. */
  setAlarm(alarm: Alarm, at: number): void {
    this.#alarms.set(alarm, at);
  }

  // Output.

  /** When `handleTimeout` is due, `Infinity` for never. */
  pollTimeout(): number {
    let next = Math.min(this.#deadlines.next, this.#alarms.next);
    for (const networkInterface of this.#interfaces) next = Math.min(next, networkInterface.nextTimeout);
    return next;
  }

  /** Hands out every frame that may be sent now. */
  pollTransmit(now: number, sink: FrameSink): void {
    this.#output.begin(sink, now);
    for (let connection = this.#awake.take(); connection !== undefined; connection = this.#awake.take()) {
      connection.transmit(now, this.#output);
      if (connection.finished) this.#remove(connection);
      else this.#deadlines.update(connection);
    }
    this.#output.end();
  }

  pollEvent(): StackEvent | undefined {
    return this.#events.take();
  }

  /** Calls the observers of connections and listeners on which something happened. They may call anything but `handle…` and `poll…`. */
  deliverNotifications(): Told {
    let told: Told = this.#toNotify.size > 0 ? "bytes" : "nothing";
    if (this.#listenersToNotify.size > 0) {
      told = "state";
      this.#notifyListeners();
    }
    if (this.#hasRequests) {
      this.#hasRequests = false;
      told = "state";
      this.#demultiplexer.transparentListener?.deliver();
    }
    for (let connection = this.#toNotify.take(); connection !== undefined; connection = this.#toNotify.take()) {
      if (connection.deliverNotifications()) told = "state";
    }
    if (this.#alarms.ring()) told = "state";
    return told;
  }

  #notifyListeners(): void {
    for (const listener of this.#listenersToNotify) {
      this.#listenersToNotify.delete(listener);
      if (listener.hasAcceptable) listener.onConnection?.();
    }
  }

  #algorithmsFor(options: Partial<AlgorithmChoices>): Algorithms {
    const choices = algorithmChoices(options);
    if (Object.keys(choices).length === 0) return this.#algorithms;
    return chosenAlgorithms({ ...this.#choices, ...choices }, this.#environment.policy);
  }

  #newConnection(
    initiator: boolean,
    mptcp: boolean,
    plainReason: FallbackReason,
    algorithms: Algorithms,
    key?: ConnectionKey,
  ): Connection {
    const connection = new Connection({
      id: this.#nextConnectionId++,
      environment: this.#environment,
      initiator,
      mptcp,
      plainReason,
      algorithms,
      ...(key !== undefined && { key }),
    });
    this.#connections.add(connection);
    return connection;
  }

  #remove(connection: Connection): void {
    this.#connections.delete(connection);
    this.#deadlines.remove(connection);
  }

  #reply(segment: TcpSegment, local: LocalAddress, now: number): void {
    this.#output.sendSegment(segment, this.#interfaces[local.interfaceIndex]!, now);
  }

  #allocatePort(local: IpAddress, remote: IpAddress, remotePort: number): number {
    const { flows } = this.#demultiplexer;
    return freePort(this.#random, (port) => flows.find(local, port, remote, remotePort) === undefined);
  }

  #portToListenOn(address: IpAddress | undefined): number {
    return freePort(this.#random, (port) => !this.#demultiplexer.isListening(port, address));
  }
}

export type { ConnectOptions, ListenOptions } from "./call-options.ts";
export { NetworkError } from "./network-error.ts";
export type { Connection } from "./mptcp/connection.ts";
export type { Listener } from "./listener.ts";
export type { ConnectionRequest, TransparentListener } from "./transparent-listener.ts";
