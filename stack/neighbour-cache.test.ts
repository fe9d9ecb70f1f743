import { expect } from "chai";
import type { OutgoingFrame } from "./frame.ts";
import { emptyFrame } from "./frame-writer.ts";
import { NeighbourCache } from "./neighbour-cache.ts";
import type { MacAddress } from "./wire/ethernet.ts";
import { formatIpAddress, ipv4FromNumber, parseIpAddress } from "./wire/ip-address.ts";
import { ipv6FromWords } from "./wire/ipv6-address.ts";

const second = 1_000_000;
const router = parseIpAddress("fe80::1")!;
const routerMac = { high: 0x02fe, low: 1 };
const otherMac = { high: 0x02fe, low: 2 };

/** A cache, and what it says to its link: `address@mac` or `address@all`. */
function cacheAndLink(): { cache: NeighbourCache; asked: string[]; released: OutgoingFrame[] } {
  const asked: string[] = [];
  const released: OutgoingFrame[] = [];
  const cache = new NeighbourCache({
    solicit: (address, mac: MacAddress | undefined) =>
      void asked.push(`${formatIpAddress(address)}@${mac === undefined ? "all" : mac.low}`),
    release: (frame) => void released.push(frame),
  });
  return { cache, asked, released };
}

function frame(): OutgoingFrame {
  const made = emptyFrame(14);
  made.headerLength = 14;
  return made;
}

/** Lets timeouts happen until `end`. */
function run(cache: NeighbourCache, end: number): void {
  for (let now = cache.nextTimeout; now <= end; now = cache.nextTimeout) cache.handleTimeout(now);
}

describe("the neighbours of an interface", () => {
  it("are asked for every half a second while something waits for them, six times, and then it is given up", () => {
    const { cache, asked, released } = cacheAndLink();
    expect(cache.resolve(router, 0)).to.equal(undefined);
    cache.hold(router, frame());
    run(cache, 60 * second);
    expect(asked).to.deep.equal(Array.from({ length: 6 }, () => "fe80::1@all"));
    expect([cache.nextTimeout, released.length]).to.deep.equal([Number.POSITIVE_INFINITY, 0]);
    cache.learn(router, routerMac, 60 * second);
    expect(released.length).to.equal(0);
  });

  it("get what waited, in its order, when they answer", () => {
    const { cache, released } = cacheAndLink();
    cache.resolve(router, 0);
    const frames = [frame(), frame(), frame()];
    frames.forEach((each, i) => {
      each.header[13] = i;
      cache.hold(router, each);
    });
    cache.learn(router, routerMac, second);
    expect(released.map(({ header }) => [...header])).to.deep.equal(
      [0, 1, 2].map((i) => [0x02, 0xfe, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, i]),
    );
    expect(cache.resolve(router, second)).to.equal(routerMac);
  });

  it("are asked again after a minute, first themselves, then all: one that has been replaced is found", () => {
    const { cache, asked } = cacheAndLink();
    cache.learn(router, routerMac, 0);
    for (let now = 0; now <= 60 * second; now += second) cache.resolve(router, now);
    expect(asked).to.deep.equal([]);
    for (let now = 61 * second; now < 66 * second; now += 100_000)
      expect(cache.resolve(router, now)).to.equal(routerMac);
    const first = asked.slice(0, 5).map((question) => question.replace("fe80::1@", ""));
    expect(first).to.deep.equal(["1", "1", "1", "all", "all"]);
    cache.learn(router, otherMac, 66 * second);
    expect(cache.resolve(router, 67 * second)).to.equal(otherMac);
  });

  it("that confirm themselves are left in peace for another minute", () => {
    const { cache, asked } = cacheAndLink();
    for (let minute = 0; minute < 10; minute++) {
      cache.learn(router, routerMac, minute * 61 * second);
      for (let i = 0; i < 61; i++) cache.resolve(router, minute * 61 * second + i * second);
    }
    expect(asked).to.deep.equal([]);
  });

  it("that never answer do not push out the router, nor do their frames take all the room", () => {
    const { cache, asked } = cacheAndLink();
    cache.learn(router, routerMac, 0);
    for (let i = 0; i < 10_000; i++) {
      const stranger = i % 2 === 0 ? ipv6FromWords(0xfd00_0000, 0, 0, i) : ipv4FromNumber(0x0a00_0000 + i);
      cache.resolve(stranger, 1);
      cache.hold(stranger, frame());
    }
    expect([asked.length, cache.resolve(router, 2)]).to.deep.equal([10_000, routerMac]);
    const last = ipv6FromWords(0xfd00_0000, 0, 0, 9_998);
    expect([cache.has(last), cache.has(ipv6FromWords(0xfd00_0000, 0, 0, 0))]).to.deep.equal([true, false]);
  });

  it("have room for what waits again, once others have been given up", () => {
    const { cache, released } = cacheAndLink();
    for (let i = 0; i < 10_000; i++) {
      const stranger = ipv4FromNumber(0x0a00_0000 + i);
      cache.resolve(stranger, 0);
      cache.hold(stranger, frame());
    }
    run(cache, 60 * second);
    cache.resolve(router, 60 * second);
    cache.hold(router, frame());
    cache.learn(router, routerMac, 60 * second);
    expect(released.length).to.equal(1);
  });
});
