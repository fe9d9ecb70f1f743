/** The client's side of the Convert Protocol: each connection of an application becomes an MPTCP connection to the converter, which goes on to the destination. */
import { connect, type MptcpSocket, type NetworkStack } from "../../net/net.ts";
import { ConnectFailure, failureOfConvertCode } from "./connect-failure.ts";
import { type ConvertTlv, type TransportAddress, writeMessage } from "./convert-message.ts";
import { readMessage } from "./message-reader.ts";

export interface CarrierOptions {
  /** Of the converter. */
  readonly host: string;
  readonly port: number;
  /** Tell the converter who the application is: only one of ours understands it (a TLV for private use). */
  readonly tellSource: boolean;
}

export class Carrier {
  readonly #stack: NetworkStack;
  readonly #options: CarrierOptions;

  constructor(stack: NetworkStack, options: CarrierOptions) {
    this.#stack = stack;
    this.#options = options;
  }

  /** A socket of which the other end is `remote`: the converter has connected to it. Rejects with ConnectFailure. */
  async connect(remote: TransportAddress, application: TransportAddress): Promise<MptcpSocket> {
    const { host, port, tellSource } = this.#options;
    const socket = connect(this.#stack, { host, port, allowHalfOpen: true, noDelay: true });
    const request: ConvertTlv[] = [{ type: "connect", remote, tcpOptions: new Uint8Array(0) }];
    if (tellSource) request.push({ type: "source", application });
    // Whoever uses the socket has listeners of its own by the time something can happen to it.
    socket.on("error", () => undefined);
    socket.write(writeMessage(request));
    try {
      const answer = await readMessage(socket);
      const refusal = answer.find((tlv) => tlv.type === "error");
      if (refusal !== undefined) throw failureOfConvertCode(refusal.code);
      return socket;
    } catch (error) {
      socket.destroy();
      if (error instanceof ConnectFailure) throw error;
      throw new ConnectFailure("ENETUNREACH", `converter: ${(error as Error).message}`);
    }
  }
}
