/** Applications come in by a TUN device: whatever they connect to, the far side is asked first, and they get its answer. */
import type { Connection, ConnectionRequest } from "../../host.ts";
import { MptcpSocket, type NetworkStack, Server } from "../../net/net.ts";
import { parseIpAddress } from "../../wire/ip-address.ts";
import type { ConnectFailure } from "./connect-failure.ts";
import type { TransportAddress } from "./convert-message.ts";
import type { RelaySocket } from "./relay.ts";

/** Connections that applications wait for at a time; whoever asks beyond that asks again a second later. */
const maximumRequests = 4096;

export interface EntranceOptions {
  /** Connects to `remote` on the far side. Rejects with ConnectFailure. */
  readonly connect: (remote: TransportAddress, application: TransportAddress) => Promise<RelaySocket>;
  /** An application has its connection: the two are to be joined. */
  readonly onConnected: (application: RelaySocket, far: RelaySocket, remote: TransportAddress) => void;
  readonly onFailed: (remote: TransportAddress, failure: ConnectFailure) => void;
}

/** `stack`: of a host with a transparent interface, which takes no other connections from now on. */
export function takeApplications(stack: NetworkStack, options: EntranceOptions): void {
  // To whom the sockets belong that no server has listened for.
  const server = new Server(stack);
  stack.host.listenTransparently({ backlog: maximumRequests }).onRequest = (request) =>
    void answer(request, stack, server, options);
}

async function answer(
  request: ConnectionRequest,
  stack: NetworkStack,
  server: Server,
  { connect, onConnected, onFailed }: EntranceOptions,
): Promise<void> {
  const remote = { address: parseIpAddress(request.localAddress)!, port: request.localPort };
  const application = { address: parseIpAddress(request.remoteAddress)!, port: request.remotePort };
  try {
    const far = await connect(remote, application);
    const connection = request.accept(stack.now());
    if (connection === undefined) far.resetAndDestroy();
    else onConnected(socketOf(stack, server, connection), far, remote);
  } catch (error) {
    const failure = error as ConnectFailure;
    onFailed(remote, failure);
    // Of a network that does not answer an application hears nothing, and asks again; everything else is somebody's answer.
    if (failure.code === "ENETUNREACH" || failure.code === "ETIMEDOUT") request.ignore();
    else request.refuse(stack.now());
  }
  stack.wake();
}

/** The application's end. Its kernel has yet to acknowledge our SYN/ACK, and resets when the application has given up. */
function socketOf(stack: NetworkStack, server: Server, connection: Connection): MptcpSocket {
  return new MptcpSocket(stack, { allowHalfOpen: true, noDelay: true }, { connection, server, pauseOnConnect: true });
}
