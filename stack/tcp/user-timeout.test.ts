import { expect } from "chai";
import { converse, makePair, wifi } from "../testing/pair.ts";
import { segmentOf } from "../testing/wire-tap.ts";
import { parseTcp } from "../wire/tcp-parse.ts";
import { tcpFlag, TcpSegment } from "../wire/tcp-segment.ts";
import { tcpOptionsLength, writeTcp } from "../wire/tcp-emit.ts";
import type { TcpOptions } from "./tcp-options.ts";
import { UserTimeout } from "./user-timeout.ts";

const second = 1_000_000;

function conversation(mptcp: boolean, client: TcpOptions, server: TcpOptions, paths = 1) {
  const pair = makePair({
    paths: Array.from({ length: paths }, () => wifi),
    client: { mptcp, tcp: client },
    server: { mptcp, tcp: server },
  });
  const told: { flags: number; seconds: number; port: number }[] = [];
  for (const link of pair.links)
    for (const direction of [link.up, link.down])
      direction.middlebox = (frame) => {
        const segment = segmentOf(frame);
        if (segment !== undefined && segment.userTimeoutSeconds > 0)
          told.push({ flags: segment.flags, seconds: segment.userTimeoutSeconds, port: segment.sourcePort });
        return true;
      };
  const talk = converse(pair, 200_000, 200_000, { endsAfterSending: false });
  pair.network.run(20 * second);
  return { pair, told, client: talk.client, server: talk.server()! };
}

describe("the User Timeout option (RFC 5482 §3.3)", () => {
  for (const [seconds, field, read] of [
    [1, 1, 1],
    [0x7fff, 0x7fff, 0x7fff],
    [0x8000, 0x8000 | 547, 547 * 60],
    [1e9, 0xffff, 0x7fff * 60],
  ] as const) {
    it(`says ${seconds} s as ${field.toString(16)}`, () => {
      const segment = new TcpSegment();
      segment.userTimeoutSeconds = seconds;
      const view = new DataView(new ArrayBuffer(60));
      const length = writeTcp(segment, view, 0);
      expect(length).to.equal(20 + tcpOptionsLength(segment));
      expect([view.getUint16(20), view.getUint16(22)]).to.deep.equal([0x1c04, field]);
      const parsed = new TcpSegment();
      expect(parseTcp(parsed, new Uint8Array(view.buffer), view, 0, length)).to.equal(true);
      expect(parsed.userTimeoutSeconds).to.equal(read);
    });
  }

  it("is told of every subflow, within the room that MP_JOIN leaves", () => {
    const { told, pair } = conversation(true, { userTimeoutOption: {} }, { userTimeoutOption: {} }, 2);
    expect(pair.network.eventsNamed("mptcp:subflow-established").length).to.be.greaterThan(2);
    expect(told.filter(({ flags }) => flags & tcpFlag.syn).length).to.be.greaterThan(3);
  });
});

describe("the user timeout (RFC 5482 §3.1)", () => {
  const adopted = (options: TcpOptions, seconds: number): number => {
    const timeout = new UserTimeout(options);
    timeout.adopt(seconds);
    return timeout.microseconds / second;
  };

  it("is the longest of ours, the peer's and the lower limit, within the upper limit", () => {
    expect(adopted({ userTimeoutOption: {} }, 600)).to.equal(600);
    expect(adopted({ userTimeoutOption: {} }, 1)).to.equal(120);
    expect(adopted({ userTimeoutOption: {} }, 1e6)).to.equal(3_600);
    expect(adopted({ userTimeoutOption: { lowerLimitMicroseconds: 300 * second } }, 1)).to.equal(300);
    expect(adopted({ userTimeoutOption: { upperLimitMicroseconds: 130 * second } }, 200)).to.equal(130);
  });

  it("is not changed where the option is not enabled, or the application has set it", () => {
    expect(adopted({}, 600)).to.equal(120);
    expect(adopted({ userTimeoutMicroseconds: 5 * second, userTimeoutOption: {} }, 600)).to.equal(5);
    const timeout = new UserTimeout({ userTimeoutOption: {} });
    timeout.set(7 * second);
    timeout.adopt(600);
    expect([timeout.microseconds / second, timeout.secondsToTell]).to.deep.equal([7, 7]);
  });

  for (const mptcp of [false, true]) {
    describe(mptcp ? "over MPTCP, of each subflow" : "over TCP", () => {
      it("is told with each SYN and with a first segment without, and no more", () => {
        const { told, client, server } = conversation(mptcp, { userTimeoutOption: {} }, { userTimeoutOption: {} });
        expect([client.received, server.received]).to.deep.equal([200_000, 200_000]);
        expect(told.map(({ flags }) => flags & (tcpFlag.syn | tcpFlag.ack))).to.have.members([2, 18, 16, 16]);
        expect(new Set(told.map(({ seconds }) => seconds))).to.deep.equal(new Set([120]));
      });

      it("is told again when the application changes it, and adopted: the peer waits so long", () => {
        const { told, pair, client, server } = conversation(
          mptcp,
          { userTimeoutOption: {} },
          { userTimeoutOption: {} },
        );
        told.length = 0;
        client.connection.setUserTimeout(1_000 * second);
        pair.network.run(pair.network.now + second);
        expect(told.map(({ seconds }) => seconds)).to.deep.equal([1_000]);
        pair.links[0]!.up.middlebox = () => false;
        pair.links[0]!.down.middlebox = () => false;
        server.connection.write(new Uint8Array(1_000), pair.network.now);
        const start = pair.network.now;
        pair.network.run(5_000 * second, () => server.closed);
        expect(server.error).to.equal("ETIMEDOUT");
        expect((pair.network.now - start) / second).to.be.within(1_000, 1_300);
      });

      it("is not spoken of by default", () => {
        const { told, client } = conversation(mptcp, {}, { userTimeoutOption: {} });
        const [subflow] = client.connection.subflows;
        expect(told.filter(({ port }) => port === client.connection.localPort)).to.deep.equal([]);
        expect([told.length > 0, subflow!.endpoint.userTimeoutMicroseconds]).to.deep.equal([true, 120 * second]);
      });
    });
  }
});
