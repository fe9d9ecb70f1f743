/** State of a connection with the names, units and codes of Linux's MPTCP_INFO (struct mptcp_info of linux/mptcp.h); what we do not have is not there. */

import type { Uint64 } from "../wire/sequence.ts";
import type { Connection } from "./connection.ts";

export interface MptcpInfo {
  /** Subflows beside the first one. */
  mptcpi_subflows: number;
  mptcpi_subflows_max: number;
  /** The first one among them. */
  mptcpi_subflows_total: number;
  /** Addresses that we have announced, and that we have taken from the peer (RFC 8684 §3.4.1). */
  mptcpi_add_addr_signal: number;
  mptcpi_add_addr_accepted: number;
  mptcpi_add_addr_accepted_max: number;
  /** MPTCP_INFO_FLAG_FALLBACK 1, MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED 2. */
  mptcpi_flags: number;
  /** Ours. */
  mptcpi_token: number;
  /** Data sequence numbers: of the next byte that the application writes; of the first that is not acknowledged. */
  mptcpi_write_seq: bigint;
  mptcpi_snd_una: bigint;
  /** Of the next byte that we wait for; not there before the peer's key is known. */
  mptcpi_rcv_nxt?: bigint;
  /** Local addresses with a subflow, beside that of the first one. */
  mptcpi_local_addr_used: number;
  /** Local addresses that could have one, beside that of the first one. */
  mptcpi_local_addr_max: number;
  /** 0 or 1. */
  mptcpi_csum_enabled: number;
  /** Bytes of the data level. */
  mptcpi_bytes_sent: number;
  mptcpi_bytes_received: number;
  mptcpi_bytes_acked: number;
  /** Of the data level: carried by another subflow already; what TCP sends again on the same one is not among them. */
  mptcpi_bytes_retrans: number;
  /** Timeouts of the data level (RFC 8684 §3.3.6) in a row, without a DATA_ACK between them. */
  mptcpi_retransmits: number;
}

const flag = { fallback: 1, remoteKeyReceived: 2 } as const;

/** undefined: the connection has been plain TCP from the start. */
export function mptcpInfo(connection: Connection): MptcpInfo | undefined {
  const { localKey, peerKey, sendBuffer, dataSender, reassembly, subflowSet, environment, paths } = connection;
  if (localKey === undefined) return undefined;
  const { policy } = environment;
  const live = connection.subflows.filter(({ endpoint }) => !endpoint.closed);
  const { address: initialAddress } = subflowSet.initial.local;
  const addresses = new Set(live.map(({ local }) => local.address));
  addresses.delete(initialAddress);
  return {
    mptcpi_subflows: live.filter(({ isJoin }) => isJoin).length,
    mptcpi_subflows_max: policy.maximumSubflows,
    mptcpi_subflows_total: live.length,
    mptcpi_add_addr_signal: paths.addresses.advertisedCount,
    mptcpi_add_addr_accepted: paths.addresses.acceptedCount,
    mptcpi_add_addr_accepted_max: policy.maximumAddressesAccepted,
    mptcpi_flags: (connection.plain ? flag.fallback : 0) | (peerKey === undefined ? 0 : flag.remoteKeyReceived),
    mptcpi_token: localKey.token,
    mptcpi_write_seq: sequenceAt(localKey.firstDataSequence, sendBuffer.end),
    mptcpi_snd_una: sequenceAt(localKey.firstDataSequence, dataSender.unacknowledged),
    ...(peerKey !== undefined && { mptcpi_rcv_nxt: sequenceAt(peerKey.firstDataSequence, reassembly.next) }),
    mptcpi_local_addr_used: addresses.size,
    mptcpi_local_addr_max: environment.localAddresses.filter(({ address }) => address !== initialAddress).length,
    mptcpi_csum_enabled: connection.checksumEnabled ? 1 : 0,
    mptcpi_bytes_sent: dataSender.next,
    mptcpi_bytes_received: reassembly.receivedInOrder,
    mptcpi_bytes_acked: Math.min(dataSender.unacknowledged, sendBuffer.end),
    mptcpi_bytes_retrans: dataSender.bytesRetransmitted,
    mptcpi_retransmits: dataSender.timeouts,
  };
}

function sequenceAt({ high, low }: Uint64, offset: number): bigint {
  return BigInt.asUintN(64, (BigInt(high) << 32n) + BigInt(low) + BigInt(offset));
}
