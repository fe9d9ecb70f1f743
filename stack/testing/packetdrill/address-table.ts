/** Variables such as `caddr0` and `saddr1`, and the addresses that scripts do not write out. */

import { addressAfter, canonicalAddress } from "./address-text.ts";
import { ScriptFailure } from "./script-error.ts";
import type { AddressRef } from "./syntax.ts";

const firstEphemeralPort = 50_000;

/** Addresses are in their canonical form (address-text.ts). */
export class AddressTable {
  readonly #values = new Map<string, string>();
  #lastRemote: string;
  #nextPort = firstEphemeralPort;

  constructor(remoteAddress: string) {
    this.#lastRemote = remoteAddress;
  }

  /** What the script says here or said before; undefined for a name that it has not used yet. */
  get(reference: AddressRef): string | undefined {
    if (reference.address !== undefined) {
      const value = canonicalAddress(reference.address);
      if (value === undefined) throw new ScriptFailure(reference.position, `"${reference.address}" is no address`);
      if (reference.name !== undefined) this.#values.set(reference.name, value);
      return value;
    }
    return this.#values.get(reference.name!);
  }

  learn(reference: AddressRef, address: string): void {
    if (reference.name !== undefined) this.#values.set(reference.name, address);
  }

  /** A further address of the script's side. */
  allocateRemote(): string {
    this.#lastRemote = addressAfter(this.#lastRemote, 1);
    return this.#lastRemote;
  }

  allocatePort(): number {
    return this.#nextPort++;
  }
}
