import { expect } from "chai";
import { pathManagers } from "../host-algorithms.ts";
import type { PathManagerName } from "../host-options.ts";

import { type Conversation, converse, makePair, type Pair, thirdGeneration, wifi } from "../testing/pair.ts";
import { behavesAsPathManager } from "./path-manager.compliance.ts";

for (const [name, make] of Object.entries(pathManagers)) behavesAsPathManager(name, () => make({ maximumSubflows: 7 }));

const second = 1_000_000;

/** Subflows `client→server` as the client has them after a second, by the last octets but one of their addresses: 1 and 2, 100 and 101. */
function subflowsOf(client: PathManagerName, server: PathManagerName): string[] {
  const pair = makePair({
    paths: [wifi, thirdGeneration],
    serverInterfaces: 2,
    client: { pathManager: client },
    server: { pathManager: server },
  });
  const { connection } = converse(pair, 1_000, 1_000, { endsAfterSending: false }).client;
  pair.network.run(2 * second);
  return connection
    .info()
    .subflows.map(({ localAddress, remoteAddress }) => `${localAddress.split(".")[2]}→${remoteAddress.split(".")[2]}`)
    .sort();
}

describe("path managers between two hosts of two addresses each", () => {
  it("full-mesh: each with each", () => {
    expect(subflowsOf("full-mesh", "full-mesh")).to.deep.equal(["1→100", "1→101", "2→100", "2→101"]);
  });

  it("signal: one to each address of the peer", () => {
    expect(subflowsOf("signal", "signal")).to.deep.equal(["1→100", "1→101"]);
  });

  it("subflow: one from each own address, to the peer's first; as the listener's, it announces nothing", () => {
    expect(subflowsOf("subflow", "signal")).to.deep.equal(["1→100", "2→100"]);
    expect(subflowsOf("full-mesh", "subflow")).to.deep.equal(["1→100", "2→100"]);
  });

  it("single-path: one", () => {
    expect(subflowsOf("single-path", "full-mesh")).to.deep.equal(["1→100"]);
  });
});

describe("the path manager backup", () => {
  const priorities = (pair: Pair): boolean[] =>
    pair.network.eventsNamed("mptcp:priority", pair.client).map(({ backup }) => backup);

  function download(): { pair: Pair; conversation: Conversation } {
    const pair = makePair({ paths: [wifi, thirdGeneration], client: { pathManager: "backup" } });
    const conversation = converse(pair, 1_000, 20_000_000, { endsAfterSending: false });
    pair.network.run(2 * second);
    return { pair, conversation };
  }

  it("leaves the second path idle", () => {
    const { conversation } = download();
    const [first, second] = conversation.client.connection.info().subflows;
    expect([first!.backup, second!.backup]).to.deep.equal([false, true]);
    expect(second!.bytesReceived).to.equal(0);
  });

  it("makes it regular by MP_PRIO while the interface of the first is down, and a backup again", () => {
    const { pair, conversation } = download();
    pair.client.setInterfaceUp(0, false, pair.network.now);
    pair.network.run(3 * second);
    expect(priorities(pair)).to.deep.equal([false]);
    pair.client.setInterfaceUp(0, true, pair.network.now);
    pair.network.run(3 * second);
    expect(priorities(pair)).to.deep.equal([false, true]);
    const before = conversation.client.connection.info().subflows.find(({ backup }) => backup)!.bytesReceived;
    pair.network.run(2 * second);
    const after = conversation.client.connection.info().subflows.find(({ backup }) => backup)!.bytesReceived;
    expect([before > 0, after]).to.deep.equal([true, before]);
  });

  it("makes it regular while the first is silent under our data", () => {
    const pair = makePair({ paths: [wifi, thirdGeneration], client: { pathManager: "backup" } });
    converse(pair, 20_000_000, 1_000, { endsAfterSending: false });
    pair.network.run(2 * second);
    for (const pipe of [pair.links[0]!.up, pair.links[0]!.down]) pipe.blackhole = true;
    pair.network.run(3 * second);
    expect(priorities(pair)).to.deep.equal([false]);
    for (const pipe of [pair.links[0]!.up, pair.links[0]!.down]) pipe.blackhole = false;
    pair.network.run(5 * second);
    expect(priorities(pair)).to.deep.equal([false, true]);
  });
});

describe("handover by mode (Paasch et al., CellNet'12; R3)", () => {
  interface Handover {
    bytesUp: number;
    bytesDown: number;
  }
  const transfers: Record<string, Handover> = {
    download: { bytesUp: 1_000, bytesDown: 20_000_000 },
    upload: { bytesUp: 20_000_000, bytesDown: 1_000 },
  };

  /** The longest time without data at the receiver, in seconds, when WiFi dies at 10 s. */
  function longestGap(pathManager: PathManagerName, { bytesUp, bytesDown }: Handover, silent: boolean): number {
    const pair = makePair({ paths: [wifi, thirdGeneration], client: { pathManager } });
    const { network, client } = pair;
    const conversation = converse(pair, bytesUp, bytesDown, { endsAfterSending: false });
    const set = (dead: boolean): void => {
      if (silent) for (const pipe of [pair.links[0]!.up, pair.links[0]!.down]) pipe.blackhole = dead;
      else client.setInterfaceUp(0, !dead, network.now);
    };
    network.run(10 * second);
    const receiver = bytesDown > bytesUp ? conversation.client : conversation.server()!;
    receiver.longestGap = 0;
    set(true);
    // A loss in the two seconds of the buffer of 3G, later on, would say nothing of the handover.
    network.run(5 * second);
    expect(receiver.corrupt).to.equal(false);
    return receiver.longestGap / second;
  }

  // Detection by a listener that only receives: a second of silence and three questions, each of a retransmission timeout.
  const detection = 1 + 3 * 0.2 + 0.1;
  // The join; then what was in flight, of which first that of which only the acknowledgement was lost.
  const join = (1.5 + 1.5) * 0.15;
  const bounds = { "full-mesh": 1.5, backup: 3, "single-path": detection + join } as const;
  for (const [mode, bound] of Object.entries(bounds) as [keyof typeof bounds, number][]) {
    for (const [direction, transfer] of Object.entries(transfers)) {
      it(`${mode}, ${direction}: silent death of WiFi pauses it for at most ${bound.toFixed(2)} s`, () => {
        expect(longestGap(mode, transfer, true)).to.be.within(0, bound);
      });

      it(`${mode}, ${direction}: an interface that goes down pauses it for at most 0.5 s and a round trip of 3G`, () => {
        expect(longestGap(mode, transfer, false)).to.be.within(0, 0.5 + 0.15);
      });
    }
  }
});
