/** The subflows of a connection: how they come to be (RFC 8684 §3.1, §3.2), how many live, and what they are called on the wire. */

import type { RemotePathAddress } from "../path-manager/path-manager.ts";
import type { AcceptOptions } from "../tcp/opening.ts";
import { Agenda } from "../tcp/agenda.ts";
import { type IpAddress, keepAddress } from "../wire/ip-address.ts";
import { resetReason } from "../wire/mptcp-options.ts";
import type { TcpSegment } from "../wire/tcp-segment.ts";
import type { Connection } from "./connection.ts";
import type { LocalAddress } from "./connection-environment.ts";
import { Subflow, type SubflowRole } from "./subflow.ts";

/** One timeout may be spurious. */
const timeoutsToGiveWay = 2;

export interface OpenOptions {
  fastOpen?: boolean;
  /** Default: one by chance. */
  localPort?: number;
}

export class SubflowSet {
  readonly list: Subflow[] = [];
  /** Of all in the list, at their places there. */
  readonly agenda: Agenda = new Agenda();
  readonly #connection: Connection;
  /** How many have been established so far, and of how many it is known that the peer has had them established, too. */
  established = 0;
  confirmed = 0;
  #nextId = 0;
  #hasClosed = false;
  #initial: Subflow | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The subflow that opened the connection, even if it has ended since. */
  get initial(): Subflow {
    return this.#initial!;
  }

  /** The peer may know of the initial subflow alone, and fall back to its stream. */
  get peerMayFallBack(): boolean {
    return this.confirmed <= 1;
  }

  /** No data can have been sent elsewhere than on the initial subflow: there has been no other. */
  get hasBeenAlone(): boolean {
    return this.established <= 1;
  }

  /** Whether options pass is not known yet, and with a second subflow there is no fallback. */
  get awaitsMapping(): boolean {
    return this.hasBeenAlone && this.initial.held.first !== undefined;
  }

  /** Joins that are under way give way to that question; the path manager asks for them again. */
  withdrawJoins(now: number): void {
    if (!this.awaitsMapping) return;
    for (const { isJoin, endpoint } of this.list) if (isJoin) endpoint.abort("aborted", now);
  }

  get live(): number {
    let live = 0;
    for (const { endpoint } of this.list) if (!endpoint.closed) live++;
    return live;
  }

  /** One has been established and has not ended. */
  get hasEstablished(): boolean {
    return this.list.some(({ established, endpoint }) => established && !endpoint.closed);
  }

  get hasRoom(): boolean {
    return this.live <= this.#connection.environment.policy.maximumSubflows;
  }

  get hasSeveralUsable(): boolean {
    let hasOne = false;
    for (const { usable } of this.list) {
      if (usable && hasOne) return true;
      hasOne ||= usable;
    }
    return false;
  }

  /** When the first of them has something to do; `withHeld`: or gives up waiting for a mapping. */
  nextTimeout(withHeld: boolean): number {
    const { list, agenda } = this;
    let next = Number.POSITIVE_INFINITY;
    for (let place = 0; place < list.length; place++) {
      let due = agenda.timeoutAt(place);
      if (Number.isNaN(due)) due = list[place]!.endpoint.nextTimeout;
      next = Math.min(next, due, agenda.checkAt(place));
      if (withHeld) next = Math.min(next, agenda.heldUntil(place));
    }
    return next;
  }

  /** Some other subflow can carry data and is heard from. */
  hasLiveAlternative(subflow: Subflow): boolean {
    return this.list.some((other) => other !== subflow && other.usable && !other.stale);
  }

  /** What belongs to the connection as a whole is said on the one that is most likely heard. */
  get bestForSignals(): Subflow | undefined {
    return this.list.find(({ usable, stale }) => usable && !stale) ?? this.list.find(({ usable }) => usable);
  }

  /** RFC 8684 §3.2: the address of the initial subflow has id 0. */
  wireAddressId(local: LocalAddress): number {
    return local.address === this.#initial?.local.address ? 0 : local.addressId;
  }

  /** The initiator's first subflow. */
  open(local: LocalAddress, remoteAddress: IpAddress, remotePort: number, now: number, options: OpenOptions): void {
    const { fastOpen = false, localPort } = options;
    const subflow = this.#create("initial-client", local, remoteAddress, remotePort, 0, now, localPort);
    subflow.endpoint.connect(now, fastOpen);
  }

