/** What programs may ask of a socket, checked, and what of it concerns its connection. */

import type { DuplexOptions } from "node:stream";
import { inspect } from "node:util";
import type { Connection } from "../host.ts";
import type { ConnectTarget } from "./call-arguments.ts";
import { outOfRange, wrongType, wrongValue } from "./socket-error.ts";
import type { OnReadOptions } from "./socket-reader.ts";

/** What libuv asks of the kernel: a probe each second, ten of them; two hours of silence before (RFC 9293 §3.8.4, MUST-28). */
const keepAliveProbes = { intervalMicroseconds: 1_000_000, probes: 10 };
const defaultKeepAliveIdle = 7_200_000_000;
/** DSCP in the octet that was the type of service (RFC 2474 §3). */
const differentiatedServicesBits = 0xfc;
const stackUserTimeout = 120_000_000;
/** What timers of Node take. */
const longestTimeout = 2 ** 31 - 1;

/** What `net.Socket` hands to its stream. */
type StreamOptions = Pick<
  DuplexOptions,
  "highWaterMark" | "readableHighWaterMark" | "writableHighWaterMark" | "encoding" | "defaultEncoding"
>;

/** `highWaterMark`: bytes that wait in the socket to be read, and of writes after which `write` says that it is enough. */
export interface MptcpSocketOptions extends StreamOptions {
  /** As for `net.Socket`: without it, the end of the peer's stream ends ours. Default false. */
  allowHalfOpen?: boolean;
  /** Destroys the socket. */
  signal?: AbortSignal;
  onread?: OnReadOptions;
  /** Small writes do not wait for the acknowledgement of others (TCP_NODELAY). Default false. */
  noDelay?: boolean;
  keepAlive?: boolean;
  /** Milliseconds; 0: two hours. */
  keepAliveInitialDelay?: number;
  /** Octet of the IP header, 0 … 255, as `setTypeOfService`. */
  typeOfService?: number;
}

/** As `setKeepAlive` of net.Socket takes it, too; times in milliseconds. */
export interface KeepAlive {
  enable?: boolean | undefined;
  initialDelay?: number | undefined;
  interval?: number | undefined;
  /** Probes without an answer after which the connection is lost. */
  count?: number | undefined;
}

export type SocketConnectOptions = ConnectTarget & MptcpSocketOptions & { timeout?: number };

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
export function checkedTimeout(milliseconds: unknown): number {
  if (typeof milliseconds !== "number") throw wrongType("msecs", "of type number", milliseconds);
  if (!(milliseconds >= 0 && Number.isFinite(milliseconds)))
    throw outOfRange("msecs", "a non-negative finite number", milliseconds);
  return Math.min(milliseconds, longestTimeout);
}

/** Noted before there is a connection, and given to it then. */
export class ConnectionOptions {
  #noDelay: boolean | undefined;
  #keepAlive: boolean | undefined;
  #idleMilliseconds: number;
  #probes = keepAliveProbes;
  #typeOfService: number | undefined;
  #userTimeoutMilliseconds: number | undefined;

  /** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
  constructor({ noDelay, keepAlive, keepAliveInitialDelay = 0, typeOfService }: MptcpSocketOptions) {
    if (typeof keepAliveInitialDelay !== "number")
      throw wrongType("options.keepAliveInitialDelay", "of type number", keepAliveInitialDelay);
    this.#noDelay = noDelay;
    this.#keepAlive = keepAlive;
    this.#idleMilliseconds = wholeSeconds(keepAliveInitialDelay);
    if (typeOfService !== undefined) this.setTypeOfService(typeOfService, "options.typeOfService");
  }

  /** 0 unless it was set. */
  get typeOfService(): number {
    return this.#typeOfService ?? 0;
  }

  /** The two bits of ECN are TCP's own (RFC 3168 §5): as the kernel, we leave them out. @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
  setTypeOfService(octet: number, name = "tos"): void {
    if (typeof octet !== "number" || Number.isNaN(octet)) throw wrongType(name, "of type number", octet);
    if (!Number.isInteger(octet)) throw outOfRange(name, "an integer", octet);
    if (octet < 0 || octet > 255) throw outOfRange(name, ">= 0 && <= 255", octet);
    this.#typeOfService = octet & differentiatedServicesBits;
  }

  /** 0: as the host. @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
  setUserTimeout(milliseconds: number): void {
    this.#userTimeoutMilliseconds = checkedTimeout(milliseconds);
  }

  setNoDelay(noDelay: boolean): void {
    this.#noDelay = noDelay;
  }

  /** What is 0 or not there is as before. */
  setKeepAlive({ enable = false, initialDelay = 0, interval = 0, count = 0 }: KeepAlive): void {
    this.#keepAlive = enable;
    this.#idleMilliseconds = wholeSeconds(initialDelay) || this.#idleMilliseconds;
    this.#probes = {
      intervalMicroseconds: wholeSeconds(interval) * 1_000 || this.#probes.intervalMicroseconds,
      probes: Math.trunc(count) || this.#probes.probes,
    };
  }

  apply(connection: Connection, now: number): void {
    if (this.#noDelay !== undefined) connection.noDelay = this.#noDelay;
    if (this.#typeOfService !== undefined) connection.marking.differentiatedServices = this.#typeOfService >> 2;
    if (this.#userTimeoutMilliseconds !== undefined)
      connection.setUserTimeout(this.#userTimeoutMilliseconds * 1_000 || defaultUserTimeout(connection));
    if (this.#keepAlive === undefined) return;
    const idleMicroseconds = this.#idleMilliseconds > 0 ? this.#idleMilliseconds * 1_000 : defaultKeepAliveIdle;
    connection.setKeepAlive(this.#keepAlive ? { idleMicroseconds, ...this.#probes } : undefined, now);
  }
}

/** Of the host, or where it has none either, of the stack (RFC 9293 §3.8.3, R2). */
function defaultUserTimeout({ environment }: Connection): number {
  return environment.tcp.userTimeoutMicroseconds ?? stackUserTimeout;
}

/** The kernel counts in seconds. */
function wholeSeconds(milliseconds: number): number {
  return Math.max(0, Math.trunc(milliseconds / 1_000)) * 1_000;
}

/** Options of node:net that cannot be had here are refused, never ignored. */
export function refuseForeign(options: object): void {
  for (const name of ["objectMode", "readableObjectMode", "writableObjectMode"]) {
    const value = (options as Record<string, unknown>)[name];
    if (value) throw wrongValue(`options.${name}`, `is not supported. Received ${inspect(value)}`);
  }
  for (const name of ["fd", "handle"])
    if ((options as Record<string, unknown>)[name] !== undefined)
      throw wrongValue(`options.${name}`, "names a descriptor: sockets of the stack have none");
}
