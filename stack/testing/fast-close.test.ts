/** MP_FASTCLOSE in both forms, between two of us (RFC 8684 §3.5). */

import { expect } from "chai";
import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";
import { mptcpPresent } from "../wire/mptcp-options.ts";
import { type Conversation, converse, makePair, type Pair } from "./pair.ts";
import { dropWhen } from "./wire-tap.ts";

const second = 1_000_000;

interface Closing {
  pair: Pair;
  conversation: Conversation;
  /** What the client and the server sent from the end on. */
  sent: string[];
  answered: string[];
}

/** In mid-transfer over two paths the client gives up; `lose` decides what does not arrive. */
function giveUp(fastClose: "reset" | "acknowledgement", lose: (segment: TcpSegment) => boolean = () => false): Closing {
  const pair = makePair({ client: { fastClose } });
  const conversation = converse(pair, 1_000, 5_000_000, { endsAfterSending: false });
  pair.network.run(3 * second);
  const sent: string[] = [];
  const answered: string[] = [];
  for (const { up, down } of pair.links) {
    const watch = (list: string[]) =>
      dropWhen((segment) => {
        const isReset = segment.has(tcpFlag.rst);
        const isFastClose = segment.mptcp.has(mptcpPresent.fastClose);
        if (isReset || isFastClose) list.push(`${isReset ? "RST" : "ACK"}${isFastClose ? "+MP_FASTCLOSE" : ""}`);
        return lose(segment);
      });
    up.middlebox = watch(sent);
    down.middlebox = watch(answered);
  }
  conversation.client.connection.abort(pair.network.now);
  expect(conversation.client.connection.closed).to.equal(true);
  pair.network.run(60 * second);
  return { pair, conversation, sent, answered };
}

describe("a fast close", () => {
  it("by resets says so on each subflow", () => {
    const { pair, conversation, sent } = giveUp("reset");
    expect(sent.slice(0, 2)).to.deep.equal(["RST+MP_FASTCLOSE", "RST+MP_FASTCLOSE"]);
    expect(conversation.server()!.error).to.equal("ECONNRESET");
    expect([pair.client.connections.length, pair.server.connections.length]).to.deep.equal([0, 0]);
  });

  it("on an acknowledgement says so on one subflow, and is answered there with RST", () => {
    const { pair, conversation, sent, answered } = giveUp("acknowledgement");
    expect(sent).to.include("ACK+MP_FASTCLOSE");
    expect(sent.filter((what) => what === "RST")).not.to.deep.equal([]);
    expect(sent).not.to.include("RST+MP_FASTCLOSE");
    expect(answered).to.include("RST");
    expect(conversation.server()!.error).to.equal("ECONNRESET");
    expect([pair.client.connections.length, pair.server.connections.length]).to.deep.equal([0, 0]);
  });

  it("on an acknowledgement is said again three times, then by a reset, when no answer comes", () => {
    const { pair, sent } = giveUp("acknowledgement", (segment) => segment.has(tcpFlag.rst));
    expect(sent.filter((what) => what !== "RST").slice(-5)).to.deep.equal([
      "ACK+MP_FASTCLOSE",
      "ACK+MP_FASTCLOSE",
      "ACK+MP_FASTCLOSE",
      "ACK+MP_FASTCLOSE",
      "RST+MP_FASTCLOSE",
    ]);
    expect(pair.client.connections).to.have.length(0);
  });

  it("of both sides at once ends both", () => {
    const pair = makePair({ client: { fastClose: "acknowledgement" }, server: { fastClose: "acknowledgement" } });
    const conversation = converse(pair, 1_000, 1_000, { endsAfterSending: false });
    pair.network.run(second);
    conversation.client.connection.abort(pair.network.now);
    conversation.server()!.connection.abort(pair.network.now);
    pair.network.run(10 * second);
    expect([pair.client.connections.length, pair.server.connections.length]).to.deep.equal([0, 0]);
  });
});
