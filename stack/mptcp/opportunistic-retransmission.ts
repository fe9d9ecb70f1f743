/**
 * What an idle subflow does when no new data may be sent: it sends again what a slower one holds (mechanism 1 of Raiciu et al., NSDI'12 §4.2), and
 * the slower one, which was given too much, has to make do with less (mechanism 2).
 */

import type { SentRange } from "../tcp/sent-queue.ts";
import type { SegmentOutput } from "../tcp/tcp-user.ts";
import type { Connection } from "./connection.ts";
import type { RetransmissionEpisodes } from "./retransmission-episodes.ts";
import type { SchedulerTrace } from "./scheduler-trace.ts";
import type { Subflow } from "./subflow.ts";

export class OpportunisticRetransmission {
  readonly #connection: Connection;
  readonly #episodes: RetransmissionEpisodes;
  readonly #trace: SchedulerTrace | undefined;

  constructor(connection: Connection, episodes: RetransmissionEpisodes, trace: SchedulerTrace | undefined) {
    this.#connection = connection;
    this.#episodes = episodes;
    this.#trace = trace;
  }

  /** `fast` has room, and nothing new for it. True: a piece was sent again, from data offset `unacknowledged` on. */
  transmit(fast: Subflow, unacknowledged: number, now: number, output: SegmentOutput): boolean {
    const { dataSender, sendBuffer } = this.#connection;
    // A full send buffer blocks as the peer's window does: neither moves before its first byte is acknowledged.
    if (sendBuffer.end > dataSender.next || sendBuffer.room === 0)
      return this.#unblockHead(fast, unacknowledged, now, output) || this.#overtake(fast, unacknowledged, now, output);
    // In mid-stream more may come at any time, and the path that it would take is worth more than a sooner arrival of what is under way already: the
    // scheduler alone decides. Interactive data that overflowed to a slow path arrives that much later; one that waits for the fast path (BLEST, ECF) is the cure.
    if (dataSender.finOffset === Number.POSITIVE_INFINITY) return false;
    return this.#overtake(fast, unacknowledged, now, output);
  }

  /** The first byte that is not acknowledged keeps everything from going on. */
  #unblockHead(fast: Subflow, unacknowledged: number, now: number, output: SegmentOutput): boolean {
    for (const slow of this.#connection.subflows) {
      if (slow === fast || slow.smoothedRttMicroseconds <= fast.smoothedRttMicroseconds) continue;
      const range = slow.endpoint.sender.queue.holding(unacknowledged);
      if (range === undefined || range.reinjected) continue;
      this.#sendAgain(fast, slow, range, "unblocks-head", unacknowledged, now, output);
      if (this.#connection.environment.mechanisms.penalisation) this.#penalise(slow, fast, now);
      return true;
    }
    return false;
  }

  /** Whatever is lost on the slower subflow, or would arrive later by it than by the fast one, once. */
  #overtake(fast: Subflow, unacknowledged: number, now: number, output: SegmentOutput): boolean {
    const fastRtt = fast.smoothedRttMicroseconds;
    for (const slow of this.#connection.subflows) {
      if (slow === fast || 2 * slow.smoothedRttMicroseconds <= 3 * fastRtt) continue;
      for (let range = slow.endpoint.sender.queue.head; range !== undefined; range = range.next) {
        if (range.fin || range.reinjected || range.sacked || range.dataEnd <= unacknowledged) continue;
        if (!range.lost && range.sentAt + slow.smoothedRttMicroseconds <= now + fastRtt) continue;
        this.#sendAgain(fast, slow, range, "overtakes", unacknowledged, now, output);
        return true;
      }
    }
    return false;
  }

  #sendAgain(
    fast: Subflow,
    slow: Subflow,
    range: SentRange,
    reason: "unblocks-head" | "overtakes",
    unacknowledged: number,
    now: number,
    output: SegmentOutput,
  ): void {
    const start = Math.max(unacknowledged, range.dataStart);
    const length = Math.min(range.dataEnd - start, fast.space);
    if (start + length < range.dataEnd)
      slow.endpoint.sender.queue.split(range, range.start + (start + length - range.dataStart));
    const { dataSender } = this.#connection;
    this.#trace?.opportunistic(fast, reason, length, dataSender.windowEdge - unacknowledged, now);
    range.reinjected = true;
    fast.reinjections++;
    this.#episodes.note("opportunistic", fast.id, slow.id, start, length, now);
    fast.sendData(start, length, now, output);
  }

  /** Half the window, at most once in a round trip. */
  #penalise(slow: Subflow, fast: Subflow, now: number): void {
    const { sender } = slow.endpoint;
    if (sender.inRecovery || sender.hasReduced) {
      this.#tellWithheld(slow, sender.inRecovery ? "in-recovery" : "reduced-already", now);
      return;
    }
    sender.halveWindow(now);
    const connection = this.#connection;
    connection.environment.record({
      time: now,
      name: "scheduler:penalise",
      connection: connection.id,
      subflow: slow.id,
      section: "NSDI'12 §4.2",
      congestionWindow: slow.congestion.congestionWindow,
      smoothedRttMicroseconds: slow.smoothedRttMicroseconds,
      fasterRttMicroseconds: fast.smoothedRttMicroseconds,
    });
  }

  #tellWithheld(slow: Subflow, reason: "in-recovery" | "reduced-already", now: number): void {
    const { environment, id } = this.#connection;
    environment.trace.scheduler?.({
      time: now,
      name: "scheduler:penalty-withheld",
      connection: id,
      subflow: slow.id,
      section: "NSDI'12 §4.2",
      reason,
      congestionWindow: slow.congestion.congestionWindow,
    });
  }
}
