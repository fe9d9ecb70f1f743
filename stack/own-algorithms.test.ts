import { expect } from "chai";
import { Reno } from "./congestion/reno.ts";
import { ConfigurationError } from "./host-options.ts";
import { SubflowFromEach } from "./path-manager/subflow.ts";
import { MinRtt } from "./scheduler/min-rtt.ts";
import type { Demand, Schedulable } from "./scheduler/scheduler.ts";
import { converse, makePair, serverPort } from "./testing/pair.ts";

const second = 1_000_000;

class Counted extends MinRtt {
  asked = 0;

  override select<T extends Schedulable>(subflows: readonly T[], demand: Demand): T | undefined {
    this.asked++;
    return super.select(subflows, demand);
  }
}

describe("algorithms of one's own", () => {
  it("hold for every connection of a host that is given them, on either side", () => {
    const made: string[] = [];
    const own = {
      congestionControl: () => (made.push("congestionControl"), new Reno()),
      scheduler: () => (made.push("scheduler"), new MinRtt()),
      pathManager: () => (made.push("pathManager"), new SubflowFromEach()),
    };
    const pair = makePair({ client: own, server: own });
    converse(pair, 1_000, 1_000, { endsAfterSending: false });
    pair.network.run(second);
    const count = (name: string): number => made.filter((each) => each === name).length;
    expect([count("scheduler"), count("pathManager"), count("congestionControl")]).to.deep.equal([2, 2, 4]);
  });

  it("hold for one connection, or those of one listener, when `connect` or `listen` are given them", () => {
    const pair = makePair();
    const { client, server, network } = pair;
    const schedulers: Counted[] = [];
    const scheduler = (): Counted => (schedulers.push(new Counted()), schedulers.at(-1)!);
    converse(pair, 1_000, 1_000, { endsAfterSending: false });
    const listener = server.listen({ port: serverPort + 1, scheduler, pathManager: "subflow" }, network.now);
    const remote = { remoteAddress: "10.0.100.2", remotePort: serverPort + 1 };
    const connection = client.connect({ ...remote, scheduler, congestionControl: "cubic" }, network.now);
    connection.write(new Uint8Array(10_000), network.now);
    network.run(second);
    listener.accept()!.write(new Uint8Array(10_000), network.now);
    network.run(second);
    expect(schedulers.map(({ asked }) => asked > 0)).to.deep.equal([true, true]);
    const [first] = client.connections;
    expect([first, connection].map((each) => each!.subflows[0]!.congestion.name)).to.deep.equal(["lia", "cubic"]);
  });

  it("that are none are refused: names at once, what a function makes when it makes it", () => {
    const pair = makePair();
    const remote = { remoteAddress: "10.0.100.2", remotePort: serverPort };
    const connect = (options: object) => () => pair.client.connect({ ...remote, ...options }, pair.network.now);
    expect(connect({ scheduler: "fastest" })).to.throw(
      ConfigurationError,
      /^scheduler: "fastest" is not one of min-rtt/,
    );
    for (const [key, method] of [
      ["scheduler", "select"],
      ["pathManager", "update"],
      ["congestionControl", "setMaximumSegmentSize"],
    ] as const)
      for (const made of [{}, undefined])
        expect(connect({ [key]: () => made })).to.throw(
          ConfigurationError,
          `${key}: what it makes has no method ${method}`,
        );
    expect(pair.client.holdings).to.include({ connections: 0, subflows: 0, tokens: 0 });
  });
});
