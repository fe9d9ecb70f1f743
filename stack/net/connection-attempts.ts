/** From a name to a connection: the addresses of the name are tried one after the other, each for a while (RFC 8305). */

import { ADDRCONFIG, lookup as systemLookup, type LookupAddress } from "node:dns";
import { getDefaultAutoSelectFamily, getDefaultAutoSelectFamilyAttemptTimeout, isIP } from "node:net";
import type { Alarm } from "../alarm.ts";
import type { Connection, ConnectOptions } from "../host.ts";
import { algorithmChoices } from "../host-options.ts";
import { callApplication, currentContext } from "./application-call.ts";
import { type ConnectTarget, isBlocked } from "./call-arguments.ts";
import type { NetworkStack } from "./network-stack.ts";
import { blocked, coded, codeOfRefusal, SocketError } from "./socket-error.ts";

/** As node:net: an attempt has at least so long. */
const leastAttemptMilliseconds = 10;

/** What it is called with depends on `all`. */
type Lookup = (
  host: string,
  options: object,
  tell: (error: Error | null, found: string & LookupAddress[], family: number) => void,
) => void;

export interface AttemptsObserver {
  onLookup(error: Error | null, address: string | undefined, family: number | undefined, host: string): void;
  onAttempt(address: string, port: number, family: number): void;
  /** `connection` is the attempt that is under way; `alone`: no other will follow it. */
  onOpened(connection: Connection, alone: boolean): void;
  onAttemptFailed(address: string, port: number, family: number, error: Error): void;
  onAttemptTimeout(address: string, port: number, family: number): void;
  /** None has succeeded. Never from within `begin`. */
  onFailed(error: Error): void;
}

export class ConnectionAttempts {
  readonly #stack: NetworkStack;
  readonly #target: ConnectTarget & { port: number; host: string };
  readonly #observer: AttemptsObserver;
  readonly #errors: Error[] = [];
  readonly #context = currentContext();
  readonly #alarm: Alarm = {
    at: Number.POSITIVE_INFINITY,
    ring: () => callApplication(this.#context, () => this.#timeOut()),
  };
  /** When there are several addresses, those that have been tried, as `address:port`. */
  attempted: string[] | undefined;
  #waiting: LookupAddress[] = [];
  /** Of the name there are several addresses. */
  #many = false;
  /** No name, but an address was given. */
  #isAddress = false;
  #tried: LookupAddress | undefined;
  #connection: Connection | undefined;
  #over = false;

  constructor(stack: NetworkStack, target: ConnectTarget & { port: number; host: string }, observer: AttemptsObserver) {
    this.#stack = stack;
    this.#target = target;
    this.#observer = observer;
  }

  /** An address is tried at once, a name when it has been found. */
  begin(): void {
    const { host } = this.#target;
    const family = isIP(host);
    if (family === 0) this.#lookUp();
    else {
      this.#isAddress = true;
      this.#waiting = [{ address: host, family }];
      this.#tryNext();
    }
  }

  /** The attempt under way has succeeded, or nobody is interested any more. */
  stop(): void {
    this.#over = true;
    this.#stack.host.setAlarm(this.#alarm, Number.POSITIVE_INFINITY);
  }

  /** The attempt under way has failed. */
  onClosed(code: string): void {
    this.#fail(this.#errorOf(code), true);
  }

