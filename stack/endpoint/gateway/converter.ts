/** The server's side of the Convert Protocol (RFC 8803 §4): takes connections, connects to where they ask to go, answers, and joins the two. */
import { tcpOptionKind } from "../../wire/tcp-segment.ts";
import { convertCodeOf, failureOf } from "./connect-failure.ts";
import {
  convertError,
  ConvertMessageError,
  type ConvertTlv,
  type TransportAddress,
  writeMessage,
} from "./convert-message.ts";
import { readMessage } from "./message-reader.ts";
import { relay, type RelayResult, type RelaySocket } from "./relay.ts";

/** Who connects and says nothing is not waited for longer than this. */
const patienceMilliseconds = 10_000;
/** MPTCP's kind of TCP option. */
const convertible = [30];

export interface ConverterSocket extends RelaySocket {
  setTimeout(milliseconds: number, onTimeout?: () => void): unknown;
}

export interface ConverterOptions {
  /** Connects to `remote`, for `application`, if the client has said who that is. Rejects with what `failureOf` takes. */
  readonly open: (remote: TransportAddress, application: TransportAddress | undefined) => Promise<RelaySocket>;
  /** A connection that was carried has ended. */
  readonly onCarried: (remote: TransportAddress, result: RelayResult) => void;
  /** A connection that was asked for did not come about. */
  readonly onFailed: (problem: string) => void;
}

export class Converter {
  readonly #options: ConverterOptions;

  constructor(options: ConverterOptions) {
    this.#options = options;
  }

  /** Serves a client's connection, of which nothing has been read. */
  async serve(client: ConverterSocket): Promise<void> {
    const { open, onCarried, onFailed } = this.#options;
    client.on("error", () => undefined);
    const giveUp = (): void => void client.resetAndDestroy();
    client.setTimeout(patienceMilliseconds, giveUp);
    try {
      const request = await readMessage(client);
      client.setTimeout(0, giveUp);
      if (request.some(({ type }) => type === "info")) {
        client.end(writeMessage([{ type: "supported-tcp-extensions", kinds: convertible }]));
        client.resume();
        return;
      }
      const { remote, application } = destinationOf(request);
      const server = await open(remote, application);
      // It has gone meanwhile, or it hears that its connection is there before it hears anything that comes over it.
      if (!client.destroyed)
        client.write(writeMessage([{ type: "extended-tcp-header", tcpOptions: new Uint8Array(0) }]));
      relay(client, server, (result) => onCarried(remote, result));
    } catch (error) {
      onFailed((error as Error).message);
      if (client.destroyed) return;
      const code = error instanceof ConvertMessageError ? error.code : convertCodeOf(failureOf(error as Error));
      client.end(writeMessage([{ type: "error", code, value: new Uint8Array(1) }]));
      client.resume();
      client.setTimeout(patienceMilliseconds, giveUp);
    }
  }
}

function destinationOf(request: readonly ConvertTlv[]): {
  remote: TransportAddress;
  application: TransportAddress | undefined;
} {
  const asked = request.find((tlv) => tlv.type === "connect");
  if (asked === undefined) throw new ConvertMessageError(convertError.malformedMessage, "nothing is asked for");
  // The kernel's sockets take no options of the client's choosing; which it may leave out are these (RFC 8803 §6.2.5).
  const foreign = asked.tcpOptions.find((kind) => kind !== tcpOptionKind.end && kind !== tcpOptionKind.noOperation);
  if (foreign !== undefined)
    throw new ConvertMessageError(convertError.unsupportedTcpOption, `TCP option ${foreign} is asked for`);
  return { remote: asked.remote, application: request.find((tlv) => tlv.type === "source")?.application };
}
