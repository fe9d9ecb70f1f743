import { expect } from "chai";
import type { TimelineEvent } from "../metrics/timeline-event.ts";
import type { PlannedFault } from "../plan/plan.ts";
import { FaultError, runFaults, type FaultClock, type FaultTarget } from "./fault-timeline.ts";

/** Time passes only by `advance`, which lets everything due at each moment happen first. */
class VirtualClock implements FaultClock {
  #now: number;
  readonly #waiting: { readonly time: number; readonly wake: () => void }[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  waitUntil(time: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error));
      this.#waiting.push({ time, wake: resolve });
    });
  }

  async advance(to: number): Promise<void> {
    for (const { time, wake } of this.#waiting.toSorted((one, other) => one.time - other.time)) {
      if (time < this.#now || time > to) continue;
      this.#now = time;
      wake();
      await new Promise(setImmediate);
    }
    this.#now = to;
  }
}

/** Writes down what is done, and when. */
function recordingLab(clock: VirtualClock, log: string[], fail?: string): FaultTarget {
  const act = async (what: string): Promise<void> => {
    log.push(`${clock.now()} ${what}`);
    if (fail !== undefined && what.startsWith(fail)) throw new Error("no such link");
  };
  return {
    links: {
      blackhole: (link) => act(`blackhole ${link}`),
      restore: (link) => act(`restore ${link}`),
      set: (link, direction, config) => act(`set ${link} ${direction} ${config.rateBitsPerSecond}`),
    },
    setInterface: (node, name, state) => act(`${state} ${node} ${name}`),
    setRoutes: (node, routes, gone) =>
      act(`routes ${node} ${routes.map(({ destination }) => destination).join(" ")} without ${gone.join(" ")}`),
  };
}

const zero = 5000;
const end = [{ node: "phone", interface: "wlan0" }];
const faults: PlannedFault[] = [
  { atMicroseconds: 100, link: "wifi", action: "blackhole", reason: "test" },
  { atMicroseconds: 200, link: "wifi", action: "restore", reason: "test" },
  { atMicroseconds: 300, link: "wifi", action: "down", interfaces: end, reason: "test" },
  { atMicroseconds: 400, link: "wifi", action: "up", interfaces: end, reason: "test" },
  { atMicroseconds: 500, link: "3g", action: "set", forward: { seed: 1, rateBitsPerSecond: 7 }, reason: "test" },
];

function start(fail?: string): {
  clock: VirtualClock;
  log: string[];
  events: TimelineEvent[];
  abort: AbortController;
  done: Promise<unknown>;
} {
  const clock = new VirtualClock(zero);
  const log: string[] = [];
  const events: TimelineEvent[] = [];
  const abort = new AbortController();
  const lab = recordingLab(clock, log, fail);
  const done = runFaults({
    faults,
    lab,
    clock,
    zero,
    signal: abort.signal,
    onEvent: (event) => events.push(event),
  }).catch((error: unknown) => error);
  return { clock, log, events, abort, done };
}

describe("runFaults", () => {
  it("does each fault at its time and says so", async () => {
    const { clock, log, events, done } = start();
    await clock.advance(zero + 350);
    expect(log).to.deep.equal(["5100 blackhole wifi", "5200 restore wifi", "5300 down phone wlan0"]);
    await clock.advance(zero + 1000);
    expect(await done).to.equal(undefined);
    expect(log.slice(3)).to.deep.equal(["5400 up phone wlan0", "5500 set 3g forward 7"]);
    expect(events.map(({ time, name }) => `${time} ${name}`)).to.deep.equal([
      "100 fault:blackhole",
      "200 fault:restore",
      "300 fault:down",
      "400 fault:up",
      "500 fault:set",
    ]);
    expect(events[2]).to.deep.include({
      subject: "wifi",
      source: "fault",
      message: "wifi goes down: phone's wlan0 loses the link",
    });
    expect(events[2]?.detail).to.include({ requestedMicroseconds: 300, begunMicroseconds: 300 });
  });

  it("does nothing more once it is aborted, and rejects with the reason", async () => {
    const { clock, log, abort, done } = start();
    await clock.advance(zero + 150);
    const reason = new Error("Ctrl-C");
    abort.abort(reason);
    await clock.advance(zero + 1000);
    expect(await done).to.equal(reason);
    expect(log).to.deep.equal(["5100 blackhole wifi"]);
  });

  it("gives up when a fault cannot be done: the run is not the one that was planned", async () => {
    const { clock, log, done } = start("restore");
    await clock.advance(zero + 1000);
    const error = await done;
    expect(error).to.be.instanceOf(FaultError);
    expect((error as FaultError).message).to.equal("cannot restore wifi at 0.0002 s: no such link");
    expect(log).to.have.length(2);
  });
});
