/** `socket.info()`: what the stack says of a connection, and beside it what a program that knows Linux's MPTCP_INFO and TCP_INFO looks for. */

import type { Connection } from "../host.ts";
import type { ConnectionInfo, SubflowInfo } from "../mptcp/connection-info.ts";
import { type MptcpInfo, mptcpInfo } from "../mptcp/mptcp-info.ts";
import type { TcpInfo } from "../tcp/tcp-info.ts";

export type SocketSubflowInfo = SubflowInfo & TcpInfo;

/** The fields of MPTCP_INFO are not there when the connection has been plain TCP from the start. */
export type SocketInfo = Omit<ConnectionInfo, "subflows"> & Partial<MptcpInfo> & { subflows: SocketSubflowInfo[] };

export function linuxInfo(connection: Connection): SocketInfo {
  return {
    ...connection.info(),
    ...mptcpInfo(connection),
    subflows: connection.subflows.map((subflow) => ({ ...subflow.info, ...subflow.endpoint.info })),
  };
}
