import type { FrameSink, OutgoingFrame } from "../frame.ts";
import type { StackEvent } from "../events.ts";
import { ConfigurationError } from "../host-options.ts";
import { type Host, NetworkError } from "../host.ts";
import { AddressEvents, type AddressEvent } from "./address-events.ts";
import { monotonicMicroseconds } from "./clock.ts";
import { hexadecimal, interfaceInfo, LinkEvents, type LinkEvent } from "./link-events.ts";
import { PacketPort, type Port, TunPort } from "./port.ts";
import { PreciseTimer } from "./precise-timer.ts";

/** The device of one of the host's interfaces; the list has the order of `HostOptions.interfaces`. */
export type DriverInterface = {
  interfaceName: string;
  /** The file of its network namespace; undefined for the own one. */
  namespacePath?: string;
  /** Default: a network interface, through a packet socket. `tun`: a TUN device, whose other end is the kernel; for a transparent interface. */
  device?: "packet-socket" | "tun";
  /** It need not be there yet: the host's interface is down until it comes, and then has its hardware address and MTU. Default false. */
  optional?: boolean;
};

/** What the driver met that is not the host's business. */
export type DriverProblem =
  /** The interface is optional and not there: it is down until there is one of its name. */
  | { type: "interface-missing"; interfaceName: string }
  /** The interface was deleted: it is down until there is one of its name again. */
  | { type: "interface-deleted"; interfaceName: string }
  /** The socket or the listener for link events reported an error other than an interface going down. */
  | { type: "socket"; interfaceName: string; code: string }
  /** The kernel's interface has got an address that the host cannot have: it is the host's already, or cannot be one. */
  | { type: "address-refused"; interfaceName: string; address: string; reason: string };

export type DriverOptions = {
  host: Host;
  interfaces: readonly DriverInterface[];
  /** The host has the addresses, too, that the kernel gets meanwhile: for machines whose kernel leaves TCP on them alone, or it answers with resets. Default true. */
  followsAddresses?: boolean;
  /** Every event of the host, with the time at which it was fetched. */
  onEvent?: (event: StackEvent, now: number) => void;
  onProblem?: (problem: DriverProblem) => void;
  /** The memory for packets, 17 MB an interface, is taken from the system at once, not as batches of packets first need it: for who measures memory. Default false. */
  prefault?: boolean;
};

/** Totals of one interface, for a sample. */
export type DriverCounters = {
  interfaceName: string;
  /** Frames that the kernel could not store for us, and frames longer than a slot. */
  receiveDrops: number;
  transmitOverruns: number;
  transmitFailures: Record<string, number>;
};

/** Of a frame that fills a good part of the nearest cache: to tell the application costs little beside it. */
const promptBytes = 16_384;

/** Of this process. */
const openDrivers = new Set<Driver>();

/** Our stack ends with its process, where the kernel would go on: peers are told, so that they do not wait for minutes for somebody who is gone. */
function onProcessExit(): void {
  for (const driver of openDrivers) driver.abandonConnections();
}

/**
 * Puts a pure {@link Host} on wires: a packet socket or a TUN device for each interface, one precise timer, and the news of interfaces
 * going up and down and of the addresses that the kernel gets and loses there meanwhile. A batch of frames comes in, the host's answers go
 * out as a batch; checksums and, where the host was told that the interface has it, segmentation are left to the device (virtio-net
 * header). To stack/net it is the `NetworkStack`: host, clock and wake.
 */
export class Driver implements FrameSink {
  readonly host: Host;
  /** undefined: there has been no device yet. */
  readonly #ports: (Port | undefined)[] = [];
  readonly #devices: readonly DriverInterface[];
  /** By which number the kernel knows the device that a port was opened on; undefined: it is deleted. */
  readonly #numbers: (number | undefined)[] = [];
  /** Of all that the driver has open the only one that keeps the process alive. */
  readonly #timer: PreciseTimer;
  /** For whom it does: the driver itself until `unref`, and those who called `hold`. */
  #holds = 1;
  #isReferenced = true;
  readonly #events: (LinkEvents | AddressEvents)[] = [];
  /** Addresses that came from the kernel, each as it is written: only these go with the kernel's. */
  readonly #kernelAddresses = new Set<string>();
  readonly #onEvent: (event: StackEvent, now: number) => void;
  readonly #onProblem: (problem: DriverProblem) => void;
  readonly #prefault: boolean | undefined;
  /** A run is going to happen; while it happens, another is wanted. */
  #runWanted = false;
  #running = false;
  #closed = false;

