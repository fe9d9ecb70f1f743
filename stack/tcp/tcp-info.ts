/** State of one TCP connection with the names, units and codes of Linux's TCP_INFO (struct tcp_info of linux/tcp.h); what we do not have is not there. */

import { isIpv6 } from "../wire/ip-address.ts";
import type { TransmissionControlBlock } from "./tcb.ts";
import type { TcpState } from "./tcp-state.ts";

export interface TcpInfo {
  /** TCP_ESTABLISHED 1, SYN_SENT 2, SYN_RECV 3, FIN_WAIT1 4, FIN_WAIT2 5, TIME_WAIT 6, CLOSE 7, CLOSE_WAIT 8, LAST_ACK 9, CLOSING 11. */
  tcpi_state: number;
  /** TCP_CA_Open 0, Disorder 1, CWR 2, Recovery 3, Loss 4. */
  tcpi_ca_state: number;
  /** Retransmission timeouts in a row. */
  tcpi_retransmits: number;
  tcpi_backoff: number;
  /** TCPI_OPT_TIMESTAMPS 1, SACK 2, WSCALE 4, ECN 8. */
  tcpi_options: number;
  /** By how many bits the windows are shifted that the peer tells, and those that we tell. */
  tcpi_snd_wscale: number;
  tcpi_rcv_wscale: number;
  /** Microseconds. */
  tcpi_rto: number;
  /** Bytes of payload. */
  tcpi_snd_mss: number;
  tcpi_advmss: number;
  /** Bytes of IP packet. */
  tcpi_pmtu: number;
  /** Segments: bytes by `tcpi_snd_mss`, rounded up. */
  tcpi_unacked: number;
  tcpi_sacked: number;
  tcpi_lost: number;
  /** Microseconds. */
  tcpi_rtt: number;
  tcpi_rttvar: number;
  /** Microseconds, of the receiver's own measurement; 0: none. */
  tcpi_rcv_rtt: number;
  /** Microseconds; not there before the first measurement. */
  tcpi_min_rtt?: number;
  /** Segments; 2147483647 before the first loss. */
  tcpi_snd_ssthresh: number;
  /** Segments. */
  tcpi_snd_cwnd: number;
  /** Segments sent again. */
  tcpi_total_retrans: number;
  /** Segments that the peer has, acknowledged in order or selectively; those that it has told to have had twice (RFC 2883). */
  tcpi_delivered: number;
  tcpi_dsack_dups: number;
  /** How often something arrived after what was sent later. */
  tcpi_reord_seen: number;
  /** Bytes a second; not there while nothing is paced. */
  tcpi_pacing_rate?: number;
  tcpi_bytes_acked: number;
  tcpi_bytes_received: number;
  /** Segments, as on the wire; those with payload; bytes of payload as often as sent, and those sent again. */
  tcpi_segs_out: number;
  tcpi_segs_in: number;
  tcpi_data_segs_out: number;
  tcpi_data_segs_in: number;
  tcpi_bytes_sent: number;
  tcpi_bytes_retrans: number;
  /** Milliseconds since; not there before the first time. */
  tcpi_last_data_sent?: number;
  tcpi_last_data_recv?: number;
  tcpi_last_ack_recv?: number;
  /** Retransmission timeouts in all. */
  tcpi_total_rto: number;
  /** Bytes: the peer's window, after scaling. */
  tcpi_snd_wnd: number;
  /** Bytes that the peer may still send, by what we have told. */
  tcpi_rcv_wnd: number;
}

const stateCodes: Readonly<Record<TcpState, number>> = {
  established: 1,
  "syn-sent": 2,
  "syn-received": 3,
  "fin-wait-1": 4,
  "fin-wait-2": 5,
  "time-wait": 6,
  closed: 7,
  "close-wait": 8,
  "last-ack": 9,
  closing: 11,
};

const option = { timestamps: 1, sack: 2, windowScale: 4, ecn: 8 } as const;
const infiniteThreshold = 0x7fff_ffff;
const tcpHeader = 20;

