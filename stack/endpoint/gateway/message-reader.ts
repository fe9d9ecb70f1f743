/** Convert messages at the beginning of a stream. */
import { ConvertMessageError, type ConvertTlv, messageLength, parseMessage } from "./convert-message.ts";
import type { RelaySocket } from "./relay.ts";

export interface ReceivedMessage {
  readonly tlvs: readonly ConvertTlv[];
  /** All of it, as it came. */
  readonly message: Uint8Array;
}

/**
 * Reads one message and leaves what follows it in the socket, unread. Rejects with ConvertMessageError for what is none, and with the socket's error, or ECONNRESET,
 * when it ends before. The socket must not have been read from.
 */
export function readMessage(socket: RelaySocket): Promise<ReceivedMessage> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const stop = (): void => {
      socket.off("readable", onReadable).off("end", onEnd).off("close", onEnd).off("error", onError);
    };
    const onError = (error: Error): void => {
      stop();
      reject(error);
    };
    const onEnd = (): void =>
      onError(Object.assign(new Error("the connection ended before its Convert message"), { code: "ECONNRESET" }));
    const onReadable = (): void => {
      for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
        received = Buffer.concat([received, chunk]);
        try {
          const length = messageLength(received);
          if (length === undefined || received.length < length) continue;
          const tlvs = parseMessage(received.subarray(0, length));
          stop();
          if (received.length > length) socket.unshift(received.subarray(length));
          resolve({ tlvs, message: received.subarray(0, length) });
        } catch (error) {
          if (error instanceof ConvertMessageError) error.received = received;
          onError(error as Error);
        }
        return;
      }
    };
    socket.on("readable", onReadable).on("end", onEnd).on("close", onEnd).on("error", onError);
  });
}
