/** What a connection and its subflows say of themselves at one moment. */

import type { FallbackReason } from "../events.ts";
import type { TcpState } from "../tcp/tcp-state.ts";
import type { Connection } from "./connection.ts";
import type { Subflow } from "./subflow.ts";

/** A plain snapshot of one subflow. Bytes, unless the name says otherwise. */
export interface SubflowInfo {
  id: number;
  localAddress: string;
  localPort: number;
  remoteAddress: string;
  remotePort: number;
  interfaceName: string;
  state: TcpState;
  backup: boolean;
  /** Potentially failed: retransmission timeouts without an answer; carries no new data while others live. */
  stale: boolean;
  congestionWindow: number;
  /** `Infinity` before the first loss. */
  slowStartThreshold: number;
  smoothedRttMicroseconds: number;
  rttVarMicroseconds: number;
  bytesInFlight: number;
  bytesAcked: number;
  bytesReceived: number;
  /** Segments sent again on this subflow. */
  retransmissions: number;
  /** Times that data of another subflow was sent on this one. */
  reinjections: number;
  rtoCount: number;
}

/** A plain snapshot of a connection; byte counts are of the data level (RFC 8684 §3.3). */
export interface ConnectionInfo {
  id: number;
  mptcp: boolean;
  fallbackReason: FallbackReason | undefined;
  bytesSent: number;
  bytesReceived: number;
  bytesAcked: number;
  /** Out-of-order bytes that wait for earlier ones. */
  reassemblyQueueBytes: number;
  /** Received in order, not yet read by the application. */
  receiveQueueBytes: number;
  /** What the peer's window still allows, counted from its last DATA_ACK. */
  sendWindow: number;
  receiveWindow: number;
  subflows: SubflowInfo[];
}

export function subflowInfo(subflow: Subflow): SubflowInfo {
  const { endpoint, congestion } = subflow;
  const { sender, receiver } = endpoint;
  return {
    id: subflow.id,
    ...subflow.addresses,
    state: endpoint.state,
    backup: subflow.backup,
    stale: subflow.stale,
    congestionWindow: Math.floor(congestion.congestionWindow),
    slowStartThreshold: congestion.slowStartThreshold,
    smoothedRttMicroseconds: sender.rtt.smoothed,
    rttVarMicroseconds: sender.rtt.variation,
    bytesInFlight: sender.bytesInFlight,
    bytesAcked: sender.bytesAcked,
    bytesReceived: receiver.bytesReceived,
    retransmissions: sender.retransmissions,
    reinjections: subflow.reinjections,
    rtoCount: sender.rtoCount,
  };
}

export function connectionInfo(connection: Connection): ConnectionInfo {
  const { dataSender, reassembly, plain, subflows } = connection;
  return {
    id: connection.id,
    mptcp: !plain,
    fallbackReason: connection.fallback.reason,
    bytesSent: dataSender.next,
    bytesReceived: reassembly.receivedInOrder,
    bytesAcked: Math.min(dataSender.unacknowledged, connection.sendBuffer.end),
    reassemblyQueueBytes: reassembly.outOfOrderBytes,
    receiveQueueBytes: reassembly.readableBytes,
    sendWindow: plain
      ? subflows.reduce((sum, { endpoint: { sender } }) => sum + Math.max(0, sender.windowEdge - sender.next), 0)
      : Math.max(0, dataSender.windowEdge - dataSender.next),
    receiveWindow: reassembly.window,
    subflows: subflows.map((subflow) => subflow.info),
  };
}
