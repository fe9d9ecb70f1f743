/** Why an application's connection did not come about, in the words of each of those who have to say it: errno, Convert (RFC 8803 §6.2.8), SOCKS5 (RFC 1928 §6). */
import { convertError } from "./convert-message.ts";
import { socks5Reply } from "./socks5-negotiation.ts";

export type ConnectFailureCode = "ECONNREFUSED" | "EHOSTUNREACH" | "ETIMEDOUT" | "EACCES" | "EMFILE" | "ENETUNREACH";

export interface ConnectFailureDetails {
  readonly icmpCode?: number;
  readonly cause?: Error;
}

export class ConnectFailure extends Error {
  readonly code: ConnectFailureCode;
  /** Of EHOSTUNREACH: what ICMP calls it (RFC 792): 0 network, 1 host unreachable. */
  readonly icmpCode: number;

  /** `ENETUNREACH`: the peer gateway itself was not reached, or did not understand. */
  constructor(code: ConnectFailureCode, message: string, { icmpCode = 1, cause }: ConnectFailureDetails = {}) {
    super(message, { cause });
    this.name = "ConnectFailure";
    this.code = code;
    this.icmpCode = icmpCode;
  }
}

/** Of a connect by `node:net`, or by our stack. */
export function failureOf(error: NodeJS.ErrnoException): ConnectFailure {
  if (error instanceof ConnectFailure) return error;
  switch (error.code) {
    case "ECONNREFUSED":
    case "ECONNRESET":
    // The server has accepted, ended its stream and reset before we could look.
    case "EPIPE":
      return new ConnectFailure("ECONNREFUSED", error.message);
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EADDRNOTAVAIL":
    case "EINVAL":
      return new ConnectFailure("EHOSTUNREACH", error.message, { icmpCode: error.code === "ENETUNREACH" ? 0 : 1 });
    case "EACCES":
    case "EPERM":
      return new ConnectFailure("EACCES", error.message);
    case "EMFILE":
    case "ENFILE":
    case "ENOBUFS":
    case "ENOMEM":
      return new ConnectFailure("EMFILE", error.message);
    default:
      return new ConnectFailure("ETIMEDOUT", error.message);
  }
}

/** What an Error TLV tells the client. */
export function failureOfConvertCode(code: number): ConnectFailure {
  const said = `the converter answered with error ${code}`;
  switch (code) {
    case convertError.connectionReset:
      return new ConnectFailure("ECONNREFUSED", said);
    case convertError.destinationUnreachable:
      return new ConnectFailure("EHOSTUNREACH", said);
    case convertError.notAuthorized:
      return new ConnectFailure("EACCES", said);
    case convertError.resourceExceeded:
      return new ConnectFailure("EMFILE", said);
    case convertError.networkFailure:
      return new ConnectFailure("ETIMEDOUT", said);
    default:
      return new ConnectFailure("ENETUNREACH", said);
  }
}

export function socks5CodeOf({ code }: ConnectFailure): number {
  switch (code) {
    case "ECONNREFUSED":
      return socks5Reply.connectionRefused;
    case "EHOSTUNREACH":
      return socks5Reply.hostUnreachable;
    case "EACCES":
      return socks5Reply.notAllowed;
    case "ENETUNREACH":
      return socks5Reply.networkUnreachable;
    case "EMFILE":
      return socks5Reply.generalFailure;
    case "ETIMEDOUT":
      return socks5Reply.timeToLiveExpired;
  }
}
