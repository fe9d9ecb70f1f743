import { expect } from "chai";
import { parseGatewayOptions } from "./gateway-options.ts";
import { pathHost } from "./path-host.ts";

describe("the gateway's host on the paths", () => {
  it("asks after peers that have been silent for two hours, as both kernels' keep-alives reach their own gateway only", async () => {
    const host = await pathHost(parseGatewayOptions(["--interface", "lo=10.77.1.11/24", "--converter", "4460"]));
    expect(host.tcp?.keepAlive).to.deep.equal({
      idleMicroseconds: 2 * 3600e6,
      intervalMicroseconds: 75e6,
      probes: 9,
    });
  });
});
