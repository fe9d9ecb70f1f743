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
    const edge = (i: number): number =>
      unwrapSequence(sequenceNumber(segment.sackEdges[i]!), initialSequence, acknowledged);
    const start = edge(0);
    const end = edge(1);
    if (start >= end || start < 1) return;
    const insideSecond = segment.sackCount > 1 && edge(2) <= start && end <= edge(3);
    if (end > acknowledged && !insideSecond) return;
    this.present = true;
    this.start = start;
    this.end = end;
  }
}
