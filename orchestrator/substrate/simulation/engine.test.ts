import { expect } from "chai";
import fc from "fast-check";
import { ApplicationClock, Engine, SimulationError } from "./engine.ts";

describe("Engine", () => {
  it("jumps from one time to the next and does what is set to one time in the order of setting", () => {
    const engine = new Engine();
    const done: string[] = [];
    const note = (name: string) => (): void => void done.push(`${name} at ${engine.now}`);
    engine.callAt(10.5, note("late"));
    engine.callAt(3, () => {
      note("first")();
      engine.callAt(3, note("asked for meanwhile"));
    });
    engine.callAt(3, note("second"));
    engine.callAt(7, note("cancelled"))();
    expect(engine.run(8)).to.equal(false);
    expect(engine.now).to.equal(8);
    engine.run(Infinity);
    expect(done).to.deep.equal(["first at 3", "second at 3", "asked for meanwhile at 3", "late at 10.5"]);
    expect(engine.events).to.equal(4);
  });

  it("never goes back: what is set to the past is done now", () => {
    const engine = new Engine();
    const times: number[] = [];
    const timer = engine.timer({ due: () => times.push(engine.now) });
    engine.callAt(5, () => timer.set(1));
    engine.run(100);
    expect(times).to.deep.equal([5]);
  });

  it("sets a timer anew as often as it likes, and does it once", () => {
    const engine = new Engine();
    const times: number[] = [];
    const timer = engine.timer({ due: () => times.push(engine.now) });
    timer.set(9);
    timer.set(4);
    timer.set(6);
    engine.run(7);
    timer.set(Infinity);
    engine.run(20);
    expect(times).to.deep.equal([6]);
  });

  it("stops between two events of one time when somebody wants a turn, or after the given number", () => {
    const engine = new Engine();
    const done: number[] = [];
    engine.callAt(1, () => {
      done.push(1);
      engine.pause("ticks");
    });
    for (const name of [2, 3, 4]) engine.callAt(1, () => done.push(name));
    expect(engine.run(5)).to.equal(true);
    expect(done).to.deep.equal([1]);
    expect(engine.run(5, 2)).to.equal(true);
    expect(done).to.deep.equal([1, 2, 3]);
    expect(engine.now).to.equal(1);
    expect(engine.run(5)).to.equal(false);
    expect(done).to.deep.equal([1, 2, 3, 4]);
    expect(engine.pauseWanted).to.equal("none");
  });

  it("does not shift the clock before the last event's turn is over", () => {
    const engine = new Engine();
    engine.callAt(1, () => engine.pause("turn"));
    expect(engine.run(5)).to.equal(true);
    expect(engine.now).to.equal(1);
  });

  it("takes a turn for more than ticks, whichever was asked for first", () => {
    const engine = new Engine();
    engine.callAt(1, () => {
      engine.pause("turn");
      engine.pause("ticks");
    });
    engine.run(5);
    expect(engine.pauseWanted).to.equal("turn");
  });

  it("gives up when time stands still", () => {
    const engine = new Engine();
    const timer = engine.timer({ due: () => timer.set(engine.now) });
    timer.set(2e6);
    expect(() => engine.run(Infinity)).to.throw(SimulationError, "time stands still at 2 s");
  });

  it("does the same however often it is interrupted", () => {
    const trace = (delays: readonly number[], chunk: () => number): string[] => {
      const engine = new Engine();
      const lines: string[] = [];
      delays.forEach((delay, index) => {
        const due = (): void => {
          lines.push(`${index} ${engine.now}`);
          if (engine.now < 50) timer.set(engine.now + delay);
        };
        const timer = engine.timer({ due });
        timer.set(delay);
      });
      while (engine.run(60, chunk()));
      return lines;
    };
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 7 })),
        (delays, sizes) => {
          expect(trace(delays, () => sizes.next().value as number)).to.deep.equal(trace(delays, () => Infinity));
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("ApplicationClock", () => {
  it("shows whole microseconds, and never calls before the time that was asked for", () => {
    const engine = new Engine();
    const clock = new ApplicationClock(engine);
    const times: number[] = [];
    clock.callAt(2.3, () => times.push(clock.now()));
    engine.callAt(4.7, () => times.push(clock.now()));
    engine.callAt(4.7, () => clock.callLater(() => times.push(clock.now())));
    while (engine.run(10));
    expect(times).to.deep.equal([3, 4, 5]);
  });
});
