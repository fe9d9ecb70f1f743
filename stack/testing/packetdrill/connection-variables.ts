/** What `%{ }%` may ask of a connection: fields of TCP_INFO and MPTCP_INFO that the host's own information has, under the kernel's names. */

import type { Connection } from "../../host.ts";
import type { TcpState } from "../../tcp/tcp-state.ts";

/** The kernel's numbers of states. */
const states: Readonly<Record<TcpState, number>> = {
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
export const stateNumbers: Readonly<Record<string, number>> = {
  TCP_ESTABLISHED: 1,
  TCP_SYN_SENT: 2,
  TCP_SYN_RECV: 3,
  TCP_FIN_WAIT1: 4,
  TCP_FIN_WAIT2: 5,
  TCP_TIME_WAIT: 6,
  TCP_CLOSE: 7,
  TCP_CLOSE_WAIT: 8,
  TCP_LAST_ACK: 9,
  TCP_CLOSING: 11,
};

/** MPTCP_INFO's flag that the connection has fallen back. */
const fallbackFlag = 1;
/** What the kernel shows for a slow start threshold that was never set. */
const infiniteThreshold = 0x7fff_ffff;

/** undefined: the host does not tell. TCP fields are those of the first subflow. */
export function connectionVariable(connection: Connection, name: string): number | undefined {
  if (Object.hasOwn(stateNumbers, name)) return stateNumbers[name];
  const info = connection.info();
  const [subflow] = info.subflows;
  switch (name) {
    case "mptcpi_subflows":
      return info.mptcp ? Math.max(0, info.subflows.length - 1) : 0;
    case "mptcpi_flags":
      return info.mptcp ? 0 : fallbackFlag;
    case "mptcpi_bytes_acked":
      return info.bytesAcked;
    case "mptcpi_bytes_received":
      return info.bytesReceived;
    case "tcpi_state":
      return subflow === undefined ? states.closed : states[subflow.state];
    default:
  }
  const segmentSize = connection.subflows[0]?.endpoint.segmentSize;
  if (subflow === undefined || segmentSize === undefined) return undefined;
  switch (name) {
    case "tcpi_snd_cwnd":
      return Math.floor(subflow.congestionWindow / segmentSize);
    case "tcpi_snd_ssthresh":
      return Number.isFinite(subflow.slowStartThreshold)
        ? Math.floor(subflow.slowStartThreshold / segmentSize)
        : infiniteThreshold;
    case "tcpi_snd_mss":
      return segmentSize;
    case "tcpi_rtt":
      return Math.round(subflow.smoothedRttMicroseconds);
    case "tcpi_rttvar":
      return Math.round(subflow.rttVarMicroseconds);
    case "tcpi_total_retrans":
      return subflow.retransmissions;
    case "tcpi_bytes_acked":
      return subflow.bytesAcked;
    case "tcpi_bytes_received":
      return subflow.bytesReceived;
    default:
      return undefined;
  }
}
