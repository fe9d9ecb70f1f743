/** Errors with the fields that node:net gives them, for programs look at `code` and `syscall`. */

import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";
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
  readonly address?: string;
  readonly port?: number;

  constructor(code: string, syscall: string, place?: SocketErrorPlace, detail = "") {
    const errno = -((constants.errno as Readonly<Record<string, number>>)[code] ?? 0);
    super(`${syscall} ${code}${explanation(errno, syscall)}${textOf(place)}${detail}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    if (place === undefined) return;
    this.address = place.address;
    if (place.port > 0) this.port = place.port;
  }
}

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
  const received = value === null || value === undefined ? String(value) : `type ${typeof value}`;
  return coded(
    new TypeError(`The "${name}" ${kind} must be ${expected}. Received ${received}`),
    "ERR_INVALID_ARG_TYPE",
  );
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
