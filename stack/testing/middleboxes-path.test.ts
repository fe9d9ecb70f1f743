/** Rows of the catalogue about addresses, windows, acknowledgements and what a path lets pass. */

import { mptcpOptionKind, mptcpSubtype } from "../wire/mptcp-options.ts";
import { parseIpAddress, parseIpv4 } from "../wire/ip-address.ts";
import { tcpFlag, tcpOptionKind, type TcpSegment } from "../wire/tcp-segment.ts";
import { describeRows, onLink, onLinks, type Row } from "./middlebox-row.ts";
import type { Attachment, Middlebox } from "./network.ts";
import { type Pair, serverPort } from "./pair.ts";
import { acknowledgeEarly, answerTo, randomiseSequences, resetWhen, translateAddresses } from "./segment-surgery.ts";
import { chain, dropWhen, optionsOf, rewrite, segmentOf, stripMptcp, stripOptions } from "./wire-tap.ts";

const pause = 1_300_000;
const hasData = (segment: TcpSegment): boolean => segment.payloadLength > 0;
const isSyn = (segment: TcpSegment): boolean => segment.has(tcpFlag.syn);

function portsOf({ sourcePort, destinationPort }: TcpSegment): string {
  return sourcePort === serverPort ? `${destinationPort}` : `${sourcePort}`;
}

/** A stateful box that forgets every flow at `pause`; what belongs to none it drops, or resets. */
function forgetFlows(pair: Pair, link: Attachment, reset: boolean): void {
  const known = new Set<string>();
  let forgotten = false;
  const box: Middlebox = (frame, now) => {
    const segment = segmentOf(frame);
    if (segment === undefined) return true;
    if (now >= pause && !forgotten) {
      forgotten = true;
      known.clear();
    }
    if (isSyn(segment)) known.add(portsOf(segment));
    return known.has(portsOf(segment));
  };
  link.up.middlebox = reset
    ? chain((frame, now) => {
        const passes = box(frame, now);
        const segment = segmentOf(frame);
        if (passes !== true && segment !== undefined && !segment.has(tcpFlag.rst))
          pair.network.inject(
            link,
            answerTo(frame, tcpFlag.rst | tcpFlag.ack, segment.acknowledgement, segment.sequence),
          );
        return passes;
      })
    : box;
  link.down.middlebox = box;
}

/** A firewall that drops what comes after a hole in the sequence of a flow. */
function dropBeyondHoles(): Middlebox {
  const next = new Map<string, number>();
  return (frame) => {
    const segment = segmentOf(frame);
    if (segment === undefined) return true;
    const flow = portsOf(segment);
    const expected = next.get(flow);
    const end = (segment.sequence + segment.sequenceLength) >>> 0;
    if (isSyn(segment) || expected === undefined) {
      next.set(flow, end);
      return true;
    }
    if (((segment.sequence - expected) | 0) > 0) return segment.payloadLength === 0;
    if (((end - expected) | 0) > 0) next.set(flow, end);
    return true;
  };
}

/** A firewall that drops data beyond the window that it has seen advertised on the flow. */
function dropBeyondWindow(): { up: Middlebox; down: Middlebox } {
  const edges = new Map<string, number>();
  const scales = new Map<string, number>();
  const side =
    (own: string, other: string): Middlebox =>
    (frame) => {
      const segment = segmentOf(frame);
      if (segment === undefined) return true;
      const flow = portsOf(segment);
      if (isSyn(segment)) scales.set(own + flow, Math.max(0, segment.windowScale));
      if (segment.has(tcpFlag.ack)) {
        const scale = isSyn(segment) ? 0 : (scales.get(own + flow) ?? 0);
        const edge = (segment.acknowledgement + segment.window * 2 ** scale) >>> 0;
        const before = edges.get(own + flow);
        if (before === undefined || ((edge - before) | 0) > 0) edges.set(own + flow, edge);
      }
      const limit = edges.get(other + flow);
      return (
        limit === undefined ||
        segment.payloadLength === 0 ||
        ((segment.sequence + segment.payloadLength - limit) | 0) <= 0
      );
    };
  return { up: side("up", "down"), down: side("down", "up") };
}

function clampMss(limit: number): Middlebox {
  return rewrite(isSyn, (frame, view) => {
    for (const { at } of optionsOf(frame)) if (frame[at] === tcpOptionKind.mss) view.setUint16(at + 2, limit);
  });
}

const noLargeFrames: Middlebox = (frame) => frame.length <= 1_000;

