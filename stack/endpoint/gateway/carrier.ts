/** The client's side of the Convert Protocol: each connection of an application becomes an MPTCP connection to the converter, which goes on to the destination. */
import type { MptcpSocket, NetworkStack } from "../../net/net.ts";
import { isUnicast } from "../../unicast.ts";
import { ConnectFailure, failureOfConvertCode } from "./connect-failure.ts";
import { convertError, type ConvertTlv, type TransportAddress, writeMessage } from "./convert-message.ts";
import { ConverterDialler } from "./converter-dialler.ts";
import type { HostAndPort } from "./gateway-options.ts";
import { whileAnswerIsDue, whileCarried } from "./keep-alive.ts";
import { readMessage } from "./message-reader.ts";

/** What a converter means that says nothing else (RFC 8803 §6.2.8, Resource Exceeded). */
const defaultDelaySeconds = 30;

/** With a cookie that is good no more, with none, and with a new one. */
const maximumAttempts = 3;

export interface CarrierOptions {
  /** Addresses of the converter, the best first. */
  readonly peers: readonly HostAndPort[];
  /** Tell the converter who the application is: only one of ours understands it (a TLV for private use). */
  readonly tellSource: boolean;
  /** Ask in the SYN, where the converter has given a cookie of TCP Fast Open. */
  readonly fastOpen: boolean;
}

export class Carrier {
  readonly dialler: ConverterDialler;
  readonly #stack: NetworkStack;
  readonly #options: CarrierOptions;
  /** What the converter has given to each of our addresses. */
  readonly #cookies = new Map<string, Uint8Array>();
  /** Until then, in microseconds, the converter wants to be left alone. */
  #busyUntil = 0;

  constructor(stack: NetworkStack, options: CarrierOptions) {
    this.#stack = stack;
    this.#options = options;
    this.dialler = new ConverterDialler(stack, options.peers);
  }

  /** A socket of which the other end is `remote`: the converter has connected to it. Rejects with ConnectFailure. */
  async connect(remote: TransportAddress, application: TransportAddress): Promise<MptcpSocket> {
    // RFC 8803 §6.2.5: a converter is not asked for groups, or for itself.
    if (!isUnicast(remote.address, []) || remote.port === 0)
      throw new ConnectFailure("EHOSTUNREACH", "a destination that no server can have");
    if (this.#stack.now() < this.#busyUntil) throw new ConnectFailure("EMFILE", "the converter is busy");
    for (let attempts = 1; ; attempts++) {
      const socket = await this.#ask(remote, application, attempts < maximumAttempts);
      if (socket !== undefined) return socket;
    }
  }

  /** Undefined: the converter wants another cookie, which it has given by now, or has yet to be asked for. */
  async #ask(
    remote: TransportAddress,
    application: TransportAddress,
    mayAskAgain: boolean,
  ): Promise<MptcpSocket | undefined> {
    const request = (localAddress: string): Uint8Array => {
      const cookie = this.#cookies.get(localAddress);
      const tlvs: ConvertTlv[] = [{ type: "connect", remote, tcpOptions: new Uint8Array(0) }];
      if (cookie !== undefined) tlvs.push({ type: "cookie", cookie });
      if (this.#options.tellSource) tlvs.push({ type: "source", application });
      return writeMessage(tlvs);
    };
    const { socket, writtenEarly } = await this.dialler.dial(this.#options.fastOpen ? request : undefined);
    const localAddress = socket.localAddress!;
    const showedCookie = this.#cookies.has(localAddress);
    if (!writtenEarly) socket.write(request(localAddress));
    socket.setKeepAlive(whileAnswerIsDue);
    try {
      const { tlvs } = await readMessage(socket);
      const refusal = tlvs.find((tlv) => tlv.type === "error");
      if (refusal === undefined) return socket.setKeepAlive(whileCarried);
      if (this.#takesCookie(refusal, localAddress, showedCookie) && mayAskAgain) {
        socket.resetAndDestroy();
        return undefined;
      }
      if (refusal.code === convertError.resourceExceeded)
        this.#busyUntil = this.#stack.now() + (refusal.value[0] || defaultDelaySeconds) * 1_000_000;
      throw failureOfConvertCode(refusal.code);
    } catch (error) {
      // RFC 8803 §6.2.1, §6.2.8: errors, and what cannot be understood, are answered by a reset.
      socket.resetAndDestroy();
      if (error instanceof ConnectFailure) throw error;
      throw new ConnectFailure("ENETUNREACH", `converter: ${(error as Error).message}`);
    }
  }

  /** Whether it is worth asking again: with the cookie that came, or without the one that is good no more (RFC 8803 §6.2.7). */
  #takesCookie({ code, value }: ConvertTlv & { type: "error" }, localAddress: string, showedCookie: boolean): boolean {
    if (code === convertError.missingCookie) {
      this.#cookies.set(localAddress, value.slice(1));
      return true;
    }
    return code === convertError.notAuthorized && showedCookie && this.#cookies.delete(localAddress);
  }
}
