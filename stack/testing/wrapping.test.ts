import { expect } from "chai";
import { deriveKey } from "../mptcp/keys.ts";
import type { FourTuple } from "../tcp/four-tuple.ts";
import { HostTcp } from "../tcp/host-tcp.ts";
import { InitialNumbers } from "../tcp/initial-numbers.ts";
import { parseIpAddress } from "../wire/ip-address.ts";
import { checkStreams } from "./check-streams.ts";
import { converse, makePair, serverPort } from "./pair.ts";
import { seededRandom } from "./random.ts";
import { segmentOf } from "./wire-tap.ts";

const second = 1_000_000;
const clientPort = 40_000;

/** A key whose data sequence numbers pass 2³² within `distance` bytes. */
function keyNearWrap(distance: number): { high: number; low: number } {
  for (let low = 0; ; low++) {
    if (deriveKey({ high: 1, low }).firstDataSequence.low > 2 ** 32 - distance) return { high: 1, low };
  }
}

/** The secrets of initial numbers are zeros; then the given numbers, then any. The order is that in which a host asks: secrets, key, port. */
function numbers(...first: number[]): () => number {
  const secrets: number[] = [];
  void new HostTcp({}, () => secrets.push(0));
  const rest = seededRandom(3);
  return () => secrets.shift() ?? first.shift() ?? rest();
}

/** One transfer both ways, with loss, that begins when the host's clock shows `start`; which 32-bit numbers passed 2³². */
function transferAt(
  start: number,
): Record<"client" | "server" | "clientTimestamps" | "serverTimestamps" | "data", boolean> {
  const key = keyNearWrap(200_000);
  const client = numbers(key.high, key.low, clientPort - 32_768);
  const server = numbers(key.high, key.low);
  const path = { rate: 10_000_000, delay: 10_000, queueBytes: 60_000, loss: 0.01 };
  const pair = makePair({ paths: [path], client: { random: client }, server: { random: server } });
  pair.network.now = start;
  const wrapped = { client: false, server: false, clientTimestamps: false, serverTimestamps: false, data: false };
  const watch = (sequences: "client" | "server", timestamps: "clientTimestamps" | "serverTimestamps") => {
    const highest = { sequence: 0, timestamp: 0, data: 0 };
    return (frame: Uint8Array): boolean => {
      const segment = segmentOf(frame);
      if (segment === undefined) return true;
      wrapped[sequences] ||= highest.sequence > 2 ** 31 && segment.sequence < 2 ** 20;
      highest.sequence = Math.max(highest.sequence, segment.sequence);
      wrapped[timestamps] ||= highest.timestamp > 2 ** 31 && segment.timestampValue < 2 ** 20;
      highest.timestamp = Math.max(highest.timestamp, segment.timestampValue);
      if (!segment.mptcp.hasMapping) return true;
      wrapped.data ||= highest.data > 2 ** 31 && segment.mptcp.dataSequenceLow < 2 ** 20;
      highest.data = Math.max(highest.data, segment.mptcp.dataSequenceLow);
      return true;
    };
  };
  pair.links[0]!.up.middlebox = watch("client", "clientTimestamps");
  pair.links[0]!.down.middlebox = watch("server", "serverTimestamps");
  const conversation = converse(pair, 1_000_000, 1_000_000);
  pair.network.run(60 * second, () => conversation.client.closed && conversation.server()?.closed === true);
  checkStreams(conversation, 1_000_000, 1_000_000);
  expect(conversation.client.connection.info().mptcp).to.equal(true);
  return wrapped;
}

describe("numbers that wrap within a transfer", () => {
  const initial = new InitialNumbers(() => 0);
  const [clientAddress, serverAddress] = [parseIpAddress("10.0.1.2")!, parseIpAddress("10.0.100.2")!];
  const atClient: FourTuple = {
    localAddress: clientAddress,
    localPort: clientPort,
    remoteAddress: serverAddress,
    remotePort: serverPort,
  };
  const atServer: FourTuple = {
    localAddress: serverAddress,
    localPort: serverPort,
    remoteAddress: clientAddress,
    remotePort: clientPort,
  };
  /** When a clock of `tick` microseconds that shows `value` at zero is `ahead` ticks before 2³². */
  const before = (value: number, ahead: number, tick: number): number => (2 ** 32 - value - ahead) * tick;

  it("the sequence of the client's subflow", () => {
    const wrapped = transferAt(before(initial.sequence(atClient, 0), 10_000, 4));
    expect(wrapped).to.include({ client: true, data: true });
  });

  it("the sequence of the server's", () => {
    // Its number is taken ten milliseconds later, when the SYN arrives.
    expect(transferAt(before(initial.sequence(atServer, 0), 10_000, 4))).to.include({ server: true, data: true });
  });

  it("the timestamps of the client", () => {
    const wrapped = transferAt(before(initial.timestampOffset(atClient), 200, 1000));
    expect(wrapped).to.include({ clientTimestamps: true, data: true });
  });

  it("the timestamps of the server", () => {
    const wrapped = transferAt(before(initial.timestampOffset(atServer), 200, 1000));
    expect(wrapped).to.include({ serverTimestamps: true, data: true });
  });
});
