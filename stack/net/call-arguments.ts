/** The forms in which node:net takes its arguments, brought into one; what cannot be right is refused with Node's codes. */

import { ADDRCONFIG, ALL, V4MAPPED } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { inspect } from "node:util";
import type { AlgorithmChoices } from "../host-options.ts";
import { coded, outOfRange, received, wrongType, wrongValue } from "./socket-error.ts";

/** Algorithms that it leaves out are those of the host. */
export interface ConnectTarget extends Partial<AlgorithmChoices> {
  port: number | string;
  /** An address, or a name that `lookup` knows. Default "localhost", as in node:net. */
  host?: string;
  localAddress?: string;
  localPort?: number;
  /** 4, 6, or 0: either. Of what `lookup` shall find. */
  family?: number | "IPv4" | "IPv6";
  hints?: number;
  /** Default: that of node:dns, which asks the machine, not the host of the stack. */
  lookup?: LookupFunction;
  /** Try one address of a name after the other (RFC 8305). Default: net.getDefaultAutoSelectFamily(), true. */
  autoSelectFamily?: boolean;
  /** Milliseconds that each may take before the next is tried. Default: net.getDefaultAutoSelectFamilyAttemptTimeout(). */
  autoSelectFamilyAttemptTimeout?: number;
  /** Addresses in it are not connected to: ERR_IP_BLOCKED. */
  blockList?: BlockList;
  /** False: plain TCP. Default: as the host. */
  mptcp?: boolean;
  /** What is written in the same turn goes with the SYN, when the peer's cookie is known (TCP Fast Open, RFC 7413): it may arrive twice. Default false. */
  fastOpen?: boolean;
}

export type ConnectArguments<Options extends ConnectTarget = ConnectTarget> =
  | [options: Options, onConnect?: () => void]
  | [port: number | string, onConnect?: () => void]
  | [port: number | string, host?: string, onConnect?: () => void];

/** Algorithms that it leaves out are those of the host. */
export interface ListenTarget extends Partial<AlgorithmChoices> {
  /** 0 or none: any that is free. */
  port?: number | string | null;
  /** Default: every address of the host, as with `::`; `0.0.0.0`: every IPv4 address. */
  host?: string;
  /** With `::`: no IPv4. */
  ipv6Only?: boolean;
  backlog?: number;
  /** Ends listening. */
  signal?: AbortSignal;
  /** Take data that come with a SYN (TCP Fast Open, RFC 7413). Default false. */
  fastOpen?: boolean;
}

export type ListenArguments =
  | [options: ListenTarget, onListening?: () => void]
  | [port?: number | string | null, onListening?: () => void]
  | [port?: number | string | null, host?: string | null, onListening?: () => void]
  | [port?: number | string | null, backlog?: number | null, onListening?: () => void]
  | [port?: number | string | null, host?: string | null, backlog?: number | null, onListening?: () => void];

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Whether node:net takes it for the path of a socket in the file system. */
const isPath = (value: unknown): value is string => typeof value === "string" && !(Number(value) >= 0);

function callbackOf(args: readonly unknown[]): (() => void) | undefined {
  const last = args.at(-1);
  return typeof last === "function" ? (last as () => void) : undefined;
}

export interface ConnectCall<Options> {
  options: Options & { port: number; host: string };
  onConnect: (() => void) | undefined;
}

export function connectCall<Options extends ConnectTarget>(args: readonly unknown[]): ConnectCall<Options> {
  const [first, second] = args;
  if (args.length === 0) throw missingTarget();
  if (isPath(first)) throw wrongValue("path", "names a socket of the file system: hosts of the stack have none");
  const given = (isObject(first) ? first : { port: first, host: typeof second === "string" ? second : undefined }) as
    | (Options & { path?: unknown; fd?: unknown })
    | undefined;
  const options = given!;
  if (options.path) {
    if (typeof options.path !== "string") throw wrongType("options.path", "of type string", options.path);
    throw wrongValue("options.path", "names a socket of the file system: hosts of the stack have none");
  }
  if (options.port === undefined) throw missingTarget();
  // As node:net: what is false in a condition is not there.
  const { localAddress, localPort, host: givenHost, autoSelectFamily, autoSelectFamilyAttemptTimeout } = options;
  const host = givenHost || "localhost";
  if (typeof host !== "string") throw wrongType("options.host", "of type string", host);
  if (host.includes("\0"))
    throw wrongValue("options.host", `must be a string without null bytes. Received ${inspect(host)}`);
  if (localAddress && isIP(localAddress) === 0)
    throw coded(new TypeError(`Invalid IP address: ${localAddress}`), "ERR_INVALID_IP_ADDRESS");
  if (localPort && typeof localPort !== "number") throw wrongType("options.localPort", "of type number", localPort);
  if (typeof options.port !== "number" && typeof options.port !== "string")
    throw wrongType("options.port", "one of type number or string", options.port);
  const port = checkedPort(options.port, "Port");
  checkedBlockList(options.blockList);
  if (autoSelectFamily !== undefined && autoSelectFamily !== null && typeof autoSelectFamily !== "boolean")
    throw wrongType("options.autoSelectFamily", "of type boolean", autoSelectFamily);
  if (autoSelectFamilyAttemptTimeout !== undefined && autoSelectFamilyAttemptTimeout !== null)
    checkAttemptTimeout(autoSelectFamilyAttemptTimeout);
  if (isIP(host) === 0) checkLookup(options);
  return { options: { ...options, port, host }, onConnect: callbackOf(args) };
}

