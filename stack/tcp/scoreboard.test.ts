import { expect } from "chai";
import { seededRandom } from "../testing/random.ts";
import { Scoreboard } from "./scoreboard.ts";

describe("the scoreboard", () => {
  it("gives the first lost range, also when a later one is lost after the first was acknowledged", () => {
    const scoreboard = new Scoreboard({ onDelivered: () => {}, onRangeAcknowledged: () => {} });
    const ranges = [1, 101, 201].map((start) => scoreboard.queue.append(start, start + 100));
    for (const range of ranges) scoreboard.noteSent(range, 0);
    scoreboard.markLost(ranges[0]!);
    scoreboard.markLost(ranges[1]!);
    scoreboard.acknowledge(101, 1);
    scoreboard.markLost(ranges[2]!);
    expect(scoreboard.nextLost(100)?.start).to.equal(101);
  });

  it("knows of each byte whether it is acknowledged selectively, however blocks repeat, grow, meet and are forgotten", () => {
    const random = seededRandom(3);
    const scoreboard = new Scoreboard({ onDelivered: () => {}, onRangeAcknowledged: () => {} });
    const { queue } = scoreboard;
    const sacked = new Set<number>();
    const reported: number[] = [];
    let [acknowledged, next] = [0, 0];
    for (let round = 0; round < 5_000; round++) {
      while (next < acknowledged + 200) {
        const length = 1 + (random() % 12);
        scoreboard.noteSent(queue.append(next, next + length), round);
        next += length;
      }
      const known = reported.filter((left) => left >= acknowledged);
      const left =
        random() % 3 > 0 && known.length > 0
          ? known[random() % known.length]!
          : acknowledged + (random() % (next - acknowledged));
      const right = Math.min(next, left + 1 + (random() % 60));
      reported.push(left);
      scoreboard.sack(left, right, round);
      for (let offset = left; offset < right; offset++) sacked.add(offset);
      if (random() % 40 === 0) {
        scoreboard.forgetSacks();
        sacked.clear();
      }
      if (random() % 10 === 0) {
        acknowledged += random() % 100;
        scoreboard.acknowledge(acknowledged, round);
        for (const offset of sacked) if (offset < acknowledged) sacked.delete(offset);
      }
      expect(scoreboard.sackedBytes, `round ${round}`).to.equal(sacked.size);
      for (let range = queue.head; range !== undefined; range = range.next)
        for (let offset = range.start; offset < range.end; offset++)
          if (range.sacked !== sacked.has(offset)) expect.fail(`byte ${offset} in round ${round}`);
    }
  });
});
