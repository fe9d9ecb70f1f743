/** The servers' side without a converter: what comes in over Multipath TCP on a port goes on to the same port of an address that the kernel reaches. */
import { once } from "node:events";
import { createServer, type NetworkStack } from "../../net/net.ts";
import { parseIpAddress } from "../../wire/ip-address.ts";
import type { TransportAddress } from "./convert-message.ts";
import { kernelOutlet } from "./outlet.ts";
import type { RelaySocket } from "./relay.ts";

export interface ForwarderOptions {
  /** Where the server is, in the eyes of this machine's kernel. */
  readonly toAddress: string;
  readonly maximumConnections: number;
  /** The two are to be joined. */
  readonly onConnected: (client: RelaySocket, server: RelaySocket, to: TransportAddress) => void;
  readonly onFailed: (to: TransportAddress, problem: string) => void;
}

/** Resolves when it listens. Rejects with Error with the code EADDRINUSE. */
export async function forward(stack: NetworkStack, port: number, options: ForwarderOptions): Promise<void> {
  const { toAddress, maximumConnections, onConnected, onFailed } = options;
  const to = { address: parseIpAddress(toAddress)!, port };
  const open = kernelOutlet({ toAddress, proxyProtocol: false });
  const serve = async (client: RelaySocket): Promise<void> => {
    client.on("error", () => undefined);
    try {
      onConnected(client, await open(to, undefined), to);
    } catch (error) {
      // It has its connection already: that nobody listens here it can only hear as a reset.
      client.resetAndDestroy();
      onFailed(to, (error as Error).message);
    }
  };
  const server = createServer(
    stack,
    { allowHalfOpen: true, noDelay: true, pauseOnConnect: true },
    (client) => void serve(client),
  );
  server.maxConnections = maximumConnections;
  server.listen({ port, backlog: maximumConnections, fastOpen: true });
  await once(server, "listening");
}