/** Lets nothing pass that follows the first payload of a flow which does not begin like the stream does. */
function onlyKnownProtocols(pair: Pair, link: Attachment, reset: boolean): void {
  const unknown = (segment: TcpSegment): boolean => hasData(segment);
  link.up.middlebox = reset ? resetWhen(pair.network, link, unknown) : dropWhen(unknown);
  link.down.middlebox = dropWhen(unknown);
}

const rows: Row[] = [
  {
    row: 2,
    behaviour: "NAT of addresses and ports on all paths",
    allowed: ["MP"],
    install: (pair) =>
      onLinks(pair, (i) => {
        pair.network.route(`10.9.${i + 1}.2`, pair.links[i]!);
        return translateAddresses(parseIpv4(`10.0.${i + 1}.2`)!, parseIpv4(`10.9.${i + 1}.2`)!, 1_000);
      }),
  },
  {
    row: 3,
    behaviour: "a NAT in front of the sender of ADD_ADDR: its address cannot be reached",
    allowed: ["MP", "MP-1"],
    options: { serverInterfaces: 2 },
    install: (pair) => onLinks(pair, () => ({ up: dropWhen((s) => s.destination === parseIpAddress("10.0.101.2")) })),
  },
  {
    row: 4,
    behaviour: "a NAT forgets the flow and drops, two subflows",
    allowed: ["MP-1"],
    install: (pair) => forgetFlows(pair, pair.links[0]!, false),
  },
  {
    row: 4,
    behaviour: "a NAT forgets the flow and drops, one subflow",
    paths: 1,
    allowed: ["RST", "MP-1"],
    install: (pair) => forgetFlows(pair, pair.links[0]!, false),
  },
  {
    row: 5,
    behaviour: "a NAT forgets the flow and resets, two subflows",
    allowed: ["MP-1"],
    install: (pair) => forgetFlows(pair, pair.links[0]!, true),
  },
  {
    row: 5,
    behaviour: "a NAT forgets the flow and resets, one subflow",
    paths: 1,
    allowed: ["MP-1"],
    install: (pair) => forgetFlows(pair, pair.links[0]!, true),
  },
  {
    row: 6,
    behaviour: "initial sequence numbers rewritten",
    allowed: ["MP"],
    install: (pair) => onLinks(pair, () => randomiseSequences(0x1234_5678, 0xfedc_ba98)),
  },
  {
    row: 6,
    behaviour: "initial sequence numbers rewritten, checksums",
    allowed: ["MP"],
    options: { client: { dssChecksum: true } },
    install: (pair) => onLinks(pair, () => randomiseSequences(0x1234_5678, 0xfedc_ba98)),
  },
  {
    row: 44,
    behaviour: "a proxy acknowledges early on path 1",
    allowed: ["MP", "MP-1"],
    install: (pair) => onLink(pair, 0, acknowledgeEarly(pair.network, pair.links[0]!)),
  },
  {
    row: 45,
    behaviour: "a proxy acknowledges early, then loses some of it, two subflows",
    allowed: ["MP", "MP-1"],
    install: (pair) => {
      let count = 0;
      onLink(
        pair,
        1,
        chain(
          acknowledgeEarly(pair.network, pair.links[1]!),
          dropWhen((s) => hasData(s) && ++count % 5 === 0),
        ),
      );
    },
  },
  {
    row: 45,
    behaviour: "a proxy acknowledges early, then loses some of it, one subflow",
    paths: 1,
    allowed: ["MP", "RST"],
    install: (pair) => {
      let count = 0;
      onLink(
        pair,
        0,
        chain(
          acknowledgeEarly(pair.network, pair.links[0]!),
          dropWhen((s) => hasData(s) && ++count === 20),
        ),
      );
    },
  },
  {
    row: 47,
    behaviour: "SYNPROXY: options unknown to it removed, sequence numbers shifted",
    allowed: ["TCP"],
    install: (pair) => {
      onLinks(pair, () => {
        const { up, down } = randomiseSequences(0, 0x1111_1111);
        return { up: chain(stripMptcp(isSyn), up), down: chain(stripMptcp(isSyn), down) };
      });
    },
  },
  {
    row: 48,
    behaviour: "ADD_ADDR stripped",
    allowed: ["MP", "MP-1"],
    options: { serverInterfaces: 2 },
    install: (pair) => {
      const strip = (): Middlebox => stripOptions(mptcpOptionKind, mptcpSubtype.addAddress, () => true);
      onLinks(pair, () => ({ up: strip(), down: strip() }));
    },
  },
  {
    row: 49,
    behaviour: "REMOVE_ADDR and MP_PRIO stripped, an interface goes down",
    allowed: ["MP-1"],
    install: (pair) => {
      const strip = (): Middlebox =>
        chain(
          stripOptions(mptcpOptionKind, mptcpSubtype.removeAddress, () => true),
          stripOptions(mptcpOptionKind, mptcpSubtype.priority, () => true),
        );
      onLinks(pair, () => ({ up: strip(), down: strip() }));
      pair.network.at(pause, () => pair.client.setInterfaceUp(0, false, pair.network.now));
    },
  },
  {
    row: 50,
    behaviour: "payload of an unknown protocol dropped on path 2",
    allowed: ["MP-1"],
    install: (pair) => onlyKnownProtocols(pair, pair.links[1]!, false),
  },
  {
    row: 51,
    behaviour: "payload of an unknown protocol reset on path 2",
    allowed: ["MP-1"],
    install: (pair) => onlyKnownProtocols(pair, pair.links[1]!, true),
  },
  {
    row: 52,
    behaviour: "only the known port passes",
    allowed: ["MP"],
    install: (pair) => onLinks(pair, () => ({ up: dropWhen((s) => s.destinationPort !== serverPort) })),
  },
  {
    row: 53,
    behaviour: "data beyond a hole dropped, with 1 % loss",
    allowed: ["MP", "MP-1"],
    install: (pair) => {
      for (const link of pair.links) link.up.options = { ...link.up.options, loss: 0.01 };
      onLinks(pair, () => ({ up: dropBeyondHoles(), down: dropBeyondHoles() }));
    },
  },
  {
    row: 54,
    behaviour: "segments beyond the advertised window dropped",
    allowed: ["MP", "MP-1"],
    options: { client: { receiveBufferBytes: 30_000 } },
    install: (pair) => onLinks(pair, dropBeyondWindow),
  },
  {
    row: 55,
    behaviour: "2 % loss, 10 % reordering, everything twice",
    allowed: ["MP", "MP-1"],
    install: (pair) => {
      for (const { up, down } of pair.links)
        for (const pipe of [up, down])
          pipe.options = { ...pipe.options, loss: 0.02, reorder: 0.1, reorderDelay: 5_000, duplicate: 1 };
    },
  },
  {
    row: 56,
    behaviour: "ECN bleached",
    allowed: ["MP"],
    install: (pair) => {
      const bleach = (): Middlebox =>
        rewrite(
          () => true,
          (frame) => {
            frame[15]! &= ~3;
            frame[47]! &= 0x3f;
          },
        );
      onLinks(pair, () => ({ up: bleach(), down: bleach() }));
    },
  },
  ...(
    [
      ["timestamps", tcpOptionKind.timestamps],
      ["SACK", tcpOptionKind.sack],
      ["SACK permitted", tcpOptionKind.sackPermitted],
    ] as const
  ).map(([name, kind]): Row => ({
    row: 57,
    behaviour: `${name} stripped`,
    allowed: ["MP"],
    install: (pair) =>
      onLinks(pair, () => ({ up: stripOptions(kind, -1, () => true), down: stripOptions(kind, -1, () => true) })),
  })),
  {
    row: 58,
    behaviour: "window scale stripped",
    allowed: ["MP"],
    install: (pair) => onLinks(pair, () => ({ up: stripOptions(3, -1, isSyn), down: stripOptions(3, -1, isSyn) })),
  },
  {
    row: 58,
    behaviour: "window scale stripped on path 1",
    allowed: ["MP"],
    install: (pair) => onLink(pair, 0, stripOptions(3, -1, isSyn), stripOptions(3, -1, isSyn)),
  },
  {
    row: 59,
    behaviour: "MSS clamped to 536",
    allowed: ["MP"],
    install: (pair) => onLinks(pair, () => ({ up: clampMss(536), down: clampMss(536) })),
  },
  {
    row: 60,
    behaviour: "large packets lost on path 2",
    allowed: ["MP", "MP-1"],
    install: (pair) => onLink(pair, 1, noLargeFrames, noLargeFrames),
  },
  {
    row: 61,
    behaviour: "large packets lost on the initial path",
    allowed: ["MP", "MP-1", "TCP", "RST"],
    install: (pair) => onLink(pair, 0, noLargeFrames, noLargeFrames),
  },
  {
    row: 62,
    behaviour: "a portal answers in the server's place",
    allowed: ["TCP"],
    options: { server: { mptcp: false } },
  },
];

describeRows("middleboxes and paths", rows);
