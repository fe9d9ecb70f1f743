/** One row of the catalogue of middleboxes: traffic through it, and what came of that. */

import { expect } from "chai";
import { converse, makePair, type Pair, type PairOptions, type StreamApplication } from "./pair.ts";
import type { Middlebox, PipeOptions } from "./network.ts";
import type { BothWays } from "./segment-surgery.ts";

/**
 * MP: every subflow works. MP-1: MPTCP without some path. TCP: fallback, intact. FAIL: fallback by MP_FAIL. RST: an error to an application.
 * SILENT: wrong bytes, as plain TCP would have given. STALL: neither data nor error within the bound.
 */
export type Outcome = "MP" | "MP-1" | "TCP" | "FAIL" | "RST" | "SILENT" | "STALL";

/** Within this, whatever a path does, both applications have their data or an error (R2 of RFC 9293 §3.8.3 is 100 s, and two may follow each other). */
export const bound = 300_000_000;

const path: PipeOptions = { rate: 20_000_000, delay: 5_000, queueBytes: 100_000 };
const firstBytes = 4_000;
const laterBytes = 300_000;
const pauseMicroseconds = 500_000;

export interface Row {
  row: number;
  behaviour: string;
  allowed: Outcome[];
  /** Paths of the client; default 2. */
  paths?: 1 | 2;
  options?: PairOptions;
  /** Puts the middlebox in place. */
  install?(pair: Pair): void;
}

export function onLink(pair: Pair, index: number, up?: Middlebox, down?: Middlebox): void {
  if (up !== undefined) pair.links[index]!.up.middlebox = up;
  if (down !== undefined) pair.links[index]!.down.middlebox = down;
}

export function onLinks(pair: Pair, make: (index: number) => Partial<BothWays>): void {
  pair.links.forEach((_, index) => {
    const { up, down } = make(index);
    onLink(pair, index, up, down);
  });
}

/** Runs the row's traffic: some bytes each way at once, the rest after a pause, then the end of both streams. */
export function outcomeOf(row: Row): Outcome {
  const count = row.paths ?? 2;
  const pair = makePair({ paths: Array.from({ length: count }, () => path), ...row.options });
  row.install?.(pair);
  const { network } = pair;
  const conversation = converse(pair, firstBytes, firstBytes, { endsAfterSending: false });
  const { client } = conversation;
  const sendRest = (application: StreamApplication | undefined): void => {
    if (application === undefined) return;
    application.toSend = firstBytes + laterBytes;
    application.endsAfterSending = true;
    if (application.established) application.send();
  };
  network.at(network.now + pauseMicroseconds, () => {
    sendRest(client);
    sendRest(conversation.server());
  });
  // A server that accepts after the pause has its whole stream to send.
  const settle = (): void => {
    const server = conversation.server();
    if (server === undefined) network.at(network.now + pauseMicroseconds, settle);
    else sendRest(server);
  };
  network.at(network.now + 2 * pauseMicroseconds, settle);
  const ended = network.run(bound, () => client.closed && conversation.server()?.closed !== false);
  const server = conversation.server();
  if (!ended) return "STALL";
  if (client.error !== undefined || server === undefined || server.error !== undefined) return "RST";
  const total = firstBytes + laterBytes;
  const infos = [client, server].map(({ connection }) => connection.info());
  if (infos.some(({ fallbackReason }) => fallbackReason === "checksum-failed")) return "FAIL";
  if (client.corrupt || server.corrupt || client.received !== total || server.received !== total) return "SILENT";
  if (infos.some(({ mptcp }) => !mptcp)) return "TCP";
  const joined = network.eventsNamed("mptcp:subflow-established", pair.server).length;
  // A join that was withdrawn before it was established is made again, and is no damage.
  const established = network.eventsNamed("mptcp:subflow-established");
  const broken = network
    .eventsNamed("mptcp:subflow-closed")
    .filter(({ reason }) => reason !== "finished")
    .filter((closed) => established.some(({ host, subflow }) => host === closed.host && subflow === closed.subflow));
  const stale = network.eventsNamed("scheduler:stale").length;
  return joined >= count && broken.length === 0 && stale === 0 ? "MP" : "MP-1";
}

export function describeRows(title: string, rows: readonly Row[]): void {
  describe(title, () => {
    for (const row of rows) {
      it(`${row.row}: ${row.behaviour}: ${row.allowed.join(" or ")}`, () => {
        expect(outcomeOf(row)).to.be.oneOf(row.allowed);
      });
    }
  });
}
