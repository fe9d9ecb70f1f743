/**
 * What an idle subflow does when no new data may be sent: it sends again what a slower one holds (mechanism 1 of Raiciu et al., NSDI'12 §4.2), and
 * the slower one, which was given too much, has to make do with less (mechanism 2).
 */

import type { PenaltyWithheldReason } from "../connection-decisions.ts";
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
    const isBlocked = sendBuffer.end > dataSender.next || sendBuffer.room === 0;
    if (isBlocked && this.#unblockHead(fast, unacknowledged, now, output)) return true;
    const inMidStream = !isBlocked && dataSender.finOffset === Number.POSITIVE_INFINITY;
    return this.#overtake(fast, inMidStream, unacknowledged, now, output);
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

  /**
   * What would arrive later by a slower subflow than by the fast one, once. In mid-stream only what is lost there, and what is behind it: more may come at any time, and the
   * path that it would take is worth more than a sooner arrival of what is under way already; but it is of no use to the peer before a hole is filled. Interactive data that
   * overflowed to a slow path arrives that much later; one that waits for the fast path (BLEST, ECF) is the cure.
   */
  #overtake(fast: Subflow, inMidStream: boolean, unacknowledged: number, now: number, output: SegmentOutput): boolean {
    const fastRtt = fast.smoothedRttMicroseconds;
    for (const slow of this.#connection.subflows) {
      const slowRtt = slow.smoothedRttMicroseconds;
      const { sender } = slow.endpoint;
      if (slow === fast || 2 * slowRtt <= 3 * fastRtt || (inMidStream && !sender.inRecovery)) continue;
      // Subflows deliver in order: what has arrived behind a hole, or will soon, waits for what fills it.
      let hasHole = false;
      let delivered = 0;
      for (let range = sender.queue.head; range !== undefined; range = range.next) {
        if (!range.sacked) {
          hasHole ||= range.lost || range.transmissions > 1;
          delivered = Math.max(delivered, (range.lost ? now : range.sentAt) + slowRtt);
        }
        if (range.fin || range.reinjected || range.dataEnd <= unacknowledged || delivered <= now + fastRtt) continue;
        if (inMidStream && !hasHole) continue;
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

  /**
   * Half the window, at most once in a round trip. Not while the peer's window grows, as it does at the beginning where the receiver tunes itself by what it reads: a slow
   * start that ends then leaves the subflow with a fraction of its path for long.
   */
  #penalise(slow: Subflow, fast: Subflow, now: number): void {
    const { sender } = slow.endpoint;
    const connection = this.#connection;
    const isGrowing = now - connection.dataSender.windowGrewAt < 2 * slow.smoothedRttMicroseconds;
    if (sender.inRecovery || sender.hasReduced || isGrowing) {
      const reason = sender.inRecovery ? "in-recovery" : sender.hasReduced ? "reduced-already" : "window-grows";
      this.#tellWithheld(slow, reason, now);
      return;
    }
    sender.halveWindow(now);
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

  #tellWithheld(slow: Subflow, reason: PenaltyWithheldReason, now: number): void {
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
