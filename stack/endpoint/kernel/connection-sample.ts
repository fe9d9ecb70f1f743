import type { ConnectionMetrics, SubflowMetrics } from "../protocol.ts";
import type { MptcpSocketLine, SocketLine, TcpSocketLine } from "./socket-statistics.ts";

/** What the application knows of its socket. */
export interface ApplicationSocket {
  /** `10.0.1.2:40000`, `[fd00::1]:40000` */
  readonly local: string;
  readonly remote: string;
  readonly bytesWritten: number;
  readonly bytesRead: number;
}

export interface ConnectionSample {
  readonly connection: ConnectionMetrics;
  readonly subflows: readonly SubflowMetrics[];
}

/**
 * Finds the application's socket among the namespace's: an MPTCP socket of the same addresses with the subflows of its token, or else a TCP
 * socket, which then is its own only subflow. Undefined when the kernel no longer shows either. `interfaceOf` names the interface of an address.
 */
export function connectionSample(
  socket: ApplicationSocket,
  lines: readonly SocketLine[],
  interfaceOf: (address: string) => string | undefined,
): ConnectionSample | undefined {
  const same = (line: SocketLine): boolean => line.local === socket.local && line.remote === socket.remote;
  const meta = lines.find((line): line is MptcpSocketLine => line.protocol === "mptcp" && same(line));
  const tcp = lines.filter((line): line is TcpSocketLine => line.protocol === "tcp");
  const subflows =
    meta?.token === undefined ? tcp.filter(same) : tcp.filter((line) => line.subflow?.localToken === meta.token);
  if (meta === undefined && subflows.length === 0) return undefined;
  return {
    connection: {
      id: `${socket.local}-${socket.remote}`,
      mptcp: meta !== undefined && !meta.fallback,
      ...(meta?.fallback && { fallback: "reported by the kernel" }),
      bytesSent: socket.bytesWritten,
      bytesReceived: socket.bytesRead,
    },
    subflows: subflows.map((line) => subflowMetrics(line, interfaceOf)),
  };
}

function subflowMetrics(line: TcpSocketLine, interfaceOf: (address: string) => string | undefined): SubflowMetrics {
  const { protocol: _, local, remote, device, subflow, ...measured } = line;
  const name = device ?? interfaceOf(local.slice(0, local.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1"));
  return {
    id: `${local}-${remote}`,
    ...(name !== undefined && { interface: name }),
    backup: subflow?.backup ?? false,
    ...measured,
  };
}
