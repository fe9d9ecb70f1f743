import { expect } from "chai";
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
});
