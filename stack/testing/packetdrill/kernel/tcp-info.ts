/** What `%{ }%` may ask of a kernel's socket: TCP_INFO and MPTCP_INFO (linux/tcp.h, linux/mptcp.h), native byte order of the machine. */

/** Offsets of 32-bit fields of struct tcp_info. */
const tcpFields: Readonly<Record<string, number>> = {
  tcpi_rto: 8,
  tcpi_ato: 12,
  tcpi_snd_mss: 16,
  tcpi_rcv_mss: 20,
  tcpi_unacked: 24,
  tcpi_sacked: 28,
  tcpi_lost: 32,
  tcpi_retrans: 36,
  tcpi_fackets: 40,
  tcpi_pmtu: 60,
  tcpi_rcv_ssthresh: 64,
  tcpi_rtt: 68,
  tcpi_rttvar: 72,
  tcpi_snd_ssthresh: 76,
  tcpi_snd_cwnd: 80,
  tcpi_advmss: 84,
  tcpi_reordering: 88,
  tcpi_rcv_rtt: 92,
  tcpi_rcv_space: 96,
  tcpi_total_retrans: 100,
};
/** Offsets of 64-bit fields. */
const tcpWideFields: Readonly<Record<string, number>> = { tcpi_bytes_acked: 120, tcpi_bytes_received: 128 };
const tcpOctets: Readonly<Record<string, number>> = { tcpi_state: 0, tcpi_ca_state: 1, tcpi_retransmits: 2 };
const mptcpOctets: Readonly<Record<string, number>> = {
  mptcpi_subflows: 0,
  mptcpi_add_addr_signal: 1,
  mptcpi_add_addr_accepted: 2,
  mptcpi_subflows_max: 3,
};
const mptcpFields: Readonly<Record<string, number>> = { mptcpi_flags: 8, mptcpi_token: 12 };
const mptcpWideFields: Readonly<Record<string, number>> = {
  mptcpi_write_seq: 16,
  mptcpi_snd_una: 24,
  mptcpi_rcv_nxt: 32,
  mptcpi_bytes_sent: 56,
  mptcpi_bytes_received: 64,
  mptcpi_bytes_acked: 72,
};
/** The kernel's flags beside that of fallback: what was ever received is no state of the connection. */
const fallbackFlag = 1;

/** undefined: this kernel does not tell. */
export function kernelVariable(name: string, tcp: Buffer, mptcp: Buffer): number | undefined {
  if (name === "mptcpi_flags") return mptcp.length < 12 ? fallbackFlag : mptcp.readUInt32LE(8) & fallbackFlag;
  // A connection that has fallen back has no MPTCP_INFO: it has one path, and TCP counts its bytes.
  if (name === "mptcpi_subflows" && mptcp.length === 0) return 0;
  return (
    field(tcp, tcpOctets[name], 1) ??
    field(tcp, tcpFields[name], 4) ??
    field(tcp, tcpWideFields[name], 8) ??
    field(mptcp, mptcpOctets[name], 1) ??
    field(mptcp, mptcpFields[name], 4) ??
    field(mptcp, mptcpWideFields[name], 8)
  );
}

function field(bytes: Buffer, offset: number | undefined, octets: 1 | 4 | 8): number | undefined {
  if (offset === undefined || offset + octets > bytes.length) return undefined;
  if (octets === 8) return Number(bytes.readBigUInt64LE(offset));
  return octets === 4 ? bytes.readUInt32LE(offset) : bytes.readUInt8(offset);
}
