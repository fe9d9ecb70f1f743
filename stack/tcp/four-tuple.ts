/** What names a connection to both ends (RFC 9293 §3.3.1): two addresses, two ports. */

import { type IpAddress, isIpv6 } from "../wire/ip-address.ts";
import type { Uint64 } from "../wire/sequence.ts";
import { type SipKey, sipHash } from "./siphash.ts";

export interface FourTuple {
  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
}

/** A keyed hash of the connection's name and of what else it is to depend on. */
export function hashTuple(key: SipKey, tuple: FourTuple, ...more: readonly number[]): Uint64 {
  const { localAddress, localPort, remoteAddress, remotePort } = tuple;
  const ports = localPort * 0x10000 + remotePort;
  return sipHash(key, ...addressWords(localAddress), ...addressWords(remoteAddress), ports, ...more);
}

/** An address as its 32-bit words: one of IPv4, four of IPv6. */
export function addressWords(address: IpAddress): readonly number[] {
  return isIpv6(address) ? [address.word0, address.word1, address.word2, address.word3] : [address];
}
