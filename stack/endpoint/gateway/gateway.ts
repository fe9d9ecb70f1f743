/** One side of the gateway at work: hosts of our stack on the paths and, where wanted, on a TUN device, and what joins their connections. */
import { once } from "node:events";
import type { Server as KernelServer } from "node:net";
import type { StackEvent } from "../../events.ts";
import { Host } from "../../host.ts";
import type { HostOptions } from "../../host-options.ts";
import { Driver, type DriverProblem } from "../../io/driver.ts";
import { interfaceInfo } from "../../io/link-events.ts";
import { createServer } from "../../net/net.ts";
import { formatEndpoint, formatIpAddress } from "../../wire/ip-address.ts";
import { unpredictable } from "../command/unpredictable.ts";
import type { StatusServer } from "../status/status-server.ts";
import type { GatewayCounters } from "../status/status-source.ts";
import { Carrier } from "./carrier.ts";
import { ConvertCookies } from "./convert-cookies.ts";
import type { TransportAddress } from "./convert-message.ts";
import { Converter } from "./converter.ts";
import { DirectCarrier } from "./direct-carrier.ts";
import { forward } from "./forwarder.ts";
import { type ConnectionRecord, observeConnections } from "./gateway-observer.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { allowing, kernelOutlet, type Outlet, transparentOutlet } from "./outlet.ts";
import { relay, type RelayResult, type RelaySocket } from "./relay.ts";
import { createSocks5Server } from "./socks5-server.ts";
import { type EntranceOptions, takeApplications } from "./tun-entrance.ts";

/** Towards the kernel of this machine there is no delay to fill. */
const tunBufferBytes = 1024 * 1024;
const tunMtu = 1500;
/** A TUN device has none, and nobody sees it. */
const nobodysMac = "02:00:00:00:00:01";
/** Connections at a time that a converter carries. */
const maximumConnections = 4096;
/** Beyond that many more are told that there is no room (RFC 8803 §6.2.8, Resource Exceeded), and none after them. */
const connectionsToRefuse = 256;

