import { expect } from "chai";
import { ConfigurationError, type HostOptions } from "./host-options.ts";
import { converse, makePair } from "./testing/pair.ts";

const second = 1_000_000;

describe("the limits of a host", () => {
  for (const [name, options] of [
    ["maximumSubflows", { maximumSubflows: -1 }],
    ["maximumSubflows", { maximumSubflows: 2.5 }],
    ["maximumAddressesAccepted", { maximumAddressesAccepted: -1 }],
    ["maximumAddressesAccepted", { maximumAddressesAccepted: 256 }],
    ["closeTimeoutMicroseconds", { closeTimeoutMicroseconds: Number.NaN }],
    ["scheduler", { scheduler: "fastest" as "min-rtt" }],
    ["pathManager", { pathManager: "toString" as "full-mesh" }],
  ] satisfies [string, Partial<HostOptions>][]) {
    it(`that cannot be are refused when it is made: ${JSON.stringify(options)}`, () => {
      expect(() => makePair({ client: options }))
        .to.throw(ConfigurationError)
        .with.property("path", name);
    });
  }

  for (const side of ["client", "server"] as const) {
    it(`that allow the ${side} none beside the first subflow leave a full mesh at that one`, () => {
      const path = { rate: 8_000_000, delay: 10_000, queueBytes: 80_000 };
      const pair = makePair({ paths: [path, path], serverInterfaces: 2, [side]: { maximumSubflows: 0 } });
      const conversation = converse(pair, 100_000, 100_000, { endsAfterSending: false });
      pair.network.run(5 * second);
      const { client } = conversation;
      expect([client.received, conversation.server()!.received]).to.deep.equal([100_000, 100_000]);
      for (const { connection } of [client, conversation.server()!])
        expect(connection.info().subflows.filter(({ state }) => state === "established")).to.have.length(1);
    });

    it(`of subflows hold on the side of the ${side}`, () => {
      const path = { rate: 8_000_000, delay: 10_000, queueBytes: 80_000 };
      const pair = makePair({ paths: [path, path, path, path], [side]: { maximumSubflows: 2 } });
      const conversation = converse(pair, 1_000, 1_000, { endsAfterSending: false });
      pair.network.run(5 * second);
      expect(
        conversation.client.connection.info().subflows.filter(({ state }) => state === "established"),
      ).to.have.length(3);
      expect(conversation.server()!.connection.info().subflows).to.have.length(3);
    });
  }
});
