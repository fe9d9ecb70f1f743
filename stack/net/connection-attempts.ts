/** From a name to a connection: the addresses of the name are tried one after the other, each for a while (RFC 8305). */

import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { getDefaultAutoSelectFamily, getDefaultAutoSelectFamilyAttemptTimeout, isIP } from "node:net";
import type { Alarm } from "../alarm.ts";
import type { Connection, ConnectOptions } from "../host.ts";
import { algorithmChoices } from "../host-options.ts";
import { type ConnectTarget, isBlocked } from "./call-arguments.ts";
import type { NetworkStack } from "./network-stack.ts";
import { blocked, coded, codeOfRefusal, SocketError } from "./socket-error.ts";

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
  readonly #alarm: Alarm = { at: Number.POSITIVE_INFINITY, ring: () => this.#timeOut() };
  #waiting: LookupAddress[] = [];
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
    this.#fail(this.#errorOf(code));
  }

  #lookUp(): void {
    const { host, hints, lookup = systemLookup, autoSelectFamily = getDefaultAutoSelectFamily() } = this.#target;
    const family = this.#target.family ?? 0;
    const all = autoSelectFamily && family !== 4 && family !== 6;
    const options = { family, all, ...(hints !== undefined && { hints }) };
    (lookup as typeof systemLookup)(host, options, (error, found, foundFamily) => {
      const addresses: LookupAddress[] = error
        ? []
        : Array.isArray(found)
          ? found
          : [{ address: found, family: foundFamily ?? isIP(found) }];
      if (error) this.#observer.onLookup(error, undefined, undefined, host);
      for (const each of addresses) this.#observer.onLookup(null, each.address, each.family, host);
      if (this.#over) return;
      const problem = error ?? problemOf(addresses, host, this.#target.port);
      if (problem === undefined) {
        this.#waiting = interleaved(addresses);
        this.#tryNext();
      } else this.#failLater(problem);
    });
  }

  #tryNext(): void {
    const candidate = this.#waiting.shift();
    if (candidate === undefined) return;
    const { port, localAddress, localPort, mptcp, fastOpen, blockList } = this.#target;
    const { address, family } = candidate;
    const alone = this.#waiting.length === 0 && this.#errors.length === 0;
    this.#tried = candidate;
    this.#observer.onAttempt(address, port, family);
    if (this.#over) return;
    const attempt: ConnectOptions = {
      remoteAddress: address,
      remotePort: port,
      ...(localAddress !== undefined && { localAddress }),
      ...(localPort !== undefined && localPort !== 0 && { localPort }),
      ...(mptcp !== undefined && { mptcp }),
      ...algorithmChoices(this.#target),
      ...(fastOpen !== undefined && { fastOpen: fastOpen && alone }),
    };
    const { host } = this.#stack;
    try {
      // Nobody listens on port 0.
      if (port === 0) throw this.#errorOf("ECONNREFUSED");
      if (isBlocked(blockList, address)) throw blocked(address);
      this.#connection = host.connect(attempt, this.#stack.now());
    } catch (error) {
      const failure = isAnswer(error) ? error : this.#errorOf(codeOfRefusal(error));
      process.nextTick(() => this.#fail(failure));
      return;
    }
    const milliseconds = this.#target.autoSelectFamilyAttemptTimeout ?? getDefaultAutoSelectFamilyAttemptTimeout();
    if (this.#waiting.length > 0) host.setAlarm(this.#alarm, this.#stack.now() + milliseconds * 1_000);
    this.#observer.onOpened(this.#connection, alone);
    this.#stack.wake();
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

  #fail(error: Error): void {
    if (this.#over) return;
    const { address, family } = this.#tried!;
    this.#stack.host.setAlarm(this.#alarm, Number.POSITIVE_INFINITY);
    this.#observer.onAttemptFailed(address, this.#target.port, family, error);
    if (this.#over) return;
    this.#errors.push(error);
    if (this.#waiting.length > 0) this.#tryNext();
    else this.#observer.onFailed(this.#errors.length === 1 ? error : aggregate(this.#errors));
  }

  #failLater(error: Error): void {
    process.nextTick(() => {
      if (!this.#over) this.#observer.onFailed(error);
    });
  }

  #errorOf(code: string): SocketError {
    const { localAddress, localPort, port } = this.#target;
    // These speak of our side.
    if ((code === "EADDRNOTAVAIL" || code === "EADDRINUSE") && localAddress !== undefined)
      return new SocketError(code, "bind", { address: localAddress, port: localPort ?? 0 });
    const local = localAddress === undefined ? "" : ` - Local (${localAddress}:${localPort ?? 0})`;
    return new SocketError(code, "connect", { address: this.#tried!.address, port }, local);
  }
}

/** What is told as it is. */
function isAnswer(error: unknown): error is Error {
  return error instanceof SocketError || (error as NodeJS.ErrnoException).code === "ERR_IP_BLOCKED";
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
function problemOf(addresses: readonly LookupAddress[], host: string, port: number): Error | undefined {
  if (addresses.length === 0) return coded(new Error(`No address of ${host} found`), "ENOTFOUND");
  for (const { address, family } of addresses) {
    if (typeof address !== "string" || isIP(address) === 0)
      return coded(new TypeError(`Invalid IP address: ${address}`), "ERR_INVALID_IP_ADDRESS");
    if (family !== 4 && family !== 6)
      return coded(
        new RangeError(`Invalid address family: ${String(family)} ${host}:${port}`),
        "ERR_INVALID_ADDRESS_FAMILY",
      );
  }
  return undefined;
}

function aggregate(errors: readonly Error[]): Error {
  return Object.assign(new AggregateError(errors), { code: (errors[0] as NodeJS.ErrnoException).code });
}
