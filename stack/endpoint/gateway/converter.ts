/** The server's side of the Convert Protocol (RFC 8803 §4): takes connections, connects to where they ask to go, and answers. */
import { ClientLimits } from "./client-limits.ts";
import type { ConvertCookies } from "./convert-cookies.ts";
import {
  convertError,
  ConvertMessageError,
  tcpOptionKinds,
  type TransportAddress,
  writeMessage,
} from "./convert-message.ts";
import { errorAnswer, RequestRefused } from "./error-answer.ts";
import { type ReceivedMessage, readMessage } from "./message-reader.ts";
import type { RelaySocket } from "./relay.ts";

/** Who connects and says nothing is not waited for longer than this; on a machine with too much to do the first bytes of a thousand connections take their time. */
const patienceMilliseconds = 60_000;
/** MPTCP's kind of TCP option. */
const convertible = [30];
/** Maximum segment size, window scale and SACK are the business of who terminates a connection (RFC 8803 §7.1 to §7.3). */
const ignoredOptions = [2, 3, 5];

export interface ConverterSocket extends RelaySocket {
  readonly remoteAddress?: string | undefined;
  setTimeout(milliseconds: number, onTimeout?: () => void): unknown;
}

export interface ConverterOptions {
  /** Connects to `remote`, for `application`, if the client has said who that is. Rejects with what `failureOf` takes. */
  readonly open: (remote: TransportAddress, application: TransportAddress | undefined) => Promise<RelaySocket>;
  /** Only for who can receive what we send (RFC 8803 §6.2.7); undefined: for everybody. */
  readonly cookies?: ConvertCookies | undefined;
  /** Connections at a time. */
  readonly maximumConnections: number;
  /** A client has its connection, and has been told: the two are to be joined. */
  readonly onConnected: (client: RelaySocket, server: RelaySocket, remote: TransportAddress) => void;
  /** A connection that was asked for did not come about. */
  readonly onFailed: (problem: string) => void;
}

export class Converter {
  readonly #options: ConverterOptions;
  readonly #limits = new ClientLimits();
  #connections = 0;

  constructor(options: ConverterOptions) {
    this.#options = options;
  }

  /** Serves a client's connection, of which nothing has been read. */
  async serve(client: ConverterSocket): Promise<void> {
    const { onConnected, onFailed } = this.#options;
    const clientAddress = client.remoteAddress ?? "";
    client.on("error", () => undefined);
    client.once("close", () => this.#connections--);
    this.#connections++;
    const giveUp = (): void => void client.resetAndDestroy();
    client.setTimeout(patienceMilliseconds, giveUp);
    try {
      const request = await readMessage(client);
      client.setTimeout(0, giveUp);
      this.#admit(request, clientAddress);
      if (request.tlvs.some(({ type }) => type === "info")) {
        client.end(writeMessage([{ type: "supported-tcp-extensions", kinds: convertible }]));
        client.resume();
        return;
      }
      const { remote, application } = destinationOf(request);
      const server = await this.#open(remote, application, clientAddress);
      // It has gone meanwhile, or it hears that its connection is there before it hears anything that comes over it.
      if (!client.destroyed)
        client.write(writeMessage([{ type: "extended-tcp-header", tcpOptions: new Uint8Array(0) }]));
      onConnected(client, server, remote);
    } catch (error) {
      onFailed((error as Error).message);
      if (client.destroyed) return;
      const answer = errorAnswer(error as Error);
      if (answer === undefined) {
        giveUp();
        return;
      }
      // No reset, which could overtake it: the client resets (§6.2.2, §6.2.8).
      if (this.#limits.mayTellError(clientAddress)) client.end(writeMessage([answer]));
      else client.end();
      client.resume();
      client.setTimeout(patienceMilliseconds, giveUp);
    }
  }

  /** @throws RequestRefused */
  #admit({ tlvs }: ReceivedMessage, clientAddress: string): void {
    const { cookies, maximumConnections } = this.#options;
    if (this.#connections > maximumConnections)
      throw Object.assign(new Error(`${maximumConnections} connections are carried already`), { code: "EMFILE" });
    if (cookies === undefined) return;
    const shown = tlvs.find((tlv) => tlv.type === "cookie");
    if (shown === undefined) {
      const value = Uint8Array.from([0, ...cookies.issue(clientAddress)]);
      throw new RequestRefused(convertError.missingCookie, `${clientAddress} has no cookie yet`, value);
    }
    if (!cookies.isValid(shown.cookie, clientAddress))
      throw new RequestRefused(convertError.notAuthorized, `${clientAddress} shows a cookie that is not its own`);
  }

  async #open(
    remote: TransportAddress,
    application: TransportAddress | undefined,
    clientAddress: string,
  ): Promise<RelaySocket> {
    if (!this.#limits.begin(clientAddress))
      throw Object.assign(new Error(`${clientAddress} asks for too much at a time`), { code: "EMFILE" });
    try {
      return await this.#options.open(remote, application);
    } finally {
      this.#limits.end(clientAddress);
    }
  }
}

/** @throws ConvertMessageError, RequestRefused */
function destinationOf({ tlvs, message }: ReceivedMessage): {
  remote: TransportAddress;
  application: TransportAddress | undefined;
} {
  const asked = tlvs.find((tlv) => tlv.type === "connect");
  if (asked === undefined) {
    const error = new ConvertMessageError(convertError.malformedMessage, "nothing is asked for");
    error.received = message;
    throw error;
  }
  // The kernel's sockets take no options of the client's choosing (§6.2.5).
  const foreign = [...new Set(tcpOptionKinds(asked.tcpOptions))].filter((kind) => !ignoredOptions.includes(kind));
  if (foreign.length > 0)
    throw new RequestRefused(
      convertError.unsupportedTcpOption,
      `TCP options ${foreign.join(", ")} are asked for`,
      Uint8Array.from(foreign),
    );
  return { remote: asked.remote, application: tlvs.find((tlv) => tlv.type === "source")?.application };
}
