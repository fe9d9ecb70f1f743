/** Data that goes over a second subflow comes in runs of many segments: each run is one event, with its totals. */

import type { Connection } from "./connection.ts";

/** `reinject`: its subflow has died or is silent; `opportunistic`: it is merely slower. */
export type RetransmissionKind = "reinject" | "opportunistic";

/** A run ends when this has passed without another segment of it. */
const pause = 100_000;

interface Episode {
  kind: RetransmissionKind;
  subflow: number;
  fromSubflow: number;
  dataOffset: number;
  bytes: number;
  segments: number;
  startedAt: number;
  lastAt: number;
}

export class RetransmissionEpisodes {
  /** Of all runs. */
  bytes = 0;
  /** When a run ends if nothing more of it is sent. */
  nextTimeout: number = Number.POSITIVE_INFINITY;
  readonly #connection: Connection;
  #open: Episode[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** `length` bytes from data offset `dataOffset` on, which `fromSubflow` (-1: nobody any more) holds, were sent on `subflow`. */
  note(
    kind: RetransmissionKind,
    subflow: number,
    fromSubflow: number,
    dataOffset: number,
    length: number,
    now: number,
  ): void {
    let episode = this.#open.find(
      (known) => known.kind === kind && known.subflow === subflow && known.fromSubflow === fromSubflow,
    );
    if (episode === undefined) {
      episode = { kind, subflow, fromSubflow, dataOffset, bytes: 0, segments: 0, startedAt: now, lastAt: now };
      this.#open.push(episode);
    }
    this.bytes += length;
    episode.bytes += length;
    episode.segments++;
    episode.lastAt = now;
    this.#schedule();
  }

  handleTimeout(now: number): void {
    const ended = this.#open.filter(({ lastAt }) => lastAt + pause <= now);
    if (ended.length === 0) return;
    this.#open = this.#open.filter(({ lastAt }) => lastAt + pause > now);
    this.#schedule();
    for (const episode of ended) this.#record(episode, now);
  }

  /** The connection ends, and every run with it. */
  close(now: number): void {
    for (const episode of this.#open) this.#record(episode, now);
    this.#open = [];
    this.#schedule();
  }

  #schedule(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const { lastAt } of this.#open) if (lastAt + pause < next) next = lastAt + pause;
    this.nextTimeout = next;
  }

  #record(episode: Episode, now: number): void {
    const { kind, subflow, fromSubflow, dataOffset, bytes, segments, startedAt, lastAt } = episode;
    const { environment, id } = this.#connection;
    environment.record({
      time: now,
      name: kind === "reinject" ? "scheduler:reinject" : "scheduler:opportunistic-retransmit",
      connection: id,
      subflow,
      section: kind === "reinject" ? "RFC 8684 §3.3.6" : "NSDI'12 §4.2",
      fromSubflow,
      dataOffset,
      bytes,
      segments,
      durationMicroseconds: lastAt - startedAt,
    });
  }
}
