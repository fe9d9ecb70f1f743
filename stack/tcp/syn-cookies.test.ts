import { expect } from "chai";
import { seededRandom } from "../testing/random.ts";
import { parseIpAddress } from "../wire/ip-address.ts";
import { sequenceNumber } from "../wire/sequence.ts";
import { tcpFlag, TcpSegment } from "../wire/tcp-segment.ts";
import type { FourTuple } from "./four-tuple.ts";
import { readOptionsOf, SynCookies, timestampWithOptions } from "./syn-cookies.ts";

const second = 1_000_000;
const tuple: FourTuple = {
  localAddress: parseIpAddress("192.0.2.1")!,
  localPort: 80,
  remoteAddress: parseIpAddress("198.51.100.1")!,
  remotePort: 40_000,
};

function syn(mss: number): TcpSegment {
  const segment = new TcpSegment();
  segment.sequence = sequenceNumber(77);
  segment.mss = mss;
  return segment;
}

describe("SYN cookies (RFC 4987 §3.6)", () => {
  const cookies = new SynCookies(seededRandom(1));

  for (const [mss, remembered] of [
    [0, 536],
    [100, 64],
    [536, 536],
    [1300, 1300],
    [1459, 1440],
    [1460, 1460],
    [9000, 8960],
  ] as const) {
    it(`remember a segment size of ${mss} as ${remembered}`, () => {
      const cookie = cookies.issue(tuple, syn(mss), 5 * second);
      expect(cookies.verify(tuple, sequenceNumber(77), cookie, 6 * second)).to.equal(remembered);
    });
  }

  it("are good for 64 to 128 seconds, also over the wrap of their count", () => {
    for (let minute = 0; minute < 70; minute++) {
      const issued = minute * 64 * second;
      const cookie = cookies.issue(tuple, syn(1460), issued);
      const isGoodAt = (now: number): boolean => cookies.verify(tuple, sequenceNumber(77), cookie, now) > 0;
      expect([isGoodAt(issued + 127 * second), isGoodAt(issued + 129 * second)]).to.deep.equal([true, false]);
    }
  });

  it("belong to one pair of addresses and ports, one number of the peer, one host", () => {
    const cookie = cookies.issue(tuple, syn(1460), 0);
    expect(cookies.verify({ ...tuple, remotePort: 40_001 }, sequenceNumber(77), cookie, 0)).to.equal(-1);
    expect(cookies.verify(tuple, sequenceNumber(78), cookie, 0)).to.equal(-1);
    expect(new SynCookies(seededRandom(2)).verify(tuple, sequenceNumber(77), cookie, 0)).to.equal(-1);
  });

  it("are not guessed: of a million numbers hardly one is good", () => {
    const random = seededRandom(3);
    let good = 0;
    for (let i = 0; i < 1_000_000; i++)
      if (cookies.verify(tuple, sequenceNumber(77), sequenceNumber(random()), 0) > 0) good++;
    expect(good).to.be.at.most(2);
  });

  it("come with a key of MPTCP that can be computed again, and differs with the cookie", () => {
    const key = cookies.connectionKey(tuple, sequenceNumber(1));
    expect(cookies.connectionKey({ ...tuple }, sequenceNumber(1))).to.deep.equal(key);
    expect(cookies.connectionKey(tuple, sequenceNumber(2))).not.to.deep.equal(key);
  });
});

describe("options in the timestamp of a cookie", () => {
  it("come back, and never make the timestamp later than the clock", () => {
    for (const clock of [0, 63, 64, 1_000, 2 ** 32 - 1, 2 ** 32 - 64]) {
      for (const [windowScale, sackPermitted, congestion] of [
        [-1, false, false],
        [0, true, false],
        [14, false, true],
        [7, true, true],
      ] as const) {
        const asked = syn(1460);
        asked.windowScale = windowScale;
        asked.sackPermitted = sackPermitted;
        const value = timestampWithOptions(clock, asked, congestion);
        expect((clock - value) >>> 0).to.be.below(64);
        const restored = syn(1460);
        readOptionsOf(value, restored);
        expect([restored.windowScale, restored.sackPermitted, restored.has(tcpFlag.ece)]).to.deep.equal([
          windowScale,
          sackPermitted,
          congestion,
        ]);
      }
    }
  });
});
