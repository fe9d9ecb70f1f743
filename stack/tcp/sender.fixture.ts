/** A sender without a network: acknowledgements are written by the test, in segments of `mss` bytes. */

import { Reno } from "../congestion/reno.ts";
import { sequenceNumber } from "../wire/sequence.ts";
import { TcpSegment } from "../wire/tcp-segment.ts";
import { Sender } from "./sender.ts";
import type { TcpDecision, TcpNotable } from "./tcp-journal.ts";
import { timer, TimerTable } from "./timers.ts";
import { TimestampClock } from "./timestamp-clock.ts";

export const mss = 1_000;
const initialSequence = 0xffff_f000;

export class SenderBench {
  readonly congestion: Reno = new Reno();
  readonly timers: TimerTable = new TimerTable();
  readonly notes: TcpNotable[] = [];
  readonly decisions: TcpDecision[] = [];
  readonly sender: Sender;
  readonly #timestamps: TimestampClock;
  now = 10_000_000;

  constructor(options: { sack: boolean; timestamps?: boolean; window?: number }) {
    this.#timestamps = new TimestampClock(0);
    this.#timestamps.enabled = options.timestamps ?? false;
    this.congestion.setMaximumSegmentSize(mss);
    if (options.window !== undefined) this.congestion.congestionWindow = options.window * mss;
    const record = (decision: TcpDecision): void => void this.decisions.push(decision);
    this.sender = new Sender(
      this.congestion,
      this.timers,
      this.#timestamps,
      { onRangeAcknowledged: () => {}, onRttSample: () => {}, onRetransmissionTimeout: () => {} },
      {
        note: (event) => void this.notes.push(event),
        recovery: record,
        congestion: record,
      },
    );
    this.sender.sackPermitted = options.sack;
    this.sender.maximumSegmentSize = mss;
    this.sender.initialSequence = sequenceNumber(initialSequence);
    this.sender.next = 1;
    this.sender.unacknowledged = 1;
    this.sender.rtt.sample(100_000, this.now);
  }

  /** Sends `count` new segments, whatever the window says. */
  send(count: number): void {
    for (let i = 0; i < count; i++) this.sender.noteTransmission(this.sender.append(mss), this.now);
  }

  /** Sends what the window allows: lost segments first, then new ones. Returns the numbers of the segments, from 1. */
  sendAllowed(): number[] {
    const { sender } = this;
    const sent: number[] = [];
    for (;;) {
      const allowed = sender.congestionSpace >= mss || (sender.hasLost && sender.mustRetransmit);
      if (!allowed) return sent;
      const range = sender.hasLost ? sender.nextLost(mss)! : sender.append(mss);
      sender.noteTransmission(range, this.now);
      sent.push((range.start - 1) / mss + 1);
    }
  }

  /** All segments before number `next` have arrived, and those that `sacked` names (first to last, inclusive). */
  acknowledge(next: number, sacked: readonly [number, number][] = [], timestampEcho = -1): void {
    const segment = new TcpSegment();
    const at = (number: number): number => sequenceNumber(initialSequence + 1 + (number - 1) * mss);
    sacked.forEach(([first, last], i) => {
      segment.sackEdges[2 * i] = at(first);
      segment.sackEdges[2 * i + 1] = at(last + 1);
    });
    segment.sackCount = sacked.length;
    segment.hasTimestamps = timestampEcho >= 0;
    segment.timestampEcho = Math.max(0, timestampEcho);
    const acknowledged = 1 + (next - 1) * mss;
    this.sender.handleAcknowledgement(segment, acknowledged, acknowledged === this.sender.unacknowledged, this.now);
  }

  timeout(): void {
    this.now = this.timers.deadline(timer.retransmission);
    this.timers.stop(timer.retransmission);
    this.sender.handleRetransmissionTimeout(this.now);
  }

  /** What was told of losses: fast retransmissions, timeouts, recoveries for nothing. Probes are the test's own. */
  get events(): string[] {
    const names = this.notes.map(({ name }) => name.slice("recovery:".length));
    return names.filter((name) => name !== "tail-loss-probe");
  }

  decisionsNamed<N extends TcpDecision["name"]>(name: N): Extract<TcpDecision, { name: N }>[] {
    return this.decisions.filter((decision) => decision.name === name) as Extract<TcpDecision, { name: N }>[];
  }

  get window(): number {
    return Math.floor(this.congestion.congestionWindow / mss);
  }
}
