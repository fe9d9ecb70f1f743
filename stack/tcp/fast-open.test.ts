import { expect } from "chai";
import { seededRandom } from "../testing/random.ts";
import { ipv4FromNumber, parseIpAddress } from "../wire/ip-address.ts";
import { FastOpenCache, FastOpenServer } from "./fast-open.ts";
import type { FourTuple } from "./four-tuple.ts";

const tuple: FourTuple = {
  localAddress: parseIpAddress("192.0.2.1")!,
  localPort: 80,
  remoteAddress: parseIpAddress("198.51.100.1")!,
  remotePort: 40_000,
};

describe("cookies of TCP Fast Open (RFC 7413 §4.1)", () => {
  it("are those of a peer's address, from whatever port, and of this host's secret", () => {
    const server = new FastOpenServer(seededRandom(1));
    const cookie = server.cookieFor(tuple, 0);
    expect(cookie).to.have.length(6);
    expect(server.judge({ ...tuple, remotePort: 5 }, cookie, 0)).to.equal("valid");
    expect(server.judge({ ...tuple, remoteAddress: parseIpAddress("198.51.100.2")! }, cookie, 0)).to.equal("wrong");
    expect(new FastOpenServer(seededRandom(2)).judge(tuple, cookie, 0)).to.equal("wrong");
    expect(server.judge(tuple, cookie.subarray(0, 4), 0)).to.equal("wrong");
  });

  it("are made with another key after a day, and those of the last key are good for a day more (§4.1.2)", () => {
    const day = 86_400_000_000;
    const server = new FastOpenServer(seededRandom(1));
    const old = server.cookieFor(tuple, 0);
    expect(server.judge(tuple, old, day - 1)).to.equal("valid");
    expect(server.judge(tuple, old, day)).to.equal("outdated");
    const next = server.cookieFor(tuple, 2 * day - 1);
    expect(next).not.to.deep.equal(old);
    expect(server.judge(tuple, old, 2 * day - 1)).to.equal("outdated");
    expect(server.judge(tuple, next, 2 * day - 1)).to.equal("valid");
    expect(server.judge(tuple, old, 2 * day)).to.equal("wrong");
    expect(server.judge(tuple, next, 2 * day)).to.equal("outdated");
    expect(server.judge(tuple, next, 4 * day)).to.equal("wrong");
  });

  it("let only so many connections begin whose peers have not answered (§5.1)", () => {
    const server = new FastOpenServer(seededRandom(1));
    const connections = Array.from({ length: 128 }, () => ({}));
    expect(connections.every((connection) => server.admit(connection))).to.equal(true);
    expect(server.admit({})).to.equal(false);
    server.settle(connections[0]!);
    expect(server.admit({})).to.equal(true);
  });

  it("are kept for a bounded number of peers: the longest unused is forgotten", () => {
    const cache = new FastOpenCache();
    const cookie = new Uint8Array(8);
    for (let i = 1; i <= 256; i++) cache.remember(ipv4FromNumber(i), cookie, 1460);
    cache.plan(ipv4FromNumber(1), 0);
    for (let i = 257; i <= 400; i++) cache.noteDropped(ipv4FromNumber(i), 0);
    expect(cache.size).to.equal(256);
    expect(cache.plan(ipv4FromNumber(1), 0)?.cookie).to.equal(cookie);
    expect(cache.plan(ipv4FromNumber(2), 0)?.cookie).to.have.length(0);
  });
});
