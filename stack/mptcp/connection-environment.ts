/** What a connection needs of its host. */

import type { EventRecorder, Tracer } from "../events.ts";
import type { HostTcp } from "../tcp/host-tcp.ts";
import type { TcpOptions } from "../tcp/tcp-options.ts";
import type { IpAddress } from "../wire/ip-address.ts";
import type { Connection } from "./connection.ts";
import type { GatherMemory } from "./gather-memory.ts";
import type { MultipathPolicy } from "./multipath-policy.ts";
import type { MultipathMechanisms } from "./multipath-mechanisms.ts";
import type { SlabPool } from "./slab-pool.ts";
import type { Subflow } from "./subflow.ts";

/** One address of one interface of the host. */
export interface LocalAddress {
  /** Unique on the host, 1 … 255; a connection calls the address of its initial subflow 0 (RFC 8684 §3.2). */
  readonly addressId: number;
  readonly address: IpAddress;
  /** Advertised with the address; 0: none. */
  readonly port: number;
  readonly interfaceIndex: number;
  readonly interfaceName: string;
  /** MTU minus IP and TCP headers. */
  readonly maximumSegmentSize: number;
  readonly gso: boolean;
  readonly backup: boolean;
  readonly up: boolean;
}

export interface ConnectionEnvironment {
  readonly localAddresses: readonly LocalAddress[];
  readonly sendBufferBytes: number;
  /** Of them, those that have not been sent; Infinity: as many. */
  readonly notSentLowatBytes: number;
  readonly receiveBufferBytes: number;
  /** The receive window begins small and grows up to that (receive-autotuning.ts). */
  readonly autotune: boolean;
  readonly dssChecksum: boolean;
  readonly policy: MultipathPolicy;
  readonly mechanisms: MultipathMechanisms;
  readonly tcp: TcpOptions;
  readonly hostTcp: HostTcp;
  /** Of small writes, and of received bytes. */
  readonly gather: GatherMemory;
  readonly slabs: SlabPool;
  readonly record: EventRecorder;
  readonly trace: Tracer;
  random(): number;
  /** A packet from `local` to `remote` has a next hop. */
  hasRoute(local: LocalAddress, remote: IpAddress): boolean;
  /** Frames for the subflow's addresses and ports go to it from now on. */
  attach(subflow: Subflow): void;
  detach(subflow: Subflow): void;
  /** A local port that is free towards the remote address and port. Throws when there is none. */
  allocatePort(local: IpAddress, remote: IpAddress, remotePort: number): number;
  /** Joins that name `token` come to the connection. False: the token is in use. */
  registerToken(token: number, connection: Connection): boolean;
  unregisterToken(token: number): void;
  /** The connection has something to tell its observer. */
  notify(connection: Connection): void;
  /** The connection has something to send, or its timers have changed. */
  wake(connection: Connection): void;
}
