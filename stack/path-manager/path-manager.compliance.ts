import { expect } from "chai";
import { checkStreams } from "../testing/check-streams.ts";
import { type Conversation, converse, makePair, type Pair, type PairOptions, wifi } from "../testing/pair.ts";
import type { PathManager } from "./path-manager.ts";

const second = 1_000_000;

/** A transfer both ways between two hosts that have this path manager, and two interfaces each. */
function started(pathManager: () => PathManager, options: PairOptions = {}): Pair & { conversation: Conversation } {
  const pair = makePair({
    paths: [wifi, { ...wifi, delay: 25_000 }],
    serverInterfaces: 2,
    ...options,
    client: { pathManager, ...options.client },
    server: { pathManager, ...options.server },
  });
  const conversation = converse(pair, 400_000, 2_000_000);
  return { ...pair, conversation };
}

function finish({ network, conversation }: Pair & { conversation: Conversation }): void {
  const { client, server } = conversation;
  network.run(300 * second, () => client.closed && server()?.closed === true);
  checkStreams(conversation, 400_000, 2_000_000);
}

/** What every path manager has to do, whichever subflows it wants. */
export function behavesAsPathManager(name: string, make: () => PathManager): void {
  describe(`path manager ${name}`, () => {
    it("has the name by which hosts are told to use it", () => {
      expect(make().name).to.equal(name);
    });

    it("loses no byte where nothing goes wrong, and opens from the initiator's side alone", () => {
      const transfer = started(make);
      finish(transfer);
      const opened = transfer.network.eventsNamed("mptcp:subflow-created", transfer.server);
      expect(opened.every(({ initiator }) => initiator === "remote")).to.equal(true);
    });

    it("keeps to the limit of subflows", () => {
      for (const maximumSubflows of [1, 2]) {
        const transfer = started(make, { client: { maximumSubflows }, server: { maximumSubflows } });
        transfer.network.run(second);
        expect(transfer.conversation.client.connection.info().subflows.length).to.be.at.most(1 + maximumSubflows);
        finish(transfer);
      }
    });

    it("brings the stream through the death of the first path, announced or silent, and its return", () => {
      for (const silent of [false, true]) {
        const transfer = started(make);
        const { network, client, links } = transfer;
        const setUp = (up: boolean): void => {
          if (silent) for (const pipe of [links[0]!.up, links[0]!.down]) pipe.blackhole = !up;
          else client.setInterfaceUp(0, up, network.now);
        };
        network.run(second / 2);
        setUp(false);
        network.run(5 * second);
        setUp(true);
        finish(transfer);
      }
    });

    it("takes up an address that comes when every other has gone", () => {
      const transfer = started(make);
      const { network, client, links } = transfer;
      network.route("10.0.1.3", links[0]!);
      network.run(second / 2);
      for (const address of ["10.0.1.2", "10.0.2.2"]) client.removeAddress(address, network.now);
      network.run(3 * second);
      client.addAddress(0, { address: "10.0.1.3", prefixLength: 24 }, network.now);
      finish(transfer);
    });

    it("asks for nothing more once the connection speaks plain TCP, or has ended", () => {
      const transfer = started(make, { server: { mptcp: false } });
      finish(transfer);
      expect(transfer.network.eventsNamed("mptcp:subflow-created", transfer.client)).to.have.length(1);
      transfer.network.run(200 * second);
      expect(transfer.client.pollTimeout()).to.equal(Number.POSITIVE_INFINITY);
      expect(transfer.client.holdings).to.include({ connections: 0, deadlines: 0 });
    });
  });
}
