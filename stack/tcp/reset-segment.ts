import { sequenceNumber } from "../wire/sequence.ts";
import { tcpFlag, TcpSegment } from "../wire/tcp-segment.ts";

/** The RST that answers a segment of no connection (RFC 9293 §3.10.7.1). */
export function resetFor(received: TcpSegment): TcpSegment {
  const reply = new TcpSegment();
  reply.source = received.destination;
  reply.destination = received.source;
  reply.sourcePort = received.destinationPort;
  reply.destinationPort = received.sourcePort;
  if (received.has(tcpFlag.ack)) {
    reply.sequence = received.acknowledgement;
    reply.flags = tcpFlag.rst;
  } else {
    reply.flags = tcpFlag.rst | tcpFlag.ack;
    reply.acknowledgement = sequenceNumber(received.sequence + received.sequenceLength);
  }
  return reply;
}