  #lookUp(): void {
    const { host, localAddress, autoSelectFamily } = this.#target;
    const lookup = this.#target.lookup || systemLookup;
    const family = familyNumber(this.#target.family);
    const isOfFamily = family === 4 || family === 6;
    const hints = this.#target.hints || (isOfFamily ? 0 : ADDRCONFIG);
    const all = (autoSelectFamily ?? getDefaultAutoSelectFamily()) && !isOfFamily && !localAddress;
    const options = { family, hints, ...(all && { all }) };
    (lookup as Lookup)(host, options, (error, found, foundFamily) => {
      if (all && this.#over) return;
      if (error || !all) this.#observer.onLookup(error, all ? undefined : found, all ? undefined : foundFamily, host);
      if (this.#over) return;
      if (error) this.#failLater(error);
      else this.#begin(all ? this.#tellEach(found) : [{ address: found, family: foundFamily }]);
    });
  }

  /** Of the addresses of a name, as many as are wanted. */
  #tellEach(found: readonly LookupAddress[]): readonly LookupAddress[] {
    for (const { address, family } of found) {
      this.#observer.onLookup(null, address, family, this.#target.host);
      if (this.#over) return [];
    }
    return found;
  }

  /** With what of a name's addresses can be one, each once. */
  #begin(found: readonly LookupAddress[]): void {
    if (this.#over) return;
    const addresses = found.filter(
      (each, i) =>
        problemOf(each, this.#target) === undefined && found.findIndex((one) => one.address === each.address) === i,
    );
    const [first] = found;
    if (addresses.length === 0) {
      this.#failLater(first === undefined ? notFound(this.#target.host) : problemOf(first, this.#target)!);
      return;
    }
    this.#waiting = interleaved(addresses);
    this.#many = this.#waiting.length > 1;
    if (this.#many) this.attempted = [];
    this.#tryNext();
  }

  #tryNext(): void {
    const candidate = this.#waiting.shift();
    if (candidate === undefined) return;
    const { address } = candidate;
    const { port, blockList } = this.#target;
    this.#tried = candidate;
    if (isBlocked(blockList, address)) {
      if (!this.#many) this.#tellAttempt(candidate);
      this.#failSoon(blocked(address), this.#many);
      return;
    }
    const opened = this.#open(candidate);
    if ("failure" in opened && opened.failure.syscall === "bind") {
      this.#failSoon(opened.failure, false);
      return;
    }
    this.#tellAttempt(candidate);
    if ("failure" in opened) {
      // No one has answered who is there: of a single address node:net tells the error alone.
      this.#failSoon(opened.failure, this.#many || port === 0);
      return;
    }
    const { connection } = opened;
    if (this.#over) {
      connection.abort(this.#stack.now());
      return;
    }
    this.attempted?.push(`${address}:${port}`);
    this.#connection = connection;
    const timeout = this.#target.autoSelectFamilyAttemptTimeout ?? getDefaultAutoSelectFamilyAttemptTimeout();
    const microseconds = Math.max(timeout, leastAttemptMilliseconds) * 1_000;
    if (this.#waiting.length > 0) this.#stack.host.setAlarm(this.#alarm, this.#stack.now() + microseconds);
    this.#observer.onOpened(connection, !this.#many);
    this.#stack.wake();
  }

  #open({ address }: LookupAddress): { connection: Connection } | { failure: SocketError } {
    const { port, localAddress, localPort, mptcp, fastOpen } = this.#target;
    // Nobody listens on port 0.
    if (port === 0) return { failure: this.#errorOf("ECONNREFUSED") };
    const attempt: ConnectOptions = {
      remoteAddress: address,
      remotePort: port,
      ...(localAddress && { localAddress }),
      ...(localPort && { localPort }),
      ...(mptcp !== undefined && { mptcp }),
      ...algorithmChoices(this.#target),
      ...(fastOpen !== undefined && { fastOpen: fastOpen && !this.#many }),
    };
    try {
      return { connection: this.#stack.host.connect(attempt, this.#stack.now()) };
    } catch (error) {
      return { failure: this.#refusal(codeOfRefusal(error)) };
    }
  }

  /** Who has called `connect` with an address has not had time to listen for it yet. */
  #tellAttempt({ address, family }: LookupAddress): void {
    const tell = (): void => this.#observer.onAttempt(address, this.#target.port, family);
    if (this.#isAddress) {
      process.nextTick(() => {
        if (!this.#over) tell();
      });
    } else tell();
  }

  #timeOut(): void {
    const { address, family } = this.#tried!;
    if (this.#over) return;
    this.#observer.onAttemptTimeout(address, this.#target.port, family);
    const connection = this.#connection!;
    connection.observer = undefined;
    connection.abort(this.#stack.now());
    this.#errors.push(this.#errorOf("ETIMEDOUT"));
    if (!this.#over) this.#tryNext();
  }

  #failSoon(error: Error, tells: boolean): void {
    this.#stack.deferred?.();
    process.nextTick(() => this.#fail(error, tells));
  }

  #fail(error: Error, tells: boolean): void {
    if (this.#over) return;
    const { address, family } = this.#tried!;
    this.#stack.host.setAlarm(this.#alarm, Number.POSITIVE_INFINITY);
    if (tells) this.#observer.onAttemptFailed(address, this.#target.port, family, error);
    if (this.#over) return;
    this.#errors.push(error);
    if (this.#waiting.length > 0) this.#tryNext();
    else this.#observer.onFailed(this.#many ? aggregate(this.#errors) : error);
  }

  #failLater(error: Error): void {
    this.#stack.deferred?.();
    process.nextTick(() => {
      if (!this.#over) this.#observer.onFailed(error);
    });
  }

  /** What the host itself says, of our side or of the way. */
  #refusal(code: string): SocketError {
    const { localAddress, localPort, port } = this.#target;
    const { address, family } = this.#tried!;
    const ownAddress = localAddress || (family === 6 ? "::" : "0.0.0.0");
    if ((code === "EADDRNOTAVAIL" || code === "EADDRINUSE") && (localAddress || localPort))
      return new SocketError(code, "bind", { address: ownAddress, port: localPort || 0 });
    return new SocketError(code, "connect", { address, port }, `${ownAddress}:${localPort || 0}`);
  }

  /** What the attempt has come to. */
  #errorOf(code: string): SocketError {
    const { localAddress, localPort, port } = this.#target;
    const place = { address: this.#tried!.address, port };
    if (!localAddress || !localPort) return new SocketError(code, "connect", place);
    const error = new SocketError(code, "connect", place, `${localAddress}:${localPort}`);
    return Object.assign(error, { localAddress, localPort });
  }
}

/** One family after the other, as the first address has it (RFC 8305 §4). */
function interleaved(addresses: readonly LookupAddress[]): LookupAddress[] {
  const { family } = addresses[0]!;
  const first = addresses.filter((each) => each.family === family);
  const others = addresses.filter((each) => each.family !== family);
  return first
    .flatMap((each, i) => (i < others.length ? [each, others[i]!] : [each]))
    .concat(others.slice(first.length));
}

/** What a lookup function of the application's may have got wrong. */
function problemOf({ address, family }: LookupAddress, { host, port }: ConnectTarget): Error | undefined {
  if (typeof address !== "string" || isIP(address) === 0)
    return coded(new TypeError(`Invalid IP address: ${address}`), "ERR_INVALID_IP_ADDRESS");
  if (family === 4 || family === 6) return undefined;
  return coded(
    new RangeError(`Invalid address family: ${String(family)} ${host}:${port}`),
    "ERR_INVALID_ADDRESS_FAMILY",
  );
}

const notFound = (host: string): Error => coded(new Error(`No address of ${host} found`), "ENOTFOUND");

function familyNumber(family: ConnectTarget["family"]): number | undefined {
  if (family === "IPv4") return 4;
  return family === "IPv6" ? 6 : family;
}

function aggregate(errors: readonly Error[]): Error {
  return Object.assign(new AggregateError(errors), { code: (errors[0] as NodeJS.ErrnoException).code });
}