  /** The first subflow again, from another port. */
  reopen(now: number): void {
    const { local, endpoint } = this.initial;
    this.#connection.dataSender.restart();
    this.open(local, endpoint.remoteAddress, endpoint.remotePort, now, {});
  }

  /** The listener's first subflow, from a SYN. */
  acceptInitial(segment: TcpSegment, local: LocalAddress, now: number, options: AcceptOptions): void {
    const { source, sourcePort, destinationPort } = segment;
    const subflow = this.#create("initial-server", local, source, sourcePort, 0, now, destinationPort);
    if (!subflow.endpoint.acceptSyn(segment, now, options)) this.noteClosed();
  }

  /** A further subflow, by MP_JOIN from us. */
  join(local: LocalAddress, remote: RemotePathAddress, backup: boolean, now: number): void {
    const { address, port, addressId } = remote;
    this.#create("join-client", local, address, port, addressId, now, undefined, backup).endpoint.connect(now, false);
  }

  /** MP_JOIN with our token. Returns the reason of the reset that answers it (RFC 8684 §3.6), -1 when it is welcome. */
  acceptJoin(segment: TcpSegment, local: LocalAddress, now: number): number {
    const connection = this.#connection;
    if (connection.peerKey === undefined || !connection.takesJoins || this.awaitsMapping)
      return resetReason.mptcpSpecific;
    if (!this.hasRoom && !this.#makeRoom(now)) return resetReason.lackOfResources;
    const { source, sourcePort, destinationPort, mptcp } = segment;
    const toInitial =
      local.address === this.initial.local.address && destinationPort === this.initial.endpoint.localPort;
    if (toInitial && !connection.environment.policy.allowJoinInitialAddress)
      return resetReason.administrativelyProhibited;
    const subflow = this.#create("join-server", local, source, sourcePort, mptcp.joinAddressId, now, destinationPort);
    if (!subflow.endpoint.acceptSyn(segment, now)) this.noteClosed();
    return -1;
  }

  /** Of those that have fallen silent, the one that has been for longest gives way: a peer that has moved cannot tell that it has left its old addresses. */
  #makeRoom(now: number): boolean {
    let silent: Subflow | undefined;
    for (const subflow of this.list) {
      if (subflow.endpoint.closed || subflow.consecutiveTimeouts < timeoutsToGiveWay) continue;
      if (silent === undefined || subflow.heardAt < silent.heardAt) silent = subflow;
    }
    silent?.endpoint.abort("timeout", now);
    return silent !== undefined;
  }

  abortAll(now: number): void {
    for (const { endpoint } of this.list) endpoint.abort("aborted", now);
  }

  /** One of them has ended. */
  noteClosed(): void {
    this.#hasClosed = true;
  }

  removeClosed(): void {
    if (!this.#hasClosed) return;
    this.#hasClosed = false;
    for (let i = this.list.length - 1; i >= 0; i--) {
      const subflow = this.list[i]!;
      if (!subflow.endpoint.closed) continue;
      this.#connection.environment.detach(subflow);
      this.list.splice(i, 1);
      subflow.agenda.move(new Agenda(), 0);
    }
    for (const [place, { agenda }] of this.list.entries()) agenda.move(this.agenda, place);
  }

  #create(
    role: SubflowRole,
    local: LocalAddress,
    remoteAddress: IpAddress,
    remotePort: number,
    remoteAddressId: number,
    now: number,
    localPort?: number,
    backup = false,
  ): Subflow {
    const connection = this.#connection;
    const { environment } = connection;
    const subflow = new Subflow(connection, {
      id: this.#nextId++,
      place: this.list.length,
      role,
      local,
      remoteAddress: keepAddress(remoteAddress),
      remotePort,
      remoteAddressId,
      backup: backup || local.backup,
      localPort: localPort ?? environment.allocatePort(local.address, remoteAddress, remotePort),
    });
    if (!subflow.isJoin) {
      this.#initial = subflow;
      if (connection.plain) subflow.infiniteMapping = { subflowStart: 1, dataStart: 0 };
    }
    this.list.push(subflow);
    environment.attach(subflow);
    environment.record({
      time: now,
      name: "mptcp:subflow-created",
      connection: connection.id,
      subflow: subflow.id,
      section: "RFC 8684 §3.2",
      initiator: role.endsWith("client") ? "local" : "remote",
      backup: subflow.backup,
      ...subflow.addresses,
    });
    return subflow;
  }
}
