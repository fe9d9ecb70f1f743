/** Variables such as `caddr0` and `saddr1`, and the addresses that scripts do not write out. */

import { formatIpAddress, ipv4FromNumber, parseIpv4 } from "../../wire/ip-address.ts";
import { ScriptFailure, ScriptUnsupported } from "./script-error.ts";
import type { AddressRef } from "./syntax.ts";

const firstEphemeralPort = 50_000;

export class AddressTable {
  readonly #values = new Map<string, number>();
  #nextRemote: number;
  #nextPort = firstEphemeralPort;

  constructor(remoteAddress: number) {
    this.#nextRemote = remoteAddress + 1;
  }

  /** What the script says here or said before; undefined for a name that it has not used yet. */
  get(reference: AddressRef): number | undefined {
    if (reference.address !== undefined) {
      const value = parseIpv4(reference.address);
      if (value === undefined)
        throw new ScriptUnsupported(reference.position, `the address ${reference.address}: only IPv4 runs`);
      if (reference.name !== undefined) this.#values.set(reference.name, value);
      return value;
    }
    return this.#values.get(reference.name!);
  }

  learn(reference: AddressRef, address: number): void {
    if (reference.name !== undefined) this.#values.set(reference.name, address);
  }

  /** @throws ScriptFailure */
  require(reference: AddressRef): number {
    const value = this.get(reference);
    if (value === undefined)
      throw new ScriptFailure(reference.position, `the address "${reference.name}" has no value yet`);
    return value;
  }

  /** A further address of the script's side. */
  allocateRemote(): number {
    return this.#nextRemote++;
  }

  allocatePort(): number {
    return this.#nextPort++;
  }
}

export function formatAddress(address: number): string {
  return formatIpAddress(ipv4FromNumber(address));
}
