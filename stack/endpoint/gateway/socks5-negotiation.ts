/** The server's side of SOCKS5 up to the request (RFC 1928; user name and password, RFC 1929), as bytes in and bytes out. */
import { formatIpAddress, ipv4FromNumber } from "../../wire/ip-address.ts";
import { readIpv6 } from "../../wire/ipv6-address.ts";

const version = 5;
const passwordVersion = 1;
const method = { none: 0, password: 2, noneAcceptable: 0xff } as const;
const command = { connect: 1 } as const;
const addressType = { ipv4: 1, domainName: 3, ipv6: 4 } as const;

/** RFC 1928 §6. */
export const socks5Reply = {
  succeeded: 0,
  generalFailure: 1,
  notAllowed: 2,
  networkUnreachable: 3,
  hostUnreachable: 4,
  connectionRefused: 5,
  timeToLiveExpired: 6,
  commandNotSupported: 7,
  addressTypeNotSupported: 8,
} as const;

export interface Socks5Credentials {
  readonly user: string;
  readonly password: string;
}

/** What CONNECT asks for: an address, or a name that somebody has to look up. */
export interface Socks5Destination {
  readonly host: string;
  readonly isName: boolean;
  readonly port: number;
}

export interface Socks5Step {
  /** To be sent to the client. */
  readonly reply?: Uint8Array;
  /** The client is to be asked no more: it gets `writeReply` when the connection is there, or is not. */
  readonly destination?: Socks5Destination;
  /** The connection is to be closed after `reply`. */
  readonly failed?: boolean;
}

/** The answer to a request; the address that it tells is nobody's, as converters do not say theirs. */
export function writeReply(code: number): Uint8Array {
  return Uint8Array.of(version, code, 0, addressType.ipv4, 0, 0, 0, 0, 0, 0);
}

type State = "greeting" | "password" | "request" | "over";

/** Feed it what comes, step by step, until a step has a destination or has failed; what has come beyond that is `rest`. */
export class Socks5Negotiation {
  readonly #credentials: Socks5Credentials | undefined;
  #state: State = "greeting";
  #received: Uint8Array = new Uint8Array(0);

  /** Without `credentials` anybody may. */
  constructor(credentials?: Socks5Credentials) {
    this.#credentials = credentials;
  }

  /** Bytes after the request: the beginning of the client's stream. */
  get rest(): Uint8Array {
    return this.#received;
  }

  /** Takes what has come, and returns what follows from it. A client may have sent all at once. */
  push(chunk: Uint8Array): Socks5Step[] {
    this.#received = Buffer.concat([this.#received, chunk]);
    const steps: Socks5Step[] = [];
    while (this.#state !== "over") {
      const step = this.#next();
      if (step === undefined) break;
      if (step.failed === true || step.destination !== undefined) this.#state = "over";
      steps.push(step);
    }
    return steps;
  }

  #next(): Socks5Step | undefined {
    switch (this.#state) {
      case "greeting":
        return this.#greeting();
      case "password":
        return this.#password();
      case "request":
        return this.#request();
      case "over":
        return undefined;
    }
  }

  /** VER NMETHODS METHODS (RFC 1928 §3). */
  #greeting(): Socks5Step | undefined {
    const [said, count = 0] = this.#received;
    if (said === undefined) return undefined;
    // SOCKS4, HTTP and whoever else: they would not understand an answer.
    if (said !== version) return { failed: true };
    const methods = this.#take(2, count);
    if (methods === undefined) return undefined;
    const wanted = this.#credentials === undefined ? method.none : method.password;
    if (!methods.includes(wanted)) return { reply: Uint8Array.of(version, method.noneAcceptable), failed: true };
    this.#state = wanted === method.none ? "request" : "password";
    return { reply: Uint8Array.of(version, wanted) };
  }

  /** VER ULEN UNAME PLEN PASSWD (RFC 1929 §2). */
  #password(): Socks5Step | undefined {
    const received = this.#received;
    const userLength = received[1] ?? 0;
    const passwordLength = received[2 + userLength];
    if (received.length < 2 || passwordLength === undefined) return undefined;
    const both = this.#take(2, userLength + 1 + passwordLength);
    if (both === undefined) return undefined;
    const user = Buffer.from(both.subarray(0, userLength)).toString();
    const password = Buffer.from(both.subarray(userLength + 1)).toString();
    const isRight =
      received[0] === passwordVersion && user === this.#credentials?.user && password === this.#credentials.password;
    this.#state = "request";
    const reply = Uint8Array.of(passwordVersion, isRight ? 0 : 1);
    return isRight ? { reply } : { reply, failed: true };
  }

  /** VER CMD RSV ATYP DST.ADDR DST.PORT (RFC 1928 §4, §5). */
  #request(): Socks5Step | undefined {
    const [said, asked, , type, nameLength] = this.#received;
    if (said === undefined) return undefined;
    if (said !== version) return { reply: writeReply(socks5Reply.generalFailure), failed: true };
    if (asked === undefined || type === undefined) return undefined;
    if (asked !== command.connect) return { reply: writeReply(socks5Reply.commandNotSupported), failed: true };
    const isName = type === addressType.domainName;
    if (isName && nameLength === undefined) return undefined;
    const length = type === addressType.ipv4 ? 4 : type === addressType.ipv6 ? 16 : isName ? nameLength! : 0;
    if (length === 0) return { reply: writeReply(socks5Reply.addressTypeNotSupported), failed: true };
    const target = this.#take(isName ? 5 : 4, length + 2);
    if (target === undefined) return undefined;
    const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    const host = isName
      ? Buffer.from(target.subarray(0, length)).toString()
      : formatIpAddress(length === 4 ? ipv4FromNumber(view.getUint32(0)) : readIpv6(view, 0));
    return { destination: { host, isName, port: view.getUint16(length) } };
  }

  /** `length` bytes behind the first `before`, when all are there; they and what is before them are then gone. */
  #take(before: number, length: number): Uint8Array | undefined {
    if (this.#received.length < before + length) return undefined;
    const taken = this.#received.slice(before, before + length);
    this.#received = this.#received.slice(before + length);
    return taken;
  }
}
