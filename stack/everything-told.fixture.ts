/** Runs in which something of each kind happens, with everything told. */

import { type StackEvent, traceCategories } from "./events.ts";
import type { Middlebox } from "./testing/network.ts";
import { converse, makePair, type Pair, type PairOptions, wifi } from "./testing/pair.ts";
import { dropWhen, optionsOf, rewriteChecksum, rewritePayload, segmentOf, stripMptcp } from "./testing/wire-tap.ts";
import { mptcpOptionKind, mptcpPresent, mptcpSubtype } from "./wire/mptcp-options.ts";
import { tcpFlag } from "./wire/tcp-segment.ts";

const second = 1_000_000;

/** Changes the DSS of segments after the SYN in place. */
function alterDss(alter: (frame: Uint8Array, at: number, length: number) => void): Middlebox {
  return (frame) => {
    for (const { at, length } of optionsOf(frame)) {
      if (frame[at] !== mptcpOptionKind || frame[at + 2]! >> 4 !== mptcpSubtype.dss) continue;
      alter(frame, at, length);
      rewriteChecksum(frame);
    }
    return true;
  };
}

/** Drops the first frame whose payload is of such a length. */
function dropOnce(applies: (payloadLength: number) => boolean): Middlebox {
  let dropped = false;
  return (frame) => {
    const length = segmentOf(frame)?.payloadLength ?? 0;
    if (dropped || !applies(length)) return true;
    dropped = true;
    return false;
  };
}

type Happening = readonly [options: PairOptions, happens: (pair: Pair) => void];

const happenings: readonly Happening[] = [
  // WiFi is lossy, goes silent and comes back; 3G's interface goes down and up.
  [
    { serverInterfaces: 2 },
    (pair) => {
      const { client, network, links } = pair;
      const { up, down } = links[0]!;
      down.options = { ...wifi, loss: 0.01 };
      const conversation = converse(pair, 1_000, 4_000_000);
      network.run(second);
      up.blackhole = down.blackhole = true;
      network.run(4 * second);
      up.blackhole = down.blackhole = false;
      network.run(2 * second);
      client.setInterfaceUp(1, false, network.now);
      network.run(second);
      client.setInterfaceUp(1, true, network.now);
      network.run(100 * second, () => conversation.client.closed);
    },
  ],
  // A backup path takes over; the application gives up.
  [
    { client: { pathManager: "backup" } },
    (pair) => {
      const { client, network } = pair;
      const { connection } = converse(pair, 1_000, 1_000_000, { endsAfterSending: false }).client;
      network.run(3 * second);
      client.setInterfaceUp(0, false, network.now);
      network.run(second);
      connection.abort(network.now);
      network.run(second);
    },
  ],
  // Options vanish.
  [
    {},
    (pair) => {
      pair.links[0]!.up.middlebox = stripMptcp((segment) => !segment.has(tcpFlag.syn));
      converse(pair, 1_000, 100_000);
      pair.network.run(5 * second);
    },
  ],
  // Acknowledgements are late by a second, so that timeouts are spurious; then packets overtake each other and come twice.
  [
    { paths: [wifi] },
    (pair) => {
      const { up, down } = pair.links[0]!;
      converse(pair, 1_000, 8_000_000);
      pair.network.run(second);
      up.options = { ...wifi, delay: second };
      pair.network.run(second / 4);
      up.options = wifi;
      pair.network.run(2 * second);
      down.options = { ...wifi, reorder: 0.1, reorderDelay: 40_000, duplicate: 0.02 };
      pair.network.run(4 * second);
    },
  ],
  // The last segment is lost.
  [
    { paths: [wifi] },
    (pair) => {
      pair.links[0]!.down.middlebox = dropOnce((length) => length > 0 && length < 1_000);
      converse(pair, 1_000, 30_000, { endsAfterSending: false });
      pair.network.run(3 * second);
    },
  ],
  // Nobody reads for a while; before and after that the window grows.
  [
    { paths: [wifi], client: { autotune: true, receiveBufferBytes: 1_000_000 } },
    (pair) => {
      const conversation = converse(pair, 1_000, 6_000_000);
      pair.network.run(second / 2);
      conversation.client.paused = true;
      pair.network.run(10 * second);
      conversation.client.paused = false;
      conversation.client.read();
      pair.network.run(5 * second);
    },
  ],
  // A small window, which the slow path holds up.
  [
    { client: { receiveBufferBytes: 60_000 } },
    (pair) => {
      pair.links[0]!.down.options = { ...wifi, loss: 0.01 };
      pair.links[1]!.down.options = { ...pair.links[1]!.down.options, loss: 0.01 };
      converse(pair, 1_000, 3_000_000);
      pair.network.run(20 * second);
    },
  ],
  // More subflows are asked for than the server takes; its first address is not to be used, and its second is never echoed.
  [
    { paths: [wifi, wifi, wifi], serverInterfaces: 2, client: { maximumSubflows: 4 }, server: { maximumSubflows: 1 } },
    (pair) => {
      pair.links[0]!.up.middlebox = dropWhen(({ mptcp }) => mptcp.has(mptcpPresent.addAddress));
      converse(pair, 1_000, 1_000, { endsAfterSending: false });
      pair.network.run(60 * second);
    },
  ],
  [
    { server: { allowJoinInitialAddress: false }, serverInterfaces: 2 },
    (pair) => {
      converse(pair, 1_000, 1_000, { endsAfterSending: false });
      pair.network.run(second);
    },
  ],
  // The path takes small packets only, and does not say so.
  [
    { paths: [wifi] },
    (pair) => {
      pair.links[0]!.up.middlebox = (frame) => frame.length <= 1_300;
      converse(pair, 300_000, 0);
      pair.network.run(30 * second);
    },
  ],
  // Payload is rewritten on the only path, and on one of two.
  ...[[wifi], [wifi, wifi]].map((paths): Happening => [
    { paths, client: { dssChecksum: true } },
    (pair) => {
      pair.links.at(-1)!.down.middlebox = rewritePayload(() => true);
      converse(pair, 1_000, 300_000);
      pair.network.run(10 * second);
    },
  ]),
  // The checksum that was agreed on is cut off.
  [
    { paths: [wifi], client: { dssChecksum: true } },
    (pair) => {
      pair.links[0]!.down.middlebox = alterDss((frame, at, length) => {
        if ((frame[at + 3]! & 4) === 0) return;
        frame[at + 1] = length - 2;
        frame.fill(1, at + length - 2, at + length);
      });
      converse(pair, 1_000, 30_000);
      pair.network.run(second);
    },
  ],
  // Subflows acknowledge, the data level never does.
  [
    { paths: [wifi] },
    (pair) => {
      let first: Uint8Array | undefined;
      pair.links[0]!.down.middlebox = alterDss((frame, at) => {
        if ((frame[at + 3]! & 1) === 0) return;
        first ??= frame.slice(at + 4, at + 8);
        frame.set(first, at + 4);
      });
      converse(pair, 30_000, 0);
      pair.network.run(10 * second);
    },
  ],
];

export function everythingTold(): StackEvent[] {
  const trace = traceCategories;
  const told: StackEvent[] = [];
  for (const [options, happens] of happenings) {
    const pair = makePair({
      ...options,
      client: { trace, ...options.client },
      server: { trace, ...options.server },
    });
    happens(pair);
    for (const { host: _, ...event } of pair.network.events) told.push(event);
  }
  return told;
}
