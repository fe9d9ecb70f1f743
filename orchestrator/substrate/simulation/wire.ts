/** One direction of a link: frames go in at one end's interface and come out at the other's. */
import { LinkDirection, type LinkDirectionConfig, type LinkDirectionCounters } from "../../path/link-direction.ts";
import { PacketRing } from "../../path/packet-ring.ts";
import type { SteadyLink } from "../../path/steady-link.ts";
import type { Due, Engine, EngineTimer } from "./engine.ts";
import type { Frame, FramePool } from "./frame-pool.ts";

/** Takes a frame over. */
export type ReceiveFrame = (frame: Frame) => void;

export interface Wire {
  push(frame: Frame): void;
}

/** Takes no time: a frame comes out at the moment at which it went in, after all else that is under way then. */
export class DirectWire implements Wire, Due {
  readonly #engine: Engine;
  readonly #receive: ReceiveFrame;
  readonly #timer: EngineTimer;
  readonly #held = new PacketRing<Frame>();

  constructor(engine: Engine, receive: ReceiveFrame) {
    this.#engine = engine;
    this.#receive = receive;
    this.#timer = engine.timer(this);
  }

  due(): void {
    const frame = this.#held.shift()!;
    if (this.#held.length > 0) this.#timer.set(this.#engine.now);
    this.#receive(frame);
  }

  push(frame: Frame): void {
    this.#held.push(frame);
    if (this.#held.length === 1) this.#timer.set(this.#engine.now);
  }
}

/** The very elements that the emulator runs, in virtual time. */
export class ShapedWire implements Wire, Due {
  readonly #engine: Engine;
  readonly #timer: EngineTimer;
  readonly #link: LinkDirection<Frame>;
  #steady: SteadyLink<Frame> | undefined;

  constructor(config: LinkDirectionConfig, engine: Engine, pool: FramePool, receive: ReceiveFrame) {
    this.#engine = engine;
    this.#link = new LinkDirection<Frame>(config, receive, (frame) => pool.give(frame));
    this.#steady = this.#link.steady;
    this.#timer = engine.timer(this);
  }

  due(): void {
    const link = this.#steady ?? this.#link;
    link.advance(this.#engine.now);
    this.#timer.set(link.nextTime());
  }

  push(frame: Frame): void {
    const steady = this.#steady;
    if (steady === undefined) {
      this.#link.push(frame, this.#engine.now);
      this.#timer.set(this.#link.nextTime());
    } else {
      steady.push(frame, this.#engine.now);
      // Behind others it changes nothing about when the first comes out.
      if (steady.heldPackets === 1) this.#timer.set(steady.nextTime());
    }
  }

  set blackhole(isOn: boolean) {
    this.#link.blackhole = isOn;
    this.#steady = this.#link.steady;
  }

  /** The seed stays what it was, and so does the queue. */
  configure(config: LinkDirectionConfig): void {
    const { seed: _unchanged, ...shape } = config;
    this.#link.configure(shape, this.#engine.now);
    this.#steady = this.#link.steady;
    this.#timer.set(this.#link.nextTime());
  }

  counters(): LinkDirectionCounters {
    return this.#link.counters(this.#engine.now);
  }
}
