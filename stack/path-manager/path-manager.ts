/**
 * Which subflows a connection should have (RFC 8684 §2.2, §3.4). A path manager says what it wants, again and again; the connection opens what is missing, keeps to
 * limits and back-off, and asks again whenever something has changed. One instance a connection.
 */

import type { IpAddress } from "../wire/ip-address.ts";

export interface LocalPathAddress {
  readonly addressId: number;
  readonly address: IpAddress;
  readonly interfaceName: string;
  /** Of an interface that is to be used only when no other can be (RFC 8684 §3.3.8). */
  readonly backup: boolean;
  readonly up: boolean;
}

export interface RemotePathAddress {
  /** 0: the address of the initial subflow. */
  readonly addressId: number;
  readonly address: IpAddress;
  readonly port: number;
}

/** A subflow that has not ended. */
export interface ManagedSubflow {
  readonly id: number;
  readonly localAddress: IpAddress;
  readonly remoteAddress: IpAddress;
  /** Data may be sent on it. */
  readonly usable: boolean;
  readonly backup: boolean;
  /** Potentially failed (RFC 8684 §3.3.6): it was silent while another lived. */
  readonly stale: boolean;
  /** Timeouts since the peer last acknowledged anything on it. */
  readonly consecutiveTimeouts: number;
  /** When something last came over it, or its handshake began, in microseconds. */
  readonly heardAt: number;
}

/** What became of a wish for a subflow. `exists`: there are as many between the two as were asked for. */
export type SubflowDecision = "opened" | "exists" | "interface-down" | "no-route" | "back-off" | "limit";

export interface SubflowWish {
  /** The peer shall use it only when it has no other (flag B of MP_JOIN, RFC 8684 §3.2). Default false. */
  readonly backup?: boolean;
  /** Subflows between the two addresses, each from a port of its own. Default 1. */
  readonly count?: number;
}

/** The connection as a path manager sees it. */
export interface ManagedConnection {
  /** We opened the connection: a listener seldom reaches its peer with a subflow of its own (NAT). */
  readonly initiator: boolean;
  readonly localAddresses: readonly LocalPathAddress[];
  /** Addresses to which joins are welcome. */
  readonly remoteAddresses: readonly RemotePathAddress[];
  /** The addresses of the initial subflow, which both sides know as id 0. */
  readonly initialLocalAddress: IpAddress;
  readonly initialRemoteAddress: IpAddress;
  readonly subflows: readonly ManagedSubflow[];
  /** Opens a subflow from `local` to `remote`, unless something speaks against it. After a back-off `update` is called again. */
  openSubflow(local: LocalPathAddress, remote: RemotePathAddress, now: number, wish?: SubflowWish): SubflowDecision;
  /** `openSubflow` would open one. */
  canOpen(local: LocalPathAddress, remote: RemotePathAddress, now: number): boolean;
  /** Ends the subflow; what it holds goes to others. `timeout`: it has been given up as silent. */
  closeSubflow(subflow: ManagedSubflow, reason: "timeout" | "aborted", now: number): void;
  /** Asks the peer for a sign of life on the subflow; three questions without an answer end it. */
  checkSubflow(subflow: ManagedSubflow, now: number): void;
  /** MP_PRIO (RFC 8684 §3.3.8). */
  setBackup(subflow: ManagedSubflow, backup: boolean, now: number): void;
  /** ADD_ADDR, until it is echoed (RFC 8684 §3.4.1); once for each address. */
  advertiseAddress(local: LocalPathAddress, now: number): void;
}

export interface PathManager {
  readonly name: string;
  /**
   * Called when subflows may be added (RFC 8684 §3.2), and from then on whenever an address has come or gone, a subflow has been established, has ended, has fallen
   * silent or is heard again. Returns when to be called again although nothing changes, in microseconds; undefined: never.
   */
  update(connection: ManagedConnection, now: number): number | undefined;
}

/** ADD_ADDR for every address but that of the initial subflow, which the peer knows. */
export function advertiseFurtherAddresses(connection: ManagedConnection, now: number): void {
  for (const local of connection.localAddresses)
    if (local.up && local.address !== connection.initialLocalAddress) connection.advertiseAddress(local, now);
}
