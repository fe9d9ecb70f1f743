/** The subflows that a connection has and should have: what its path manager asks for, what the peer says of addresses and priorities. */

import type { EventRecorder, SubflowCloseReason, TraceEvent } from "../events.ts";
import { PairBackOffs } from "../path-manager/pair-back-offs.ts";
import type {
  ManagedConnection,
  ManagedSubflow,
  PathManager,
  RemotePathAddress,
  SubflowDecision,
  SubflowWish,
} from "../path-manager/path-manager.ts";
import type { SegmentOutput } from "../tcp/tcp-user.ts";
import { formatIpAddress, type IpAddress } from "../wire/ip-address.ts";
import { AddressBook } from "./addresses.ts";
import type { Connection } from "./connection.ts";
import type { LocalAddress } from "./connection-environment.ts";
import type { Signal } from "./signals.ts";
import type { Subflow } from "./subflow.ts";

/** So many ids of REMOVE_ADDR have room beside timestamps and a DATA_ACK of 64 bits. */
const removalListLimit = 13;
/** A path manager that wants to be asked again is asked no sooner. */
const shortestInterval = 1_000;

interface QueuedSignal {
  readonly signal: Signal;
  readonly carrier: Subflow | undefined;
}

export class Paths implements ManagedConnection {
  readonly addresses: AddressBook;
  readonly #connection: Connection;
  readonly #manager: PathManager;
  readonly #backOffs = new PairBackOffs();
  readonly #trace: EventRecorder | undefined;
  #signals: QueuedSignal[] = [];
  /** When the path manager is asked again although nothing has changed. */
  #updateAt: number = Number.POSITIVE_INFINITY;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#manager = connection.algorithms.newPathManager();
    this.#trace = connection.environment.trace["path-manager"];
    this.addresses = new AddressBook(connection);
  }

  get updateAt(): number {
    return this.#updateAt;
  }

  get initiator(): boolean {
    return this.#connection.initiator;
  }

  get localAddresses(): readonly LocalAddress[] {
    return this.#connection.environment.localAddresses;
  }

  get remoteAddresses(): readonly RemotePathAddress[] {
    return this.addresses.remoteAddresses;
  }

  get initialLocalAddress(): IpAddress {
    return this.#connection.subflowSet.initial.local.address;
  }

  get initialRemoteAddress(): IpAddress {
    return this.#connection.subflowSet.initial.endpoint.remoteAddress;
  }

  get subflows(): readonly ManagedSubflow[] {
    return this.#connection.subflows.filter(({ endpoint }) => !endpoint.closed);
  }

  openSubflow(local: LocalAddress, remote: RemotePathAddress, now: number, wish: SubflowWish = {}): SubflowDecision {
    const { backup = false, count = 1 } = wish;
    const decision = this.#judge(local, remote, count, now);
    if (decision !== "exists") this.#trace?.(this.#decisionEvent(decision, local, remote, backup, now));
    if (decision === "opened") {
      const connection = this.#connection;
      this.#withdrawRemoval(connection.subflowSet.wireAddressId(local));
      connection.join(local, remote, backup, now);
    } else if (decision === "back-off")
      this.#updateAt = Math.min(this.#updateAt, this.#backOffs.retryAt(local.address, remote.address));
    return decision;
  }

  canOpen(local: LocalAddress, remote: RemotePathAddress, now: number): boolean {
    return this.#judge(local, remote, 1, now) === "opened";
  }

  closeSubflow(subflow: Subflow, reason: "timeout" | "aborted", now: number): void {
    subflow.endpoint.abort(reason, now);
  }

  checkSubflow(subflow: Subflow, now: number): void {
    subflow.silenceCheck.begin("timeout", now);
  }

  advertiseAddress(local: LocalAddress, now: number): void {
    this.addresses.advertise(local, now);
  }

  /** Lets the path manager look again. Joins wait until both sides are known to speak MPTCP (RFC 8684 §3.2). */
  update(now: number): void {
    if (!this.#connection.mayJoin) return;
    this.#updateAt = Number.POSITIVE_INFINITY;
    const next = this.#manager.update(this, now) ?? Number.POSITIVE_INFINITY;
    this.#updateAt = Math.min(this.#updateAt, Math.max(next, now + shortestInterval));
  }

  /** Something has changed for the path manager: it looks as soon as what is being done now is done. */
  requestUpdate(now: number): void {
    this.#updateAt = Math.min(this.#updateAt, now);
  }

  /**
   * The host cannot use these addresses any more: their subflows end without a word, for none would arrive (RFC 8684 §3.4.2). Plain TCP has no other, and while
   * it connects neither has MPTCP: they go on sending into nothing, as Linux's, until the address is back or their time is over (RFC 9293 §3.8.3).
   */
  onAddressesGone(gone: readonly LocalAddress[], reason: "interface-down" | "address-removed", now: number): void {
    const connection = this.#connection;
    if (connection.plain || !connection.confirmed) return;
    for (const { local, endpoint } of connection.subflows) if (gone.includes(local)) endpoint.discard(reason, now);
    if (connection.mayJoin)
      for (const local of gone) this.addresses.remove(connection.subflowSet.wireAddressId(local), now);
    this.update(now);
  }

  onSubflowEstablished(subflow: Subflow, now: number): void {
    const { isJoin, endpoint } = subflow;
    this.#backOffs.onEstablished(endpoint.localAddress, endpoint.remoteAddress, now);
    if (!isJoin) return;
    endpoint.requestAck();
    if (subflow.usable) this.onSubflowUsable(subflow, now);
  }

  /** Those that have been silent now have an alternative: what they hold goes to it at once, not at their next timeout (RFC 8684 §3.3.6). */
  onSubflowUsable(subflow: Subflow, now: number): void {
    for (const other of this.#connection.subflows)
      if (other !== subflow && other.consecutiveTimeouts > 0) other.doubt(now);
    this.requestUpdate(now);
  }

  onSubflowClosed(subflow: Subflow, reason: SubflowCloseReason, now: number): void {
    const { endpoint, hasFailedForGood } = subflow;
    const { localAddress, remoteAddress } = endpoint;
    this.requestUpdate(now);
    if (!subflow.isOwn) return;
    const delay = this.#backOffs.onClosed(localAddress, remoteAddress, reason, hasFailedForGood, now);
    if (delay > 0) this.#recordRetry(localAddress, remoteAddress, delay, now);
  }

  onJoinRefused(remote: IpAddress, reasonCode: number, now: number): void {
    const { id, environment, subflowSet } = this.#connection;
    this.#trace?.({
      time: now,
      name: "path-manager:join-refused",
      connection: id,
      section: "RFC 8684 §3.6",
      remoteAddress: formatIpAddress(remote),
      reasonCode,
      subflows: subflowSet.live,
      maximumSubflows: 1 + environment.policy.maximumSubflows,
    });
  }

  /** `carrier` given: no other subflow may carry the signal. */
  sendSignal(signal: Signal, carrier?: Subflow): void {
    if (!this.#extendsRemoval(signal)) this.#signals.push({ signal, carrier });
    this.#connection.environment.wake(this.#connection);
  }

  /** Each signal goes out on an acknowledgement of its own, for Linux takes only the last ADD_ADDR of a segment; what ends with its carrier is not said any more. */
  transmitSignals(now: number, output: SegmentOutput): void {
    if (this.#signals.length === 0) return;
    const best = this.#connection.subflowSet.bestForSignals;
    const waiting: QueuedSignal[] = [];
    for (const queued of this.#signals) {
      const subflow = queued.carrier ?? best;
      if (subflow?.endpoint.closed === true) continue;
      if (subflow?.usable !== true) {
        waiting.push(queued);
        continue;
      }
      subflow.signal = queued.signal;
      subflow.endpoint.requestAck();
      subflow.endpoint.transmitAck(now, output);
    }
    this.#signals = waiting;
  }

  /** MP_PRIO from us, on the subflow itself: the peer shall use it only when it has no other, or again (RFC 8684 §3.3.8). */
  setBackup(subflow: Subflow, backup: boolean, now: number): void {
    subflow.backup = backup;
    this.sendSignal({ kind: "priority", backup }, subflow);
    this.#recordPriority(subflow, backup, "local", now);
  }

  /** MP_PRIO from the peer: it speaks of the subflow that carries it. */
  onPriority(carrier: Subflow, backup: boolean, now: number): void {
    carrier.backup = backup;
    this.#recordPriority(carrier, backup, "remote", now);
  }

  handleTimeout(now: number): void {
    if (now >= this.addresses.nextTimeout) this.addresses.handleTimeout(now);
    if (now >= this.#updateAt) this.update(now);
  }

  /** `opened`: nothing speaks against it. */
  #judge(local: LocalAddress, remote: RemotePathAddress, count: number, now: number): SubflowDecision {
    const { environment, subflowSet } = this.#connection;
    if (!local.up) return "interface-down";
    if (this.#countBetween(local.address, remote) >= count) return "exists";
    if (!environment.hasRoute(local, remote.address)) return "no-route";
    if (this.#backOffs.retryAt(local.address, remote.address) > now) return "back-off";
    return subflowSet.hasRoom ? "opened" : "limit";
  }

  #countBetween(local: IpAddress, { address, port }: RemotePathAddress): number {
    let count = 0;
    for (const { endpoint } of this.#connection.subflows) {
      if (endpoint.closed || endpoint.localAddress !== local) continue;
      if (endpoint.remoteAddress === address && endpoint.remotePort === port) count++;
    }
    return count;
  }

  /** What is removed in the same moment is said with one list: of two options in a row Linux drops the second while it acts on the first. */
  #extendsRemoval(signal: Signal): boolean {
    if (signal.kind !== "remove-address") return false;
    for (const { signal: waiting } of this.#signals) {
      if (waiting.kind !== "remove-address") continue;
      if (waiting.addressIds.length + signal.addressIds.length > removalListLimit) continue;
      waiting.addressIds.push(...signal.addressIds);
      return true;
    }
    return false;
  }

  /** The address is back before the peer was told that it had gone: what is said late would hit the new subflow. */
  #withdrawRemoval(addressId: number): void {
    this.#signals = this.#signals.filter(({ signal }) => {
      if (signal.kind !== "remove-address") return true;
      signal.addressIds = signal.addressIds.filter((id) => id !== addressId);
      return signal.addressIds.length > 0;
    });
  }

  #decisionEvent(
    decision: Exclude<SubflowDecision, "exists">,
    local: LocalAddress,
    remote: RemotePathAddress,
    backup: boolean,
    now: number,
  ): TraceEvent {
    const { id, environment, subflowSet } = this.#connection;
    return {
      time: now,
      name: "path-manager:decision",
      connection: id,
      section: "RFC 8684 §3.2",
      pathManager: this.#manager.name,
      decision,
      localAddress: formatIpAddress(local.address),
      remoteAddress: formatIpAddress(remote.address),
      remoteAddressId: remote.addressId,
      backup,
      subflows: subflowSet.live,
      maximumSubflows: 1 + environment.policy.maximumSubflows,
      delayMicroseconds:
        decision === "back-off" ? this.#backOffs.retryAt(local.address, remote.address) - now : undefined,
    };
  }

  #recordRetry(local: IpAddress, remote: IpAddress, delayMicroseconds: number, now: number): void {
    const { environment, id } = this.#connection;
    environment.record({
      time: now,
      name: "path-manager:subflow-retry",
      connection: id,
      section: "RFC 8684 §3.4",
      localAddress: formatIpAddress(local),
      remoteAddress: formatIpAddress(remote),
      delayMicroseconds,
    });
  }

  #recordPriority(subflow: Subflow, backup: boolean, initiator: "local" | "remote", now: number): void {
    const { environment, id } = this.#connection;
    environment.record({
      time: now,
      name: "mptcp:priority",
      connection: id,
      subflow: subflow.id,
      section: "RFC 8684 §3.3.8",
      backup,
      initiator,
    });
  }
}
