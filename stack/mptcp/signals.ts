/** Options that are said once and belong to no particular segment; each travels on an acknowledgement of its own. */

import type { IpAddress } from "../wire/ip-address.ts";
import type { Uint64 } from "../wire/sequence.ts";

export type Signal =
  | { kind: "add-address"; addressId: number; address: IpAddress; port: number; hmac: Uint64 }
  | { kind: "add-address-echo"; addressId: number; address: IpAddress; port: number }
  | { kind: "remove-address"; addressIds: number[] }
  | { kind: "priority"; backup: boolean }
  | { kind: "fail"; high: number; low: number };
