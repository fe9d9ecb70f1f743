/** The Error TLV with which a converter answers what it cannot do (RFC 8803 §6.2.8): the code, and what each code's value tells. */
import { type ConnectFailure, type ConnectFailureCode, failureOf } from "./connect-failure.ts";
import {
  convertError,
  ConvertMessageError,
  type ConvertTlv,
  convertVersion,
  maximumMessageBytes,
} from "./convert-message.ts";

/** Seconds after which a client may ask again that was turned away for want of room; 0 would say at least 30. */
const busySeconds = 1;
/** In front of an echoed message: the header of ours, and type, length, code and a zero. */
const echoOffset = 8;

/** A request that is understood and not granted. */
export class RequestRefused extends Error {
  readonly code: number;
  readonly value: Uint8Array;

  constructor(code: number, problem: string, value: Uint8Array = Uint8Array.of(0)) {
    super(problem);
    this.name = "RequestRefused";
    this.code = code;
    this.value = value;
  }
}

/** undefined: the answer is a reset. */
export function errorAnswer(error: Error): ConvertTlv | undefined {
  if (error instanceof RequestRefused) return { type: "error", code: error.code, value: error.value };
  if (error instanceof ConvertMessageError)
    return error.code === undefined ? undefined : { type: "error", code: error.code, value: valueOf(error) };
  const failure = failureOf(error);
  return { type: "error", code: codes[failure.code], value: Uint8Array.of(valueOfFailure(failure)) };
}

/** What was received stands where it stood: on a boundary of four bytes (Figure 23). */
function valueOf({ code, received }: ConvertMessageError): Uint8Array {
  if (code === convertError.unsupportedVersion) return Uint8Array.of(convertVersion);
  return Uint8Array.from([0, ...received.subarray(0, maximumMessageBytes - echoOffset)]);
}

function valueOfFailure({ code, icmpCode }: ConnectFailure): number {
  if (code === "EHOSTUNREACH") return icmpCode;
  return code === "EMFILE" ? busySeconds : 0;
}

const codes: Record<ConnectFailureCode, number> = {
  ECONNREFUSED: convertError.connectionReset,
  EHOSTUNREACH: convertError.destinationUnreachable,
  EACCES: convertError.notAuthorized,
  EMFILE: convertError.resourceExceeded,
  ETIMEDOUT: convertError.networkFailure,
  ENETUNREACH: convertError.networkFailure,
};
