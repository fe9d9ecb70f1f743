export type NetworkErrorCode = "EADDRINUSE" | "EADDRNOTAVAIL" | "ENETUNREACH" | "EINVAL" | "ERR_SOCKET_BAD_PORT";

/** An application call that cannot be done; `code` as node:net. */
export class NetworkError extends Error {
  readonly code: NetworkErrorCode;

  constructor(code: NetworkErrorCode, message: string) {
    super(message);
    this.name = "NetworkError";
    this.code = code;
  }
}
