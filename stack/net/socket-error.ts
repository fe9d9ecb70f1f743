/** Errors with the fields that node:net gives them, for programs look at `code` and `syscall`. */

import { constants } from "node:os";
import { getSystemErrorMap, inspect } from "node:util";
import { ConfigurationError } from "../host-options.ts";
import { NetworkError } from "../host.ts";

export interface SocketErrorPlace {
  address: string;
  /** 0: none in particular. */
  port: number;
}

/** What a system call would say; `errno` is negative, as Node has it. */
export class SocketError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  // Declared alone: what is not there is no property.
  declare readonly address?: string;
  declare readonly port?: number;
  /** Of a connection whose local end the application has named. */
  declare localAddress?: string;
  declare localPort?: number;

  /** `local`: the end of ours, as `address:port`. */
  constructor(code: string, syscall: string, place?: SocketErrorPlace, local?: string) {
    const errno = -((constants.errno as Readonly<Record<string, number>>)[code] ?? 0);
    super(
      `${syscall} ${code}${explanation(errno, syscall)}${textOf(place)}${local === undefined ? "" : ` - Local (${local})`}`,
    );
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    if (place === undefined) return;
    this.address = place.address;
    if (place.port > 0) this.port = place.port;
  }
}

// It prints itself as `Error`, as Node's do.
Object.defineProperty(SocketError.prototype, "constructor", { value: Error });

/** node:net has it for listen alone. */
function explanation(errno: number, syscall: string): string {
  const text = getSystemErrorMap().get(errno)?.[1];
  return syscall === "listen" && text !== undefined ? `: ${text}` : "";
}

function textOf(place: SocketErrorPlace | undefined): string {
  if (place === undefined) return "";
  return place.port > 0 ? ` ${place.address}:${place.port}` : ` ${place.address}`;
}

export interface CodedError extends Error {
  code: string;
}

/** A call that cannot be right, or comes at the wrong time. */
export function coded(error: Error, code: string): CodedError {
  return Object.assign(error, { code });
}

export function wrongType(name: string, expected: string, value: unknown): CodedError {
  const kind = name.includes(".") ? "property" : "argument";
  return coded(
    new TypeError(`The "${name}" ${kind} must be ${expected}. Received ${received(value)}`),
    "ERR_INVALID_ARG_TYPE",
  );
}

/** How Node names what it has got instead of what it wanted. */
export function received(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "object") {
    const name = (value.constructor as { name?: string } | undefined)?.name;
    return name === undefined ? inspect(value, { depth: -1 }) : `an instance of ${name}`;
  }
  const short = typeof value === "string" && value.length > 28 ? `${value.slice(0, 25)}...` : value;
  return `type ${typeof value} (${inspect(short)})`;
}

export function outOfRange(name: string, expected: string, value: number): CodedError {
  return coded(
    new RangeError(`The value of "${name}" is out of range. It must be ${expected}. Received ${value}`),
    "ERR_OUT_OF_RANGE",
  );
}

export function wrongValue(name: string, problem: string): CodedError {
  return coded(
    new TypeError(`The ${name.includes(".") ? "property" : "argument"} '${name}' ${problem}`),
    "ERR_INVALID_ARG_VALUE",
  );
}

export const blocked = (address: string): CodedError =>
  coded(new Error(`IP(${address}) is blocked by net.BlockList`), "ERR_IP_BLOCKED");
export const socketClosed = (): CodedError => coded(new Error("Socket is closed"), "ERR_SOCKET_CLOSED");
export const closedBeforeConnection = (): CodedError =>
  coded(new Error("Socket closed before the connection was established"), "ERR_SOCKET_CLOSED_BEFORE_CONNECTION");
export const endedByPeer = (): CodedError => coded(new Error("This socket has been ended by the other party"), "EPIPE");

/** What the host says of an address or a port; others' errors go on. */
export function codeOfRefusal(error: unknown): string {
  if (error instanceof NetworkError && error.code !== "ERR_SOCKET_BAD_PORT") return error.code;
  if (error instanceof ConfigurationError) return "EINVAL";
  throw error;
}
