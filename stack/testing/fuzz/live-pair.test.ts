import fc from "fast-check";
import { expect } from "chai";
import { checkConnection, checkNothingLeft } from "../property/consistency.ts";
import { type Attachment } from "../network.ts";
import { makePair, type Pair, StreamApplication, serverPort } from "../pair.ts";
import { segmentOf } from "../wire-tap.ts";
import { forge, type Knowledge } from "./injection.ts";

const factor = Number(process.env["FUZZ_RUNS"] ?? 1);
const sent = 20_000;
/** As for adversarial paths: user timeout, then a minute without subflows, and keep-alive. */
const boundMicroseconds = 400_000_000;
/** Steps of the clock and frames that one forged segment may cause at once. */
const mostSteps = 100;
const mostAnswers = 100;
const keepAlive = { idleMicroseconds: 20_000_000, intervalMicroseconds: 5_000_000, probes: 4 };
const paths = [
  { rate: 4_000_000, delay: 5_000, queueBytes: 60_000 },
  { rate: 1_000_000, delay: 20_000, queueBytes: 60_000 },
];

interface Injection {
  /** Microseconds after the one before. */
  after: number;
  toServer: boolean;
  /** Which of the segments seen so far in that direction, from the latest on. */
  pick: number;
  seed: number;
}

const injections = fc.array(
  fc.record({
    after: fc.constantFrom(0, 1_000, 10_000, 30_000),
    toServer: fc.boolean(),
    pick: fc.nat(20),
    seed: fc.nat(),
  }),
  { minLength: 1, maxLength: 12 },
);

/** When the forger begins: in the handshake, while data flow, in the closing handshakes, in TIME-WAIT. */
const beginnings = fc.constantFrom(6_000, 15_000, 30_000, 60_000, 100_000, 150_000, 1_000_000);

function require(condition: boolean, expectation: string): void {
  if (!condition) throw new Error(expectation);
}

function run(
  knowledge: Knowledge,
  seed: number,
  mptcp: boolean,
  dssChecksum: boolean,
  begins: number,
  list: Injection[],
) {
  const options = { mptcp, dssChecksum, tcp: { keepAlive } };
  const pair = makePair({ seed, paths, client: options, server: { tcp: { keepAlive } } });
  const { network } = pair;
  const links = network.attachments;
  const seen = new Map<Attachment, Uint8Array[]>(links.map((link) => [link, []]));
  let frames = 0;
  for (const link of links) {
    link.up.middlebox = () => {
      frames++;
      return true;
    };
    link.down.middlebox = (frame) => {
      if (segmentOf(frame) !== undefined) seen.get(link)!.push(frame.slice());
      return true;
    };
  }
  const accepted: StreamApplication[] = [];
  const listener = pair.server.listen({ port: serverPort }, network.now);
  listener.onConnection = () => {
    for (let connection = listener.accept(); connection !== undefined; connection = listener.accept())
      accepted.push(new StreamApplication(network, connection, sent, true));
  };
  const connection = pair.client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort }, network.now);
  const client = new StreamApplication(network, connection, sent, true);
  network.onStep = () => checkBoth(pair);

  let at = network.now + begins;
  for (const injection of list) {
    at += injection.after;
    network.run(Math.max(0, at - network.now));
    const targets = injection.toServer ? [links.at(-1)!] : links.slice(0, -1);
    const target = targets[injection.pick % targets.length]!;
    const real = seen.get(target)!.at(-1 - (injection.pick % Math.max(1, seen.get(target)!.length)));
    if (real === undefined) continue;
    network.inject(target, forge(real, knowledge, injection.seed));
    const before = frames;
    let steps = 0;
    network.onStep = () => {
      require(++steps < mostSteps, "no spin after a forged segment");
      checkBoth(pair);
    };
    network.run(0);
    network.onStep = () => checkBoth(pair);
    require(frames - before <= mostAnswers, `${frames - before} frames in answer to one forged segment`);
  }
  const ended = network.run(boundMicroseconds, () => client.closed && accepted.every(({ closed }) => closed));
  require(ended, "an end in bounded time");
  if (knowledge === "blind") {
    expect([client.error, client.received, client.corrupt]).to.deep.equal([undefined, sent, false]);
    expect(accepted.map(({ error, received, corrupt }) => [error, received, corrupt])).to.deep.equal([
      [undefined, sent, false],
    ]);
  }
  network.run(boundMicroseconds, () => pair.client.connections.length + pair.server.connections.length === 0);
  listener.close(network.now);
  network.run(5_000_000);
  for (const host of [pair.client, pair.server]) checkNothingLeft(host, require);
}

function checkBoth({ client, server }: Pair): void {
  for (const host of [client, server])
    for (const connection of host.connections) checkConnection(connection, false, require);
}

describe("a live pair", function () {
  this.timeout(120_000 + 30_000 * factor);

  for (const knowledge of ["blind", "numbers"] as const) {
    const outcome =
      knowledge === "blind" ? "goes on as if nothing had come" : "goes on or ends, in bounded time and memory";
    it(`into which somebody writes ${knowledge === "blind" ? "by guessing" : "who has read it all"} ${outcome}`, () => {
      fc.assert(
        fc.property(
          fc.nat(),
          fc.boolean(),
          fc.boolean(),
          beginnings,
          injections,
          (seed, mptcp, checksum, begins, list) => run(knowledge, seed, mptcp, checksum, begins, list),
        ),
        { numRuns: 1_000 * factor, seed: 5961 },
      );
    });
  }
});
