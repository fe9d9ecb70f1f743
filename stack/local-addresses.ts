/** The addresses of a host, which come and go while it lives, and the ids by which its connections tell peers of them (RFC 8684 §3.2). */

import { ConfigurationError } from "./host-options.ts";
import type { LocalAddress } from "./mptcp/connection-environment.ts";
import type { InterfaceAddress, NetworkInterface } from "./network-interface.ts";
import { type IpAddress, isIpv6 } from "./wire/ip-address.ts";
import { ipv4HeaderLength } from "./wire/ipv4.ts";
import { ipv6HeaderLength } from "./wire/ipv6.ts";
import { tcpHeaderLength } from "./wire/tcp-segment.ts";

/** An id is one octet, and 0 is the address of the initial subflow. */
const largestId = 255;

type Changeable<T> = { -readonly [name in keyof T]: T[name] };

export interface AddressTraits {
  /** Port that is advertised with the address; 0: none. */
  readonly port: number;
  readonly backup: boolean;
}

/** `address` on an interface that speaks as anybody, to whom no peer is told an id; unspecified: whichever a packet was sent to. */
export function foreignAddress(networkInterface: NetworkInterface, address: IpAddress): LocalAddress {
  return localAddress(networkInterface, address, 0, { port: 0, backup: false });
}

function localAddress(
  networkInterface: NetworkInterface,
  address: IpAddress,
  addressId: number,
  { port, backup }: AddressTraits,
): LocalAddress {
  const { index, name, gso, up } = networkInterface;
  const maximumSegmentSize = segmentSizeOf(networkInterface, address);
  return { addressId, address, port, interfaceIndex: index, interfaceName: name, maximumSegmentSize, gso, backup, up };
}

function segmentSizeOf({ mtu }: NetworkInterface, address: IpAddress): number {
  return mtu - (isIpv6(address) ? ipv6HeaderLength : ipv4HeaderLength) - tcpHeaderLength;
}

export class LocalAddresses {
  /** In the order in which they came; changes in place. */
  readonly list: LocalAddress[] = [];
  /** The networks on the links of the host; changes in place. */
  readonly networks: InterfaceAddress[] = [];
  #latestId = 0;

  /** @throws ConfigurationError when there is no id left */
  add(networkInterface: NetworkInterface, own: InterfaceAddress, traits: AddressTraits): void {
    this.list.push(localAddress(networkInterface, own.address, this.#newId(), traits));
    this.networks.push(own);
  }

  remove(local: LocalAddress): void {
    this.list.splice(this.list.indexOf(local), 1);
    const network = this.networks.findIndex(({ address }) => address === local.address);
    this.networks.splice(network, 1);
  }

  find(address: IpAddress): LocalAddress | undefined {
    return this.list.find((local) => local.address === address);
  }

  onInterface(interfaceIndex: number): LocalAddress[] {
    return this.list.filter((local) => local.interfaceIndex === interfaceIndex);
  }

  /** What is opened from now on has segments of the interface's new size. */
  onDevice(networkInterface: NetworkInterface): void {
    for (const local of this.onInterface(networkInterface.index))
      (local as Changeable<LocalAddress>).maximumSegmentSize = segmentSizeOf(networkInterface, local.address);
  }

  setUp(local: LocalAddress, up: boolean): void {
    (local as Changeable<LocalAddress>).up = up;
  }

  /** The next after the latest that is free: a peer that has not heard of a removal shall not meet the same id soon (RFC 8684 §3.4.2). */
  #newId(): number {
    for (let i = 1; i <= largestId; i++) {
      const id = ((this.#latestId + i - 1) % largestId) + 1;
      if (this.list.some(({ addressId }) => addressId === id)) continue;
      this.#latestId = id;
      return id;
    }
    throw new ConfigurationError("interfaces", `more than ${largestId} addresses: an address id is one octet`);
  }
}