export type GatewayRecord =
  | { readonly type: "ready" }
  /** A connection has ended; `error`: not well. */
  | {
      readonly type: "carried";
      readonly to: string;
      readonly bytesUp: number;
      readonly bytesDown: number;
      readonly error?: string;
    }
  /** A connection that was asked for did not come about. */
  | { readonly type: "refused"; readonly to?: string; readonly reason: string }
  /** Where they are asked for: what the stack decides, and samples of connections. */
  | { readonly type: "event"; readonly time: number; readonly event: StackEvent }
  | ConnectionRecord
  | { readonly type: "problem"; readonly problem: DriverProblem };

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #pathHost: HostOptions;
  readonly #emit: (record: GatewayRecord) => void;
  readonly #drivers: Driver[] = [];
  #socks: KernelServer | undefined;
  #status: StatusServer | undefined;
  #stopObserving: (() => void) | undefined;
  /** Both sockets of each connection that is carried. */
  readonly #ends = new Set<RelaySocket>();
  #counters = { carried: 0, broken: 0, refused: 0, bytesUp: 0, bytesDown: 0 };

  /** `pathHost`: the host that speaks Multipath TCP. */
  constructor(options: GatewayOptions, pathHost: HostOptions, emit: (record: GatewayRecord) => void) {
    this.#options = options;
    this.#pathHost = pathHost;
    this.#emit = emit;
  }

  /** Rejects with ConfigurationError, or Error with the code ENODEV, EPERM, EBUSY, EADDRINUSE …, when it cannot begin. */
  async start(): Promise<void> {
    const { peers, direct, converterPort, forwardPorts } = this.#options;
    let onAdvertised: ((address: string, connection: number) => void) | undefined;
    const paths = this.#drive(this.#pathHost, "packet-socket", (event) => {
      if (event.name === "path-manager:address-advertised" && event.initiator === "remote")
        onAdvertised?.(event.address, event.connection);
      if (this.#options.observeMicroseconds !== undefined)
        this.#emit({ type: "event", time: Math.round(event.time), event });
    });
    this.#observe(paths);
    if (converterPort !== undefined) await this.#convert(paths, converterPort);
    await this.#forward(paths, forwardPorts);
    if (peers.length > 0) {
      const carrier = new Carrier(paths, this.#options);
      onAdvertised = (address) => carrier.dialler.learn(address);
      await this.#carry((remote, application) => carrier.connect(remote, application));
    }
    if (direct) {
      const carrier = new DirectCarrier(paths);
      onAdvertised = (address, id) => {
        const of = paths.host.connections.find((connection) => connection.id === id);
        if (of !== undefined) carrier.learn(address, of.remoteAddress, of.remotePort);
      };
      await this.#carry((remote) => carrier.connect(remote));
    }
    await this.#serveStatus();
    this.#emit({ type: "ready" });
  }

  #observe(paths: Driver): void {
    const { observeMicroseconds } = this.#options;
    if (observeMicroseconds === undefined) return;
    this.#stopObserving = observeConnections(paths, observeMicroseconds, (record) => this.#emit(record));
  }

  async #carry(connect: EntranceOptions["connect"]): Promise<void> {
    const { socks, tun, credentials } = this.#options;
    const entrance: EntranceOptions = {
      connect,
      onConnected: (application, far, remote) => this.#join(application, far, remote),
      onFailed: (remote, { message }) => this.#refused({ to: nameOf(remote), reason: message }),
    };
    if (tun !== undefined) takeApplications(this.#onTun(tun), entrance);
    if (socks === undefined) return;
    this.#socks = createSocks5Server({ ...entrance, credentials });
    this.#socks.listen(socks);
    await once(this.#socks, "listening");
  }

  async #forward(paths: Driver, ports: readonly number[]): Promise<void> {
    const { toAddress = "127.0.0.1" } = this.#options;
    for (const port of ports)
      await forward(paths, port, {
        toAddress,
        maximumConnections,
        onConnected: (client, server, to) => this.#join(client, server, to),
        onFailed: (to, reason) => this.#refused({ to: nameOf(to), reason }),
      });
  }

  counters(): GatewayCounters {
    return { ...this.#counters };
  }

  /** Before it returns, both ends of all that is carried are told by a reset: the end of a process alone would look to the kernel's as the end of a stream. */
  close(): void {
    this.#stopObserving?.();
    this.#socks?.close();
    this.#status?.close();
    for (const end of this.#ends) end.resetAndDestroy();
    for (const driver of this.#drivers) {
      driver.abandonConnections();
      driver.close();
    }
  }

  async #serveStatus(): Promise<void> {
    const { status } = this.#options;
    if (status === undefined) return;
    // Loaded only where somebody asks.
    const { StatusServer: Status } = await import("../status/status-server.ts");
    const source = { role: "gateway", startedAt: Date.now() / 1000, hosts: this.#drivers };
    this.#status = new Status({ ...source, gateway: () => this.counters() });
    await this.#status.listen(status);
  }

  async #convert(paths: Driver, port: number): Promise<void> {
    const { tun, toAddress, proxyProtocol, allowed, cookies } = this.#options;
    const outlet: Outlet =
      tun === undefined ? kernelOutlet({ toAddress, proxyProtocol }) : transparentOutlet(this.#onTun(tun));
    const converter = new Converter({
      open: allowed === undefined ? outlet : allowing(allowed, outlet),
      cookies: cookies ? new ConvertCookies() : undefined,
      maximumConnections,
      onConnected: (client, server, remote) => this.#join(client, server, remote),
      onFailed: (reason) => this.#refused({ reason }),
    });
    const server = createServer(
      paths,
      { allowHalfOpen: true, noDelay: true, pauseOnConnect: true },
      (client) => void converter.serve(client),
    );
    server.maxConnections = maximumConnections + connectionsToRefuse;
    // A thousand that come at once wait for a busy processor, and are not reset.
    server.listen({ port, backlog: maximumConnections, fastOpen: true });
    await once(server, "listening");
  }

  /** The host that is everybody to the kernel of this machine. */
  #onTun(name: string): Driver {
    const device = { name, mac: nobodysMac, mtu: mtuOf(name), gso: true, addresses: [], transparent: true };
    return this.#drive(
      {
        name: "everybody",
        random: unpredictable,
        mptcp: false,
        congestionControl: "reno",
        scheduler: "min-rtt",
        pathManager: "full-mesh",
        sendBufferBytes: tunBufferBytes,
        receiveBufferBytes: tunBufferBytes,
        interfaces: [device],
      },
      "tun",
    );
  }

  #drive(options: HostOptions, device: "packet-socket" | "tun", onEvent?: (event: StackEvent) => void): Driver {
    const mayCome = new Set(this.#options.interfaces.filter(({ optional }) => optional).map(({ name }) => name));
    const driver = new Driver({
      host: new Host(options),
      interfaces: options.interfaces.map(({ name }) => ({ interfaceName: name, device, optional: mayCome.has(name) })),
      followsAddresses: false,
      ...(onEvent !== undefined && { onEvent }),
      onProblem: (problem) => this.#emit({ type: "problem", problem }),
    });
    this.#drivers.push(driver);
    return driver;
  }

  #join(near: RelaySocket, far: RelaySocket, remote: TransportAddress): void {
    this.#ends.add(near).add(far);
    relay(near, far, (result) => {
      this.#ends.delete(near);
      this.#ends.delete(far);
      this.#report(remote, result);
    });
  }

  #refused(what: { to?: string; reason: string }): void {
    this.#counters.refused++;
    this.#emit({ type: "refused", ...what });
  }

  #report(remote: TransportAddress, { bytesUp, bytesDown, error }: RelayResult): void {
    if (error === undefined) this.#counters.carried++;
    else this.#counters.broken++;
    this.#counters.bytesUp += bytesUp;
    this.#counters.bytesDown += bytesDown;
    this.#emit({ type: "carried", to: nameOf(remote), bytesUp, bytesDown, ...(error !== undefined && { error }) });
  }
}

/** Of a device that somebody has made; else what the kernel gives to a new one. */
function mtuOf(tun: string): number {
  try {
    return interfaceInfo(undefined, tun).mtu;
  } catch {
    return tunMtu;
  }
}

function nameOf({ address, port }: TransportAddress): string {
  return formatEndpoint(formatIpAddress(address), port);
}
