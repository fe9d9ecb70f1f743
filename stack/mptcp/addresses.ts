/** Addresses that the two sides tell each other: ADD_ADDR with HMAC, echo and retransmission, REMOVE_ADDR (RFC 8684 §3.4). */

import type { TraceEvent } from "../events.ts";
import type { RemotePathAddress } from "../path-manager/path-manager.ts";
import { formatIpAddress, type IpAddress, keepAddress, unmapped } from "../wire/ip-address.ts";
import type { AddAddressOption } from "../wire/mptcp-options.ts";
import type { Connection } from "./connection.ts";
import { addAddressHmac } from "./keys.ts";
import type { Subflow } from "./subflow.ts";

type IgnoredAddress = Extract<TraceEvent, { name: "path-manager:address-ignored" }>;

const firstRetransmission = 500_000;
const advertisementAttempts = 6;

export interface AdvertisedAddress {
  readonly addressId: number;
  readonly address: IpAddress;
  /** 0, or none: joins come to that of the first subflow. */
  readonly port?: number;
}

interface Advertisement {
  addressId: number;
  address: IpAddress;
  /** 0: none is told, and joins come to that of the first subflow. */
  port: number;
  retryAt: number;
  delay: number;
  attempts: number;
}

export class AddressBook {
  nextTimeout: number = Number.POSITIVE_INFINITY;
  readonly #connection: Connection;
  #remote: RemotePathAddress[] = [];
  /** Those that the peer has removed, the last of them last. */
  #removed: RemotePathAddress[] = [];
  readonly #unanswered: Advertisement[] = [];
  readonly #advertised = new Set<number>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Where joins may go: the initial address unless the peer forbade it (flag C of MP_CAPABLE), and the advertised ones. When no subflow is left, removed ones are tried
   * as well: that an address is back nobody could have told us.
   */
  get remoteAddresses(): readonly RemotePathAddress[] {
    const connection = this.#connection;
    const welcome = connection.joinsToInitialAddress
      ? this.#remote
      : this.#remote.filter((remote) => remote.addressId !== 0);
    return this.#removed.length === 0 || connection.subflowSet.hasEstablished
      ? welcome
      : [...welcome, ...this.#removed];
  }

  /** How many of ours the peer has been told. */
  get advertisedCount(): number {
    return this.#advertised.size;
  }

  /** How many of the peer's we know beside that of the first subflow. */
  get acceptedCount(): number {
    return this.#remote.filter(({ addressId }) => addressId !== 0).length;
  }

  addInitialRemote(address: IpAddress, port: number): void {
    this.#remote.push({ addressId: 0, address: keepAddress(address), port });
  }

  /** Once for each address. */
  advertise(local: AdvertisedAddress, now: number): void {
    if (this.#advertised.has(local.addressId)) return;
    this.#record(local.addressId, local.address, "local", now);
    this.#advertised.add(local.addressId);
    this.#unanswered.push({
      addressId: local.addressId,
      address: local.address,
      port: local.port ?? 0,
      retryAt: now,
      delay: firstRetransmission,
      attempts: 0,
    });
    this.handleTimeout(now);
  }

  /** The interface is down: the peer shall not use it any more (RFC 8684 §3.4.2). */
  remove(addressId: number, now: number): void {
    this.#end(addressId, "withdrawn", now);
    this.#advertised.delete(addressId);
    const connection = this.#connection;
    connection.paths.sendSignal({ kind: "remove-address", addressIds: [addressId] });
    connection.environment.record({
      time: now,
      name: "path-manager:address-removed",
      connection: connection.id,
      section: "RFC 8684 §3.4.2",
      addressId,
      initiator: "local",
    });
  }

  handleTimeout(now: number): void {
    const connection = this.#connection;
    for (const advertisement of this.#unanswered.slice()) {
      if (advertisement.retryAt > now) continue;
      if (advertisement.attempts >= advertisementAttempts) {
        this.#end(advertisement.addressId, "unanswered", now);
        continue;
      }
      advertisement.attempts++;
      this.#tellSent(advertisement, now);
      advertisement.retryAt = now + advertisement.delay;
      advertisement.delay *= 2;
      const { addressId, address, port } = advertisement;
      const hmac = addAddressHmac(connection.localKey!.key, connection.peerKey!.key, addressId, address, port);
      connection.paths.sendSignal({ kind: "add-address", addressId, address, port, hmac });
    }
    this.#schedule();
  }

