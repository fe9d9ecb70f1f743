import { expect } from "chai";
import * as fc from "fast-check";
import type { CongestionControlName } from "../host-options.ts";
import type { CongestionControl } from "./congestion-control.ts";
import { CoupledGroup } from "./coupled.ts";

export const mss = 1_000;
const rtt = 100_000;

/** Acknowledges whole windows, one a round trip of an empty path. */
export function rounds(control: CongestionControl, count: number, windowLimited = true): void {
  let acknowledged = 0;
  for (let i = 0; i < count; i++) {
    const window = Math.floor(control.congestionWindow / mss);
    for (let segment = 1; segment <= window; segment++) {
      acknowledged += mss;
      control.onRttSample(rtt, acknowledged, acknowledged + window * mss);
      control.onAcknowledged(mss, windowLimited, rtt, (i + segment / window) * rtt);
    }
  }
}

function startedBeside(others: number, make: (group: CoupledGroup) => CongestionControl): CongestionControl {
  const group = new CoupledGroup();
  const controls = Array.from({ length: others + 1 }, () => make(group));
  for (const control of controls) {
    control.setMaximumSegmentSize(mss);
    control.onAcknowledged(mss, false, rtt, 0);
  }
  return controls[0]!;
}

/** What every algorithm has to do, beside others or alone: the parts of RFC 5681, RFC 6928, RFC 7661 and RFC 4015 that none may change. */
export function behavesAsCongestionControl(
  name: CongestionControlName,
  make: (group: CoupledGroup) => CongestionControl,
): void {
  for (const others of [0, 1, 3]) {
    const started = (): CongestionControl => startedBeside(others, make);
    describe(`congestion control ${name}${others === 0 ? "" : ` beside ${others} others`}`, () => {
      it("has the name by which hosts are told to use it", () => {
        expect(started().name).to.equal(name);
      });

      it("begins with ten segments (RFC 6928 §2) and doubles each round trip", () => {
        const control = started();
        expect(control.congestionWindow).to.equal(10 * mss);
        rounds(control, 2);
        expect(control.congestionWindow).to.equal(40 * mss);
      });

      it("goes down on a loss, and then grows by no more than a segment a round trip", () => {
        const control = started();
        rounds(control, 2);
        control.onLoss(control.congestionWindow);
        const { congestionWindow, slowStartThreshold } = control;
        expect(congestionWindow).to.be.within(mss, 0.7 * 40 * mss);
        expect(slowStartThreshold).to.equal(congestionWindow);
        rounds(control, 5);
        // CUBIC may: it knows where it was before.
        const most = name === "cubic" ? 40 * mss : congestionWindow + 5 * mss;
        expect(control.congestionWindow).to.be.within(congestionWindow, most);
      });

      it("starts again from one segment on a timeout, and keeps the threshold when it repeats", () => {
        const control = started();
        rounds(control, 2);
        control.onRetransmissionTimeout(control.congestionWindow, false);
        const { slowStartThreshold } = control;
        expect([control.congestionWindow, slowStartThreshold <= 28 * mss]).to.deep.equal([mss, true]);
        control.onRetransmissionTimeout(control.congestionWindow, true);
        expect([control.congestionWindow, control.slowStartThreshold]).to.deep.equal([mss, slowStartThreshold]);
      });

      it("takes a reduction back that was for nothing (RFC 4015 §3.2), but never shrinks by it", () => {
        const control = started();
        rounds(control, 2);
        control.onLoss(control.congestionWindow);
        control.undo();
        const all = Number.POSITIVE_INFINITY;
        expect([control.congestionWindow, control.slowStartThreshold]).to.deep.equal([40 * mss, all]);
        rounds(control, 1);
        const grown = control.congestionWindow;
        control.undo();
        expect(control.congestionWindow).to.equal(grown);
      });

      it("does not grow while the application is the limit (RFC 7661 §4.3), and forgets a window that was not used for long", () => {
        const control = started();
        rounds(control, 2);
        rounds(control, 5, false);
        expect(control.congestionWindow).to.equal(40 * mss);
        control.onIdle();
        expect(control.congestionWindow).to.equal(10 * mss);
      });

      it("begins anew on a path that answers again after an outage", () => {
        const control = started();
        rounds(control, 3);
        control.onLoss(control.congestionWindow);
        for (let timeout = 0; timeout < 5; timeout++)
          control.onRetransmissionTimeout(control.congestionWindow, timeout > 0);
        control.restart();
        expect([control.congestionWindow, control.slowStartThreshold]).to.deep.equal([10 * mss, Infinity]);
        rounds(control, 2);
        expect(control.congestionWindow).to.equal(40 * mss);
      });

      it("keeps to a limit, and does not slow-start beyond it", () => {
        const control = started();
        rounds(control, 3);
        control.limit(30 * mss);
        expect([control.congestionWindow, control.slowStartThreshold]).to.deep.equal([30 * mss, 30 * mss]);
        control.limit(50 * mss);
        expect(control.congestionWindow).to.equal(30 * mss);
        control.limit(0);
        expect(control.congestionWindow).to.equal(2 * mss);
      });

      it("has a window of one segment at least, and a finite one, whatever happens", () => {
        const step = fc.constantFrom(
          "round",
          "loss",
          "timeout",
          "repeated",
          "undo",
          "idle",
          "restart",
          "limit",
          "off",
          "on",
        );
        fc.assert(
          fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
            const control = started();
            for (const what of steps) {
              if (what === "round" && control.congestionWindow < 300 * mss) rounds(control, 1);
              else if (what === "loss") control.onLoss(control.congestionWindow);
              else if (what === "timeout" || what === "repeated")
                control.onRetransmissionTimeout(control.congestionWindow, what === "repeated");
              else if (what === "undo") control.undo();
              else if (what === "idle") control.onIdle();
              else if (what === "restart") control.restart();
              else if (what === "limit") control.limit(control.congestionWindow / 2);
              else if (what === "on" || what === "off") control.setActive(what === "on");
              expect(control.congestionWindow).to.be.within(mss, 1_000 * mss);
            }
          }),
          { numRuns: 100 },
        );
      });

      it("leaves no trace when it is released", () => {
        const group = new CoupledGroup();
        const [gone, left] = [make(group), make(group)];
        gone.release();
        expect(group.members.size).to.be.at.most(1);
        left.release();
        expect(group.members.size).to.equal(0);
      });
    });
  }
}
