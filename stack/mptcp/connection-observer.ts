/** The face of a connection towards the application. */

/** Error codes of node:net. */
export type ConnectionErrorCode = "ECONNREFUSED" | "ECONNRESET" | "ETIMEDOUT" | "ECONNABORTED" | "EHOSTUNREACH";

/** Told by `Host.deliverNotifications`, never from within another call. */
export interface ConnectionObserver {
  onEstablished(): void;
  /** Edge: `read` gives something again. */
  onReadable(): void;
  /** Edge: `write` had refused bytes and now has room. */
  onWritable(): void;
  /** Once for each `tellWhenSettled`: the peer has acknowledged all that was written, and the end if it had come. */
  onSettled?(): void;
  /** All that the peer sent has been received; `read` may still hold some of it. */
  onRemoteEnd(): void;
  /** Nothing more will come; `error` when it did not end well. */
  onClosed(error: ConnectionErrorCode | undefined): void;
}

/** A call that the state of the connection does not allow. */
export class ConnectionStateError extends Error {
  readonly code: "EPIPE" | "ENOTCONN";

  constructor(code: "EPIPE" | "ENOTCONN", message: string) {
    super(message);
    this.name = "ConnectionStateError";
    this.code = code;
  }
}

/** What has happened since the observer was last told. */
export class Notifications {
  established = false;
  readable = false;
  writable = false;
  settled = false;
  remoteEnd = false;
  closed = false;
  error: ConnectionErrorCode | undefined;

  /** Returns whether the connection's state changed, as opposed to bytes that may be read or written. */
  deliver(observer: ConnectionObserver): boolean {
    const stateChanged = this.established || this.remoteEnd || this.closed;
    if (this.established) {
      this.established = false;
      observer.onEstablished();
    }
    if (this.readable) {
      this.readable = false;
      observer.onReadable();
    }
    if (this.remoteEnd) {
      this.remoteEnd = false;
      observer.onRemoteEnd();
    }
    if (this.writable) {
      this.writable = false;
      observer.onWritable();
    }
    if (this.settled) {
      this.settled = false;
      observer.onSettled?.();
    }
    if (this.closed) {
      this.closed = false;
      observer.onClosed(this.error);
    }
    return stateChanged;
  }
}