function checkAttemptTimeout(milliseconds: unknown): void {
  const name = "options.autoSelectFamilyAttemptTimeout";
  if (typeof milliseconds !== "number") throw wrongType(name, "of type number", milliseconds);
  if (!Number.isInteger(milliseconds)) throw outOfRange(name, "an integer", milliseconds);
  if (milliseconds < 1 || milliseconds > 2_147_483_647) throw outOfRange(name, ">= 1 && <= 2147483647", milliseconds);
}

/** What concerns names alone. A lookup function of the application's may have hints of its own. */
function checkLookup({ lookup, hints }: ConnectTarget): void {
  if (lookup !== undefined && lookup !== null && typeof lookup !== "function")
    throw wrongType("options.lookup", "of type function", lookup);
  if (!lookup && hints && (hints & ~(ADDRCONFIG | ALL | V4MAPPED)) !== 0)
    throw coded(new TypeError(`The argument 'hints' is invalid. Received ${hints}`), "ERR_INVALID_ARG_VALUE");
}

/** @throws ERR_INVALID_ARG_TYPE */
export function checkedBlockList(blockList: unknown): BlockList | undefined {
  // As node:net: what is false in a condition is none.
  if (!blockList) return undefined;
  if (!BlockList.isBlockList(blockList)) throw wrongType("options.blockList", "an net.BlockList", blockList);
  return blockList;
}

/** Whether the list has the address, which may be IPv4 in the clothes of IPv6. */
export function isBlocked(blockList: BlockList | undefined, address: string): boolean {
  return Boolean(blockList) && blockList!.check(address, address.includes(":") ? "ipv6" : "ipv4");
}

export interface ListenCall {
  options: Omit<ListenTarget, "port"> & { port: number };
  onListening: (() => void) | undefined;
}

export function listenCall(args: readonly unknown[]): ListenCall {
  const [first, second] = args;
  const onListening = callbackOf(args);
  if (isPath(first)) throw wrongValue("path", "names a socket of the file system: hosts of the stack have none");
  if (isObject(first)) {
    const options = first as ListenTarget & { path?: unknown };
    const { host: _, backlog, ...others } = options;
    if (options.port === undefined && !("port" in options))
      throw wrongValue(
        "options",
        'must have the property "port": there are neither sockets of the file system nor descriptors',
      );
    return {
      options: {
        ...others,
        port: listeningPort(options.port),
        // As node:net: what is false in a condition is not there.
        ...(options.host && { host: options.host }),
        ...backlogOf([backlog, ...args.slice(1, 3)]),
      },
      onListening,
    };
  }
  const port = typeof first === "function" ? undefined : first;
  return {
    options: {
      port: listeningPort(port),
      ...(typeof second === "string" && second !== "" && { host: second }),
      ...backlogOf(args.slice(1, 3)),
    },
    onListening,
  };
}

/** The first that is a number above 0, or reads as one. */
function backlogOf(values: readonly unknown[]): { backlog?: number } {
  const backlog = values
    .map((value) => (typeof value === "function" ? 0 : Math.trunc(Number(value))))
    .find((value) => value > 0);
  return backlog === undefined ? {} : { backlog };
}

function listeningPort(port: unknown): number {
  if (port === undefined || port === null) return 0;
  if (typeof port === "number" || typeof port === "string") return checkedPort(port, "options.port");
  throw wrongValue("options", `is invalid: a port that is of type ${typeof port}`);
}

function checkedPort(port: number | string, name: string): number {
  const value = Number(port);
  const isPort = Number.isInteger(value) && value >= 0 && value <= 65_535;
  if (!isPort || (typeof port === "string" && port.trim() === ""))
    throw coded(
      new RangeError(`${name} should be >= 0 and < 65536. Received ${received(port)}.`),
      "ERR_SOCKET_BAD_PORT",
    );
  return value;
}

function missingTarget(): Error {
  return coded(new TypeError('The "options" or "port" or "path" argument must be specified'), "ERR_MISSING_ARGS");
}
