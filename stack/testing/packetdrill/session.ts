/** The MPTCP connection that the script plays: keys by name, and what follows from them. */

import { initialDataSequence, tokenOf } from "./authentication.ts";
import { type Position, ScriptFailure } from "./script-error.ts";
import type { DataNumber, KeyRef } from "./syntax.ts";

/** Keys of one connection. The host's is learnt from what it sends. */
export class Session {
  hostKey: bigint | undefined;
  remoteKey: bigint | undefined;

  /** @throws ScriptFailure when no packet has told the key yet */
  key(side: "host" | "remote", position: Position): bigint {
    const key = side === "host" ? this.hostKey : this.remoteKey;
    if (key === undefined)
      throw new ScriptFailure(position, `the key of the ${side === "host" ? "host" : "script"} is not known here`);
    return key;
  }

  token(side: "host" | "remote", position: Position): number {
    return tokenOf(this.key(side, position));
  }
}

/** Cookies of TCP Fast Open by name. */
export class CookieTable {
  readonly #values = new Map<string, string>();

  /** Hexadecimal digits stand for themselves. undefined: nobody has granted a cookie of this name. */
  get(name: string): string | undefined {
    return /^(?:[0-9a-f]{2})*$/.test(name) ? name : this.#values.get(name);
  }

  learn(name: string, cookie: string): void {
    this.#values.set(name, cookie);
  }
}

/** Variables such as `ckey` and `skey`. */
export class KeyTable {
  readonly #values = new Map<string, bigint>();

  /** The value that the script gives the key here or gave it before. */
  get(reference: KeyRef): bigint | undefined {
    if (reference.value !== undefined) this.#values.set(reference.name, reference.value);
    return this.#values.get(reference.name);
  }

  /** @throws ScriptFailure */
  require(reference: KeyRef): bigint {
    const value = this.get(reference);
    if (value === undefined)
      throw new ScriptFailure(reference.position, `the key "${reference.name}" has no value yet`);
    return value;
  }

  learn(reference: KeyRef, value: bigint): void {
    this.#values.set(reference.name, value);
  }

  nameOf(value: bigint): string | undefined {
    for (const [name, known] of this.#values) if (known === value) return name;
    return undefined;
  }
}

/** The number on the wire: 1 in the script is the first byte of data, IDSN + 1 (RFC 8684 §3.1). */
export function dataNumberToWire(number: DataNumber, key: bigint): bigint {
  return BigInt.asUintN(8 * number.octets, initialDataSequence(key) + number.value);
}

/** The script's number, near zero on either side. */
export function dataNumberToScript(wire: bigint, octets: 4 | 8, key: bigint | undefined): bigint {
  return key === undefined ? wire : BigInt.asIntN(8 * octets, wire - initialDataSequence(key));
}
