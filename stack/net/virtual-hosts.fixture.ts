/** node:net as programs of two hosts have it, on a virtual network whose time goes on by itself. */

import type { Host } from "../host.ts";
import { makePair, type Pair, type PairOptions } from "../testing/pair.ts";
import { type Net, netOver, type NetworkStack } from "./net.ts";

export interface VirtualHosts {
  pair: Pair;
  client: Net;
  server: Net;
  serverAddress: string;
  clientAddress: string;
  /** Time stands still from now on. */
  close(): void;
}

export const stackOf = (pair: Pair, host: Host): NetworkStack => ({
  host,
  now: () => pair.network.now,
  wake: () => undefined,
});

/** A millisecond passes in each turn of the event loop. */
export function virtualHosts(options: PairOptions): VirtualHosts {
  const pair = makePair(options);
  let turning = setImmediate(function turn() {
    turning = setImmediate(turn);
    pair.network.run(1_000);
  });
  return {
    pair,
    client: netOver(stackOf(pair, pair.client)),
    server: netOver(stackOf(pair, pair.server)),
    serverAddress: "10.0.100.2",
    clientAddress: "10.0.1.2",
    close: () => clearImmediate(turning),
  };
}
