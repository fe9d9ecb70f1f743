import type { ConnectionInfo, SubflowInfo } from "../../mptcp/connection-info.ts";
import type { ConnectionMetrics, SubflowMetrics } from "../protocol.ts";
import { formatEndpoint } from "../../wire/ip-address.ts";

/** A snapshot of our stack's connection as it is recorded. */
export function connectionMetrics(info: ConnectionInfo): ConnectionMetrics {
  return {
    id: String(info.id),
    mptcp: info.mptcp,
    ...(info.fallbackReason !== undefined && { fallback: info.fallbackReason }),
    bytesSent: info.bytesSent,
    bytesReceived: info.bytesReceived,
    reassemblyQueueBytes: info.reassemblyQueueBytes,
    sendWindowBytes: info.sendWindow,
    receiveWindowBytes: info.receiveWindow,
  };
}

export function subflowMetrics(info: SubflowInfo): SubflowMetrics {
  return {
    id: `${formatEndpoint(info.localAddress, info.localPort)}-${formatEndpoint(info.remoteAddress, info.remotePort)}`,
    interface: info.interfaceName,
    state: info.state,
    backup: info.backup,
    stale: info.stale,
    congestionWindowBytes: Math.round(info.congestionWindow),
    // JSON has no infinity, and neither has a plot.
    ...(Number.isFinite(info.slowStartThreshold) && { slowStartThresholdBytes: Math.round(info.slowStartThreshold) }),
    smoothedRttMicroseconds: Math.round(info.smoothedRttMicroseconds),
    bytesInFlight: info.bytesInFlight,
    bytesAcked: info.bytesAcked,
    bytesReceived: info.bytesReceived,
    retransmissions: info.retransmissions,
    reinjections: info.reinjections,
  };
}