export function tcpInfo(tcb: TransmissionControlBlock, now: number): TcpInfo {
  const { sender, receiver, handshake, transmitter, timestamps, congestion } = tcb;
  const { rtt, pacer } = sender;
  const { counters } = transmitter;
  const segmentSize = transmitter.fullSegmentSize;
  const segments = (bytes: number): number => Math.ceil(bytes / segmentSize);
  const { slowStartThreshold, congestionWindow } = sender.congestion;
  const pathSegmentSize = Math.min(handshake.ownSegmentSize, transmitter.pathMtu.segmentSize);
  const bytesPerSecond = Math.round(pacer.rate * 1e6);
  return {
    tcpi_state: stateCodes[tcb.state],
    tcpi_ca_state: congestionState(sender),
    tcpi_retransmits: sender.consecutiveTimeouts,
    tcpi_backoff: rtt.backoff,
    tcpi_options:
      (timestamps.enabled ? option.timestamps : 0) |
      (sender.sackPermitted ? option.sack : 0) |
      (handshake.scaling ? option.windowScale : 0) |
      (congestion.enabled ? option.ecn : 0),
    tcpi_snd_wscale: handshake.peerScale,
    tcpi_rcv_wscale: handshake.ownScale,
    tcpi_rto: Math.round(sender.timeout),
    tcpi_snd_mss: segmentSize,
    tcpi_advmss: handshake.ownSegmentSize,
    tcpi_pmtu: pathSegmentSize + tcpHeader + (isIpv6(tcb.flow.remoteAddress) ? 40 : 20),
    tcpi_unacked: segments(sender.outstanding),
    tcpi_sacked: segments(sender.sackedBytes),
    tcpi_lost: segments(sender.lostBytes),
    tcpi_rtt: Math.round(rtt.smoothed),
    tcpi_rttvar: Math.round(rtt.variation),
    tcpi_rcv_rtt: Math.round(timestamps.receiverRoundTrip),
    ...(Number.isFinite(rtt.minimum) && { tcpi_min_rtt: Math.round(rtt.minimum) }),
    tcpi_snd_ssthresh: Number.isFinite(slowStartThreshold)
      ? Math.floor(slowStartThreshold / segmentSize)
      : infiniteThreshold,
    tcpi_snd_cwnd: Math.floor(congestionWindow / segmentSize),
    tcpi_total_retrans: sender.retransmissions,
    tcpi_delivered: segments(sender.bytesAcked + sender.sackedBytes),
    tcpi_dsack_dups: segments(sender.rack.bytesReportedTwice),
    tcpi_reord_seen: sender.rack.reorderings,
    ...(pacer.enabled && Number.isFinite(bytesPerSecond) && { tcpi_pacing_rate: bytesPerSecond }),
    tcpi_bytes_acked: sender.bytesAcked,
    tcpi_bytes_received: receiver.bytesReceived,
    tcpi_segs_out: counters.sent,
    tcpi_segs_in: counters.received,
    tcpi_data_segs_out: counters.sentWithData,
    tcpi_data_segs_in: counters.receivedWithData,
    tcpi_bytes_sent: counters.bytesSent,
    tcpi_bytes_retrans: counters.bytesRetransmitted,
    ...since("tcpi_last_data_sent", counters.dataSentAt, now),
    ...since("tcpi_last_data_recv", counters.dataReceivedAt, now),
    ...since("tcpi_last_ack_recv", counters.acknowledgementReceivedAt, now),
    tcpi_total_rto: sender.rtoCount,
    tcpi_snd_wnd: Math.max(0, sender.windowEdge - sender.unacknowledged),
    tcpi_rcv_wnd: Math.max(0, transmitter.advertisedEdge - receiver.next),
  };
}

type Moment = "tcpi_last_data_sent" | "tcpi_last_data_recv" | "tcpi_last_ack_recv";

function since(field: Moment, time: number, now: number): Pick<TcpInfo, Moment> {
  return Number.isFinite(time) ? { [field]: Math.floor((now - time) / 1_000) } : {};
}

function congestionState(sender: TransmissionControlBlock["sender"]): number {
  if (sender.recoveryPhase === "loss") return 4;
  if (sender.recoveryPhase === "recovery") return 3;
  if (sender.hasReduced) return 2;
  return sender.sackedBytes > 0 ? 1 : 0;
}
