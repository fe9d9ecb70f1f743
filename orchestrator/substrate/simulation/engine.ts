/**
 * The heart of the simulation: one virtual clock, and what is to be done at which of its times. Time stands still while something is done and jumps to the
 * next time that something is set to; what is set to the same time is done in the order in which it was set, so that a run is the same every time.
 */
import type { Clock } from "../../../stack/endpoint/clock.ts";
import { TimerQueue } from "./timer-queue.ts";

/** More events than this at one moment: something goes round without taking any time. */
const mostEventsAtOneMoment = 5_000_000;

/** The simulation cannot go on. */
export class SimulationError extends Error {
  override readonly name = "SimulationError";
}

/**
 * What programs need before time goes on. `ticks`: their sockets have moved bytes, and put off nothing but the odd `process.nextTick`. `turn`: anything may
 * follow; a whole turn of the event loop, which costs ten times as much, lets all of it happen.
 */
export type Pause = "none" | "ticks" | "turn";

/** What is done when its time has come. */
export interface Due {
  due(): void;
}

/** Something that is done again and again, each time at one time that is set anew. Setting allocates nothing. */
export class EngineTimer {
  readonly #engine: Engine;
  readonly #queue: TimerQueue;
  readonly #timer: number;

  /** Of the engine alone. */
  constructor(engine: Engine, queue: TimerQueue, timer: number) {
    this.#engine = engine;
    this.#queue = queue;
    this.#timer = timer;
  }

  /** Never before the present. Replaces the time that it was set to; Infinity: never. */
  set(time: number): void {
    const { now } = this.#engine;
    this.#queue.set(this.#timer, time > now ? time : now);
  }
}

export class Engine {
  readonly #queue = new TimerQueue();
  readonly #due: Due[] = [];
  #now = 0;
  #events = 0;
  #eventsAtThisMoment = 0;
  #pause: Pause = "none";

  /** Microseconds; with fractions, as transmission times have them. */
  get now(): number {
    return this.#now;
  }

  /** Events done so far. */
  get events(): number {
    return this.#events;
  }

  timer(what: Due): EngineTimer {
    const timer = this.#queue.create();
    this.#due[timer] = what;
    return new EngineTimer(this, this.#queue, timer);
  }

  /** Once; returns how to cancel it. */
  callAt(time: number, callback: () => void): () => void {
    const timer = this.#queue.create();
    let waiting = true;
    const release = (): void => {
      if (!waiting) return;
      waiting = false;
      this.#queue.release(timer);
    };
    const once = (): void => {
      release();
      callback();
    };
    this.#due[timer] = { due: once };
    this.#queue.set(timer, Math.max(time, this.#now));
    return release;
  }

  /** Has `run` return after the event that is being done: something else wants to go on before time does. */
  pause(until: Exclude<Pause, "none">): void {
    if (this.#pause !== "turn") this.#pause = until;
  }

  /** What has to be awaited before the next `run`. */
  get pauseWanted(): Pause {
    return this.#pause;
  }

  /**
   * Does what is set to times up to `until`, at most `limit` events, in one go. Returns false when nothing is left to do until then: the clock then shows
   * `until`.
   *
   * @throws SimulationError when time stands still for ever
   */
  run(until: number, limit = Infinity): boolean {
    const queue = this.#queue;
    this.#pause = "none";
    for (let done = 0; queue.length > 0 && queue.firstTime <= until; done++) {
      if (this.#pause !== "none" || done >= limit) return true;
      const time = queue.firstTime;
      if (time > this.#now) {
        this.#now = time;
        this.#eventsAtThisMoment = 0;
      } else if (++this.#eventsAtThisMoment > mostEventsAtOneMoment) {
        throw new SimulationError(
          `time stands still at ${this.#now / 1e6} s: ${mostEventsAtOneMoment} events at one moment`,
        );
      }
      this.#events++;
      this.#due[queue.begin()]!.due();
      queue.settle();
    }
    if (this.#pause !== "none") return true;
    if (until !== Infinity) this.#now = until;
    return false;
  }
}

/**
 * The engine's time as programs know it: whole microseconds. Times with fractions are rounded up where something is awaited and down where the time is
 * asked, so that nothing comes too early.
 */
export class ApplicationClock implements Clock {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  now(): number {
    return Math.floor(this.#engine.now);
  }

  /** Programs get to the end of what they do then, with all that follows in the same turn of the event loop, before time goes on. */
  callAt(time: number, callback: () => void): () => void {
    return this.#engine.callAt(Math.ceil(time), () => {
      this.#engine.pause("turn");
      callback();
    });
  }

  callLater(callback: () => void): void {
    this.callAt(this.#engine.now, callback);
  }
}
