import { expect } from "chai";
import { checkStreams } from "../testing/check-streams.ts";
import { converse, makePair } from "../testing/pair.ts";
import { full, much, segment, subflow } from "./scheduler.fixture.ts";
import type { Scheduler } from "./scheduler.ts";

/** What every scheduler has to do, whatever it prefers. */
export function behavesAsScheduler(name: string, make: () => Scheduler): void {
  describe(`scheduler ${name}`, () => {
    it("has the name by which hosts are told to use it", () => {
      expect(make().name).to.equal(name);
    });

    it("chooses nobody where nobody can carry anything", () => {
      expect(make().select([], much)).to.equal(undefined);
      expect(make().select([full(0), subflow(1, { usable: false })], much)).to.equal(undefined);
    });

    it("uses the only subflow that there is, also a backup or a stale one", () => {
      for (const only of [subflow(0), subflow(0, { backup: true }), subflow(0, { stale: true })])
        expect(make().select([only, full(1, { usable: false })], much)).to.equal(only);
    });

    it("leaves backup and stale subflows alone while others live, even if their windows are full (RFC 8684 §3.3.8)", () => {
      const scheduler = make();
      for (const other of [subflow(1, { backup: true }), subflow(1, { stale: true }), subflow(1, { usable: false })]) {
        expect(scheduler.select([full(0), other], much)).to.equal(undefined);
        expect(scheduler.select([subflow(0), other], much)!.id).to.equal(0);
      }
    });

    it("never chooses one that may not send now, and never none while all may", () => {
      const scheduler = make();
      for (let spaces = 0; spaces < 27; spaces++) {
        const subflows = [0, 1, 2].map((id) => {
          const kind = Math.floor(spaces / 3 ** id) % 3;
          const smoothedRttMicroseconds = 10_000 * (id + 1);
          if (kind === 0) return full(id, { smoothedRttMicroseconds });
          return subflow(id, { smoothedRttMicroseconds, ...(kind === 1 && { space: 0, pacedBytes: 5 * segment }) });
        });
        const chosen = scheduler.select(subflows, much);
        if (chosen !== undefined) expect(chosen.space).to.be.greaterThan(0);
        if (subflows.every(({ space }) => space > 0)) expect(chosen).to.not.equal(undefined);
      }
    });

    it("brings a stream over two paths of which one loses, and dies", () => {
      const host = { scheduler: make };
      const pair = makePair({ client: host, server: host });
      pair.links[0]!.up.options = { ...pair.links[0]!.up.options, loss: 0.02 };
      const conversation = converse(pair, 1_500_000, 20_000);
      const { network } = pair;
      network.run(1_000_000);
      pair.links[0]!.up.blackhole = true;
      network.run(40_000_000, () => conversation.client.closed && conversation.server()?.closed === true);
      checkStreams(conversation, 1_500_000, 20_000);
    });
  });
}
