/** A host of our stack on wires of the simulation: what `stack/io/driver.ts` is on packet sockets. */
import { checksumState, type FrameSink, type OutgoingFrame } from "../../../stack/frame.ts";
import type { StackEvent } from "../../../stack/events.ts";
import { Host } from "../../../stack/host.ts";
import type { HostOptions } from "../../../stack/host-options.ts";
import type { NetworkStack } from "../../../stack/net/network-stack.ts";
import type { Engine, EngineTimer } from "./engine.ts";
import type { Frame, FramePool } from "./frame-pool.ts";
import type { Wire } from "./wire.ts";

/** Sees every frame at a host's interface, as a packet capture does. `whole`: memory that begins with the frame in one piece, only lent. */
export type FrameTap = (
  interfaceIndex: number,
  frame: Frame,
  whole: Uint8Array,
  direction: "inbound" | "outbound",
) => void;

export interface SimulatedHostOptions {
  readonly engine: Engine;
  readonly pool: FramePool;
  readonly host: HostOptions;
  readonly tap?: FrameTap;
}

export class SimulatedHost implements NetworkStack, FrameSink {
  readonly host: Host;
  onEvent: (event: StackEvent) => void = () => {};
  readonly #engine: Engine;
  readonly #pool: FramePool;
  readonly #tap: FrameTap | undefined;
  readonly #wires: Wire[] = [];
  readonly #isUp: boolean[];
  readonly #timeout: EngineTimer;
  readonly #turn: EngineTimer;
  /** Of the frame that was sent last: the host reuses it. */
  #header: Uint8Array = new Uint8Array(0);
  #headerWords: Int32Array = new Int32Array(0);
  #running = false;
  #runWanted = false;

  /** @throws ConfigurationError */
  constructor({ engine, pool, host, tap }: SimulatedHostOptions) {
    this.#engine = engine;
    this.#pool = pool;
    this.#tap = tap;
    this.host = new Host(host);
    this.#isUp = host.interfaces.map(() => true);
    const handleTimeout = (): void => {
      this.host.handleTimeout(this.now());
      this.#run();
    };
    this.#timeout = engine.timer({ due: handleTimeout });
    this.#turn = engine.timer({ due: () => this.#run() });
  }

  attach(interfaceIndex: number, wire: Wire): void {
    this.#wires[interfaceIndex] = wire;
  }

  now(): number {
    return Math.floor(this.#engine.now);
  }

  /** The application may do more in the same turn: all of it goes out together. */
  wake(): void {
    this.#runWanted = true;
    if (!this.#running) this.#turn.set(this.#engine.now);
  }

  deferred(until: "ticks" | "turn" = "ticks"): void {
    this.#engine.pause(until);
  }

  /** Takes the frame over. */
  receive(interfaceIndex: number, frame: Frame): void {
    if (this.#isUp[interfaceIndex]) {
      const whole = this.#pool.wholeOf(frame);
      this.#tap?.(interfaceIndex, frame, whole, "inbound");
      const { bytes } = frame;
      this.#pool.give(frame);
      // No link of the simulation changes a byte, so that no checksum can be wrong.
      this.host.handleFrame(interfaceIndex, whole, 0, bytes, checksumState.valid, this.now());
      this.#run();
    } else {
      this.#pool.give(frame);
    }
  }

  transmit(outgoing: OutgoingFrame): void {
    const { interfaceIndex, header } = outgoing;
    if (!this.#isUp[interfaceIndex]) return;
    if (header !== this.#header) {
      this.#header = header;
      this.#headerWords = new Int32Array(header.buffer, header.byteOffset, header.byteLength >> 2);
    }
    const frame = this.#pool.gather(outgoing, this.#headerWords);
    this.#tap?.(interfaceIndex, frame, this.#pool.wholeOf(frame), "outbound");
    this.#wires[interfaceIndex]!.push(frame);
  }

  setInterfaceUp(interfaceIndex: number, isUp: boolean): void {
    this.#isUp[interfaceIndex] = isUp;
    this.host.setInterfaceUp(interfaceIndex, isUp, this.now());
    this.wake();
  }

  /** Everything that follows from an input: frames out, the application told, its answers out, the timer set. */
  #run(): void {
    this.#running = true;
    do {
      this.#runWanted = false;
      this.host.pollTransmit(this.now(), this);
      // What changes their state sockets hand on in later turns of the event loop: those come before time goes on.
      if (this.host.deliverNotifications() === "state") this.#engine.pause("turn");
      for (let event = this.host.pollEvent(); event !== undefined; event = this.host.pollEvent()) this.onEvent(event);
    } while (this.#runWanted);
    this.#running = false;
    this.#timeout.set(Math.ceil(this.host.pollTimeout()));
  }
}