  #schedule(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const { retryAt } of this.#unanswered) if (retryAt < next) next = retryAt;
    this.nextTimeout = next;
  }

  onAddAddress(option: AddAddressOption, now: number): void {
    const connection = this.#connection;
    const { id: addressId, address: given, port, hmacHigh, hmacLow } = option;
    if (option.echo) {
      this.#end(addressId, "echoed", now);
      return;
    }
    const hmac = addAddressHmac(connection.peerKey!.key, connection.localKey!.key, addressId, given, port);
    if (hmac.high !== hmacHigh || hmac.low !== hmacLow) {
      this.#ignore(addressId, given, "authentication-failed", now);
      return;
    }
    const address = keepAddress(unmapped(given));
    const remote = { addressId, address, port: port === 0 ? connection.remotePort : port };
    const known = this.#remote.filter((other) => other.addressId === addressId);
    // RFC 8684 §3.4.1: an id that stands for another address has to be removed first; another port of the same address may be added to it.
    if (known.some((other) => other.address !== address)) {
      this.#ignore(addressId, address, "id-in-use", now);
      return;
    }
    connection.paths.sendSignal({ kind: "add-address-echo", addressId, address: keepAddress(given), port });
    if (known.some((other) => other.port === remote.port)) return;
    if (this.#remote.length > connection.environment.policy.maximumAddressesAccepted) {
      this.#ignore(addressId, address, "limit", now);
      return;
    }
    this.#remote.push(remote);
    this.#removed = this.#removed.filter((other) => other.addressId !== addressId && other.address !== address);
    this.#record(addressId, address, "remote", now);
    connection.paths.update(now);
  }

  /** `carrier` brought the option: it lives, whatever its address id. */
  onRemoveAddress(addressId: number, carrier: Subflow, now: number): void {
    const connection = this.#connection;
    if (addressId !== 0) {
      this.#removed.push(...this.#remote.filter((remote) => remote.addressId === addressId));
      this.#removed.splice(0, this.#removed.length - connection.environment.policy.maximumAddressesAccepted);
      this.#remote = this.#remote.filter((remote) => remote.addressId !== addressId);
    }
    connection.environment.record({
      time: now,
      name: "path-manager:address-removed",
      connection: connection.id,
      section: "RFC 8684 §3.4.2",
      addressId,
      initiator: "remote",
    });
    for (const subflow of connection.subflows) {
      if (subflow !== carrier && subflow.remoteAddressId === addressId)
        subflow.silenceCheck.begin("address-removed", now);
    }
  }

  /** Joins may begin: flag C of the peer's MP_CAPABLE keeps them from the address of the first subflow (RFC 8684 §3.1). */
  begin(now: number): void {
    if (this.#connection.joinsToInitialAddress) return;
    const initial = this.#remote.find(({ addressId }) => addressId === 0);
    if (initial !== undefined) this.#ignore(0, initial.address, "flag-c", now);
  }

  #ignore(addressId: number, address: IpAddress, reason: IgnoredAddress["reason"], now: number): void {
    const { environment, id: connection } = this.#connection;
    const name = "path-manager:address-ignored";
    const section = reason === "flag-c" ? "RFC 8684 §3.1" : "RFC 8684 §3.4.1";
    environment.trace["path-manager"]?.({
      time: now,
      name,
      connection,
      section,
      addressId,
      address: formatIpAddress(address),
      reason,
    });
  }

  /** The address is not told any more. */
  #end(addressId: number, outcome: "echoed" | "unanswered" | "withdrawn", now: number): void {
    const index = this.#unanswered.findIndex((advertisement) => advertisement.addressId === addressId);
    if (index < 0) return;
    const { attempts } = this.#unanswered[index]!;
    this.#unanswered.splice(index, 1);
    this.#schedule();
    const { environment, id: connection } = this.#connection;
    const name = "path-manager:advertisement-ended";
    const section = "RFC 8684 §3.4.1";
    environment.trace["path-manager"]?.({ time: now, name, connection, section, addressId, outcome, attempts });
  }

  #tellSent({ addressId, address, attempts, delay }: Advertisement, now: number): void {
    const { environment, id: connection } = this.#connection;
    environment.trace["path-manager"]?.({
      time: now,
      name: "path-manager:advertisement-sent",
      connection,
      section: "RFC 8684 §3.4.1",
      addressId,
      address: formatIpAddress(address),
      attempt: attempts,
      delayMicroseconds: delay,
    });
  }

  #record(addressId: number, address: IpAddress, initiator: "local" | "remote", now: number): void {
    this.#connection.environment.record({
      time: now,
      name: "path-manager:address-advertised",
      connection: this.#connection.id,
      section: "RFC 8684 §3.4.1",
      addressId,
      address: formatIpAddress(address),
      initiator,
    });
  }
}
