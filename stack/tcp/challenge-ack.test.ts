import { expect } from "chai";
import { seededRandom } from "../testing/random.ts";
import { ChallengeAckLimit, HostChallengeLimit } from "./challenge-ack.ts";

const second = 1_000_000;

/** How many challenges all of `connections` may send in the second that begins at `start`. */
function challengesIn(host: HostChallengeLimit, connections: number, start: number): number {
  let sent = 0;
  for (let i = 0; i < connections; i++) {
    const connection = new ChallengeAckLimit(host);
    while (connection.allow(start)) sent++;
  }
  return sent;
}

describe("challenge acknowledgements (RFC 5961 §7)", () => {
  it("are ten in a second for a connection, whatever others do", () => {
    const host = new HostChallengeLimit(seededRandom(1));
    expect(challengesIn(host, 1, second)).to.equal(10);
    expect(challengesIn(host, 10, second)).to.equal(100);
    expect(challengesIn(host, 1, 2 * second)).to.equal(10);
  });

  it("are bounded for the host, by a number that nobody outside can count on", () => {
    const host = new HostChallengeLimit(seededRandom(1));
    const bounds = Array.from({ length: 50 }, (_, i) => challengesIn(host, 1_000, (i + 1) * second));
    expect(Math.min(...bounds)).to.be.at.least(500);
    expect(Math.max(...bounds)).to.be.below(1_500);
    expect(new Set(bounds).size).to.be.greaterThan(40);
  });
});
