import type { FallbackReason } from "../events.ts";
import type { TcpState } from "../tcp/tcp-state.ts";

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
