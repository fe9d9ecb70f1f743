import { expect } from "chai";
import { congestionControls } from "../host-algorithms.ts";
import type { CongestionControlName } from "../host-options.ts";
import { type Bottleneck, type Flow, throughputs } from "./bottleneck.fixture.ts";
import { CoupledGroup } from "./coupled.ts";

/** A connection with a subflow over each of the paths. */
function connection(name: CongestionControlName, paths: readonly (readonly [Bottleneck, number])[], start = 0): Flow[] {
  const group = new CoupledGroup();
  return paths.map(([bottleneck, rttMilliseconds], i) => ({
    control: congestionControls[name](group),
    bottleneck,
    rttMilliseconds,
    startsAtSecond: start + 0.37 * i,
  }));
}

const link = (packetsPerSecond: number, queuePackets = packetsPerSecond / 10): Bottleneck => ({
  packetsPerSecond,
  queuePackets,
});
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const jain = (shares: readonly number[]): number => sum(shares) ** 2 / shares.length / sum(shares.map((x) => x * x));

/** Throughputs of whole connections. */
function shares(connections: readonly Flow[][], from: number, until: number): number[] {
  const each = throughputs(connections.flat(), from, until);
  return connections.map((flows) => sum(each.splice(0, flows.length)));
}

describe("equilibria of coupled congestion control", function () {
  this.timeout(120_000);

  describe("over a bottleneck that it shares with one TCP (Wischik et al., NSDI'11; R4)", () => {
    function timesTcp(name: CongestionControlName, subflows: number): number {
      const shared = link(1_000);
      const path = [shared, 100] as const;
      const multipath = connection(
        name,
        Array.from({ length: subflows }, () => path),
        0.2,
      );
      const [own, tcp] = shares([multipath, connection("reno", [path])], 60, 300);
      return own! / tcp!;
    }

    for (const name of ["lia", "olia", "balia"] as const) {
      for (const subflows of [1, 2, 3, 4, 8]) {
        it(`${name} takes what one TCP takes: ${subflows} subflows`, () => {
          expect(timesTcp(name, subflows)).to.be.within(0.8, 1.5);
        });
      }
    }

    for (const name of ["ewtcp", "fully-coupled"] as const) {
      it(`${name}, too: 3 subflows`, () => {
        expect(timesTcp(name, 3)).to.be.within(0.8, 1.5);
      });
    }

    for (const subflows of [1, 2, 3, 4, 8]) {
      it(`Reno in each subflow takes as much as there are subflows: ${subflows}`, () => {
        expect(timesTcp("reno", subflows)).to.be.within(0.85 * subflows, 1.25 * subflows);
      });
    }

    it("weighted Vegas leaves it to the TCP: it keeps ten segments waiting, the TCP fills the queue", () => {
      expect(timesTcp("wvegas", 2)).to.be.lessThan(0.5);
    });
  });

  describe("where one of two paths is congested", () => {
    /** How much of the multipath connection goes over the link that it shares with three TCPs, and not over the one that it shares with one. */
    function shareOnCongested(name: CongestionControlName, rival: CongestionControlName, queue = 50): number {
      const [crowded, quiet] = [link(500, queue), link(500, queue)];
      const own = connection(
        name,
        [
          [crowded, 100],
          [quiet, 100],
        ],
        0.2,
      );
      const rivals = [crowded, crowded, crowded, quiet].flatMap((each, i) => connection(rival, [[each, 100]], 0.1 * i));
      const each = throughputs([...own, ...rivals], 60, 300);
      return each[0]! / (each[0]! + each[1]!);
    }

    it("the coupled algorithms leave it, the fully coupled one almost wholly; equally weighted TCPs stay (NSDI'11 §2)", () => {
      const [fully, olia, lia, equally] = (["fully-coupled", "olia", "lia", "ewtcp"] as const).map((name) =>
        shareOnCongested(name, "reno"),
      );
      expect(fully!).to.be.lessThan(0.15);
      expect(olia!).to.be.lessThan(lia!);
      expect(lia!).to.be.lessThan(equally!);
      expect(equally!).to.be.within(0.3, 0.5);
    });

    it("weighted Vegas leaves it among its like (Cao et al., ICNP'12)", () => {
      expect(shareOnCongested("wvegas", "wvegas", 200)).to.be.lessThan(0.25);
    });
  });

  it("are the same on round trips of 500 and 50 ms as those of the authors' simulator (R7)", () => {
    const run = (name: CongestionControlName): number[] => {
      const [far, near] = [link(250, 125), link(500, 25)];
      const single = [connection("reno", [[far, 500]]), connection("reno", [[near, 50]])];
      return shares(
        [
          ...single,
          connection(
            name,
            [
              [far, 500],
              [near, 50],
            ],
            0.2,
          ),
        ],
        200,
        1_000,
      );
    };
    const [renoFar, renoNear, renoBoth] = run("reno");
    const [liaFar, liaNear, liaBoth] = run("lia");
    // 123 / 251 / 366 and 124 / 348 / 269 packets a second there.
    expect(renoNear! / renoBoth!).to.be.within(0.55, 0.85);
    expect(liaNear! / liaBoth!).to.be.within(1, 1.6);
    expect(liaBoth!).to.be.greaterThan(Math.max(renoFar!, liaFar!));
  });

  it("on a torus of five links, one of them slower, share more evenly than with Reno in each subflow (R7)", () => {
    const run = (name: CongestionControlName): number => {
      const links = [link(250, 100), ...Array.from({ length: 4 }, () => link(1_000))];
      const ring = links.map((each, i) =>
        connection(
          name,
          [
            [each, 100],
            [links[(i + 1) % 5]!, 100],
          ],
          0.1 * i,
        ),
      );
      return jain(shares(ring, 40, 160));
    };
    const [reno, lia] = [run("reno"), run("lia")];
    expect(lia).to.be.greaterThan(reno);
    expect(lia).to.be.within(0.96, 1);
    expect(reno).to.be.within(0.9, 0.98);
  });

  it("leave more to single-path users with OLIA than with LIA (Khalili et al., CoNEXT'12, scenario C; R7)", () => {
    const run = (name: CongestionControlName): number => {
      const users = 10;
      const [own, shared] = [link(1_000, 150), link(1_000, 150)];
      const multipath = Array.from({ length: users }, (_, i) =>
        connection(
          name,
          [
            [own, 150],
            [shared, 150],
          ],
          0.1 * i,
        ),
      );
      const single = Array.from({ length: users }, (_, i) => connection("reno", [[shared, 150]], 0.1 * i));
      return sum(shares([...single, ...multipath], 40, 160).slice(0, users)) / 1_000;
    };
    const [lia, olia] = [run("lia"), run("olia")];
    expect(lia).to.be.within(0.55, 0.8);
    expect(olia).to.be.greaterThan(lia + 0.05);
  });
});
