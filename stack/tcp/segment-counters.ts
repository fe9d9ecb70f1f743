/** How many segments and bytes have gone and come over one TCP connection, and when the last did: what Linux has as tcpi_segs_out and its kin. */

import { tcpFlag, type TcpSegment } from "../wire/tcp-segment.ts";

/** Before anything has happened. */
const never = Number.NEGATIVE_INFINITY;

export class SegmentCounters {
  /** As they are on the wire: what a device cuts or puts together counts for its parts. */
  sent = 0;
  received = 0;
  sentWithData = 0;
  receivedWithData = 0;
  /** Of payload, each time that it is sent. */
  bytesSent = 0;
  bytesRetransmitted = 0;
  /** Microseconds; `-Infinity`: not yet. */
  dataSentAt: number = never;
  dataReceivedAt: number = never;
  acknowledgementReceivedAt: number = never;

  noteSent(): void {
    this.sent++;
  }

  /** `bytes` of payload in segments of `size`. */
  noteDataSent(bytes: number, size: number, again: boolean, now: number): void {
    const segments = bytes > size ? Math.ceil(bytes / size) : 1;
    this.sent += segments;
    this.sentWithData += segments;
    this.bytesSent += bytes;
    if (again) this.bytesRetransmitted += bytes;
    this.dataSentAt = now;
  }

  /** `size`: what a segment of the peer carries at most. */
  noteReceived(segment: TcpSegment, size: number, now: number): void {
    const { payloadLength } = segment;
    const segments = payloadLength > size ? Math.ceil(payloadLength / size) : 1;
    this.received += segments;
    if (payloadLength > 0) {
      this.receivedWithData += segments;
      this.dataReceivedAt = now;
    }
    if (segment.has(tcpFlag.ack)) this.acknowledgementReceivedAt = now;
  }
}
