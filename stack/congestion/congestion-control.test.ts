import { expect } from "chai";
import { congestionControls } from "../host-algorithms.ts";
import type { CongestionControlName } from "../host-options.ts";
import { behavesAsCongestionControl, mss, rounds } from "./congestion-control.compliance.ts";
import { CoupledGroup } from "./coupled.ts";

for (const [name, make] of Object.entries(congestionControls))
  behavesAsCongestionControl(name as CongestionControlName, make);

const likeTcpAlone = ["reno", "lia", "olia", "balia", "ewtcp", "fully-coupled"] as const;

for (const name of likeTcpAlone) {
  describe(`${name} without others`, () => {
    it("is the TCP of RFC 5681: half the window on a loss, then a segment a round trip", () => {
      const control = congestionControls[name](new CoupledGroup());
      control.setMaximumSegmentSize(mss);
      rounds(control, 2);
      control.onLoss(control.congestionWindow);
      expect(control.congestionWindow).to.equal(20 * mss);
      rounds(control, 10);
      expect(control.congestionWindow / mss).to.be.within(29.5, 30);
    });

    it("is that, too, while the others are inactive", () => {
      const group = new CoupledGroup();
      const [live, silent] = [congestionControls[name](group), congestionControls[name](group)];
      live.setMaximumSegmentSize(mss);
      silent.setMaximumSegmentSize(mss);
      live.onLoss(live.congestionWindow);
      silent.setActive(false);
      const before = live.congestionWindow;
      rounds(live, 10);
      expect((live.congestionWindow - before) / mss).to.be.within(9, 10);
    });
  });
}
