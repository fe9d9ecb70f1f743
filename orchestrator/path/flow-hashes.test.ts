import { expect } from "chai";
import { parseIpv6 } from "../../stack/wire/ipv6-address.ts";
import { flowHash } from "./flow-hash.ts";
import { FlowHashes } from "./flow-hashes.ts";

describe("the hashes of a router's flows", () => {
  it("are each flow's own, also of more flows than are remembered, and in any order", () => {
    const hashes = new FlowHashes(7);
    const server = parseIpv6("2001:db8:0:9::2")!;
    const hosts = [0x0a000002, 0x0a000102 | 0x80000000, parseIpv6("2001:db8:0:1::2")!, parseIpv6("2001:db8:0:2::2")!];
    for (let round = 0; round < 3; round++)
      for (let port = 0; port < 3_000; port++)
        for (const protocol of [6, 17])
          for (const host of hosts) {
            const other = typeof host === "number" ? 0x0a000903 : server;
            const ports = (60_000 - port) * 65_536 + 80;
            expect(hashes.of(host, other, protocol, ports | 0)).to.equal(
              flowHash(7, host, other, protocol, 60_000 - port, 80),
            );
          }
  });
});
