/** Which subflows a connection should have (RFC 8684 §2.2, §3.4): one instance a connection, which tells it of changes and is told what to do. */

import type { SubflowCloseReason } from "../events.ts";
import type { IpAddress } from "../wire/ip-address.ts";

export interface LocalPathAddress {
  readonly addressId: number;
  readonly address: IpAddress;
  readonly up: boolean;
}

export interface RemotePathAddress {
  /** 0: the address of the initial subflow. */
  readonly addressId: number;
  readonly address: IpAddress;
  readonly port: number;
}

/** The connection as a path manager sees it. */
export interface ManagedConnection {
  readonly initiator: boolean;
  readonly localAddresses: readonly LocalPathAddress[];
  /** Addresses to which joins are welcome. */
  readonly remoteAddresses: readonly RemotePathAddress[];
  /** The local address of the initial subflow, which the peer knows as id 0. */
  readonly initialLocalAddress: IpAddress;
  /** Packets from `local` to `remote` have a next hop: without one a subflow would wait for an answer to what was never sent. */
  hasRoute(local: LocalPathAddress, remote: IpAddress): boolean;
  hasSubflow(local: IpAddress, remote: RemotePathAddress): boolean;
  createSubflow(local: LocalPathAddress, remote: RemotePathAddress, now: number): void;
  /** ADD_ADDR, until it is echoed. */
  advertiseAddress(local: LocalPathAddress, now: number): void;
  noteRetry(local: IpAddress, remote: IpAddress, delayMicroseconds: number, now: number): void;
}

export interface PathManager {
  readonly name: string;
  /** When `update` is due although nothing changes; `Infinity` for never. */
  readonly nextTimeout: number;
  /** The connection is established, an address came or went, or the time has come. */
  update(connection: ManagedConnection, now: number): void;
  onSubflowEstablished(local: IpAddress, remote: IpAddress, now: number): void;
  /** `permanent`: MPTCP does not get through there (RFC 8684 §3.6). */
  onSubflowClosed(
    connection: ManagedConnection,
    local: IpAddress,
    remote: IpAddress,
    reason: SubflowCloseReason,
    permanent: boolean,
    now: number,
  ): void;
}