  /** @throws Error with code ENODEV, ENOENT or EPERM when an interface cannot be opened */
  constructor(options: DriverOptions) {
    this.host = options.host;
    this.#devices = options.interfaces;
    this.#onEvent = options.onEvent ?? (() => {});
    this.#onProblem = options.onProblem ?? (() => {});
    this.#prefault = options.prefault;
    this.#timer = new PreciseTimer(() => {
      this.host.handleTimeout(this.now());
      this.#run();
    });
    try {
      for (const [index, device] of options.interfaces.entries()) {
        this.#ports.push(this.#openAtFirst(device, index));
        this.#numbers.push(numberOf(device));
      }
      for (const namespacePath of new Set(options.interfaces.map((device) => device.namespacePath))) {
        this.#events.push(new LinkEvents(namespacePath, (event) => this.#onLink(namespacePath, event)));
        if (options.followsAddresses === false) continue;
        this.#events.push(
          new AddressEvents(
            namespacePath,
            (event) => this.#onAddress(namespacePath, event),
            (code) => this.#onProblem({ type: "socket", interfaceName: "any", code }),
          ),
        );
      }
      for (const events of this.#events) events.unref();
    } catch (error) {
      this.close();
      throw error;
    }
    for (const [index, port] of this.#ports.entries()) if (port !== undefined) this.#lookUp(index);
    if (openDrivers.size === 0) process.on("exit", onProcessExit);
    openDrivers.add(this);
    this.wake();
  }

  /** The process goes on while the driver is open: so it begins. */
  ref(): this {
    if (!this.#isReferenced) this.hold();
    this.#isReferenced = true;
    return this;
  }

  /** The process goes on only while somebody holds the driver: sockets of stack/net do, unless they are unref'd. */
  unref(): this {
    if (this.#isReferenced) this.release();
    this.#isReferenced = false;
    return this;
  }

  hold(): void {
    if (this.#holds++ === 0 && !this.#closed) this.#timer.ref();
  }

  release(): void {
    if (--this.#holds === 0 && !this.#closed) this.#timer.unref();
  }

  now(): number {
    return monotonicMicroseconds();
  }

  wake(): void {
    if (this.#runWanted) return;
    this.#runWanted = true;
    // The application may do more in the same turn: all of it goes out together.
    if (!this.#running) queueMicrotask(() => this.#run());
  }

  transmit(frame: OutgoingFrame): void {
    this.#ports[frame.interfaceIndex]?.queue.transmit(frame);
  }

  counters(): DriverCounters[] {
    return this.#ports.map((port, index) => ({
      interfaceName: this.#devices[index]!.interfaceName,
      receiveDrops: port?.receiveDrops ?? 0,
      transmitOverruns: port?.queue.overruns ?? 0,
      transmitFailures: Object.fromEntries(port?.queue.failures ?? []),
    }));
  }

  /** Resets every connection that is open (MP_FASTCLOSE, RFC 8684 §3.5), and sends that before it returns. */
  abandonConnections(): void {
    const now = this.now();
    for (const connection of this.host.connections) connection.abort(now);
    // Not as a run: the application may end the process in the middle of one.
    this.host.pollTransmit(now, this);
    for (const port of this.#ports) port?.queue.flush();
  }

  /** Lets go of interfaces at once; what the host still had to say is not sent. */
  close(): void {
    this.#closed = true;
    if (openDrivers.delete(this) && openDrivers.size === 0) process.off("exit", onProcessExit);
    this.#timer.close();
    for (const events of this.#events) events.close();
    for (const port of this.#ports) port?.close();
  }

  #openAtFirst(device: DriverInterface, index: number): Port | undefined {
    try {
      return this.#open(device, index);
    } catch (error) {
      if (device.optional !== true || (error as NodeJS.ErrnoException).code !== "ENODEV") throw error;
      this.host.setInterfaceUp(index, false, this.now());
      this.#onProblem({ type: "interface-missing", interfaceName: device.interfaceName });
      return undefined;
    }
  }

  #open({ interfaceName, namespacePath, device = "packet-socket" }: DriverInterface, index: number): Port {
    const PortOfDevice = device === "tun" ? TunPort : PacketPort;
    const port = new PortOfDevice({
      interfaceName,
      namespacePath,
      onFrame: (bytes, start, length, checksum, now) => {
        this.host.handleFrame(index, bytes, start, length, checksum, now);
        if (length >= promptBytes) this.#deliver();
      },
      onBatchEnd: () => this.#run(),
      onError: (code) => this.#onProblem({ type: "socket", interfaceName, code }),
      prefault: this.#prefault,
    });
    port.unref();
    return port;
  }

  /** The application reads at once, while the bytes are in the processor's nearest cache; its answers go out with those to the rest of the batch. */
  #deliver(): void {
    if (this.#closed || this.#running) return;
    this.#running = true;
    try {
      this.host.deliverNotifications();
    } finally {
      this.#running = false;
    }
  }

  /** Everything that follows from an input: frames out, the application told, its answers out, the timer set. */
  #run(): void {
    if (this.#closed || this.#running) return;
    this.#running = true;
    try {
      do {
        this.#runWanted = false;
        const now = this.now();
        this.host.pollTransmit(now, this);
        for (const port of this.#ports) port?.queue.flush();
        this.host.deliverNotifications();
        for (let event = this.host.pollEvent(); event !== undefined; event = this.host.pollEvent())
          this.#onEvent(event, now);
      } while (this.#runWanted && !this.#closed);
    } finally {
      this.#running = false;
    }
    this.#timer.set(this.host.pollTimeout());
  }

  #onLink(namespacePath: string | undefined, event: LinkEvent): void {
    this.#devices.forEach((device, index) => {
      if (device.namespacePath !== namespacePath) return;
      if (event.type === "lost") this.#lookUp(index);
      else if (event.name !== device.interfaceName) return;
      else if (event.type === "deleted") this.#gone(index);
      else if (this.#takeUp(index, event.index)) this.host.setInterfaceUp(index, event.running, this.now());
    });
    this.wake();
  }

  /** The kernel speaks of an interface by its number, which a new one of the same name does not share. */
  #onAddress(namespacePath: string | undefined, { type, interfaceIndex, address, prefixLength }: AddressEvent): void {
    const index = this.#ports.findIndex(
      (port) =>
        port?.sharesAddresses === true && port.namespacePath === namespacePath && numberOf(port) === interfaceIndex,
    );
    if (index < 0) return;
    try {
      if (type === "added") {
        if (this.#kernelAddresses.has(address)) return; // Told again: its lifetime has changed.
        this.host.addAddress(index, { address, prefixLength }, this.now());
        this.#kernelAddresses.add(address);
      } else if (this.#kernelAddresses.delete(address)) this.host.removeAddress(address, this.now());
    } catch (error) {
      if (!(error instanceof NetworkError) && !(error instanceof ConfigurationError)) throw error;
      const { interfaceName } = this.#devices[index]!;
      this.#onProblem({ type: "address-refused", interfaceName, address, reason: error.message });
    }
    this.wake();
  }

  #lookUp(index: number): void {
    const { interfaceName, namespacePath } = this.#devices[index]!;
    try {
      const { index: number, running } = interfaceInfo(namespacePath, interfaceName);
      if (this.#takeUp(index, number)) this.host.setInterfaceUp(index, running, this.now());
    } catch {
      this.#gone(index);
    }
  }

  /**
   * A socket stays with the device that it was opened on: one that has come in its place, under its name, is opened anew, and the host's frames get its hardware address.
   * @returns false: that cannot be done, and the interface stays down
   */
  #takeUp(index: number, number: number): boolean {
    if (this.#numbers[index] === number) return true;
    // What stood on the old device must not seem to have outlived it.
    this.host.setInterfaceUp(index, false, this.now());
    const device = this.#devices[index]!;
    try {
      const port = this.#open(device, index);
      this.#ports[index]?.close();
      this.#ports[index] = port;
      this.#numbers[index] = number;
      if (port.sharesAddresses) {
        const { mac, mtu } = interfaceInfo(device.namespacePath, device.interfaceName);
        this.host.setInterfaceDevice(index, { mac: hexadecimal(mac), mtu });
      }
      return true;
    } catch (error) {
      const { code = (error as Error).message } = error as NodeJS.ErrnoException;
      this.#onProblem({ type: "socket", interfaceName: device.interfaceName, code });
      return false;
    }
  }

  #gone(index: number): void {
    this.#numbers[index] = undefined;
    this.host.setInterfaceUp(index, false, this.now());
    this.#onProblem({ type: "interface-deleted", interfaceName: this.#devices[index]!.interfaceName });
  }
}

/** undefined: it is gone. */
function numberOf({
  namespacePath,
  interfaceName,
}: {
  interfaceName: string;
  namespacePath?: string | undefined;
}): number | undefined {
  try {
    return interfaceInfo(namespacePath, interfaceName).index;
  } catch {
    return undefined;
  }
}
