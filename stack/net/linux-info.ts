/** `socket.info()`: what the stack says of a connection, and beside it what a program that knows Linux's MPTCP_INFO and TCP_INFO looks for. */

import type { Connection } from "../host.ts";
import type { ConnectionInfo, SubflowInfo } from "../mptcp/connection-info.ts";
import { type MptcpInfo, mptcpInfo } from "../mptcp/mptcp-info.ts";
import type { TcpInfo } from "../tcp/tcp-info.ts";

export type SocketSubflowInfo = SubflowInfo & TcpInfo;

/** Milliseconds since; not there before the first time. */
interface MptcpTimes {
  mptcpi_last_data_sent?: number;
  mptcpi_last_data_recv?: number;
  mptcpi_last_ack_recv?: number;
}

/** The fields of MPTCP_INFO are not there when the connection has been plain TCP from the start. */
export type SocketInfo = Omit<ConnectionInfo, "subflows"> &
  Partial<MptcpInfo> &
  MptcpTimes & { subflows: SocketSubflowInfo[] };

/** `now`: of the host's clock, microseconds. */
export function linuxInfo(connection: Connection, now: number): SocketInfo {
  const subflows = connection.subflows.map((subflow) => ({ ...subflow.info, ...subflow.endpoint.info(now) }));
  const mptcp = mptcpInfo(connection);
  return { ...connection.info(), ...mptcp, ...(mptcp !== undefined && latest(subflows)), subflows };
}

/** Of the subflows that are left, that which happened last: milliseconds since. */
function latest(subflows: readonly TcpInfo[]): MptcpTimes {
  const least = (field: "tcpi_last_data_sent" | "tcpi_last_data_recv" | "tcpi_last_ack_recv"): number =>
    Math.min(...subflows.map((subflow) => subflow[field] ?? Number.POSITIVE_INFINITY));
  const times = {
    mptcpi_last_data_sent: least("tcpi_last_data_sent"),
    mptcpi_last_data_recv: least("tcpi_last_data_recv"),
    mptcpi_last_ack_recv: least("tcpi_last_ack_recv"),
  };
  return Object.fromEntries(Object.entries(times).filter(([, milliseconds]) => Number.isFinite(milliseconds)));
}
