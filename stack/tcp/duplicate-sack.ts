/** The first SACK block when it reports what had come before (RFC 2883 §4): something was sent, or delivered, twice. */

import { type SequenceNumber, sequenceNumber, unwrapSequence } from "../wire/sequence.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";

export class DuplicateSack {
  present = false;
  start = 0;
  end = 0;

  get length(): number {
    return this.end - this.start;
  }

  read(segment: TcpSegment, acknowledged: number, initialSequence: SequenceNumber): void {
    this.present = false;
    if (segment.sackCount === 0) return;
    const { sackEdges, sackCount } = segment;
    const start = unwrapSequence(sequenceNumber(sackEdges[0]!), initialSequence, acknowledged);
    const end = unwrapSequence(sequenceNumber(sackEdges[1]!), initialSequence, acknowledged);
    if (start >= end || start < 1) return;
    const insideSecond =
      sackCount > 1 &&
      unwrapSequence(sequenceNumber(sackEdges[2]!), initialSequence, acknowledged) <= start &&
      end <= unwrapSequence(sequenceNumber(sackEdges[3]!), initialSequence, acknowledged);
    if (end > acknowledged && !insideSecond) return;
    this.present = true;
    this.start = start;
    this.end = end;
  }
}
