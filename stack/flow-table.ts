/** Which subflow a segment belongs to: by ports first, a number that a Map hashes fast, then by the two addresses. */

import type { Subflow } from "./mptcp/subflow.ts";
import type { IpAddress } from "./wire/ip-address.ts";

const none: readonly Subflow[] = [];

export class FlowTable {
  readonly #byPorts = new Map<number, Subflow[]>();

  size = 0;

  add(subflow: Subflow): void {
    this.size++;
    const { localPort, remotePort } = subflow.endpoint;
    const key = localPort * 0x10000 + remotePort;
    const bucket = this.#byPorts.get(key);
    if (bucket === undefined) this.#byPorts.set(key, [subflow]);
    else bucket.push(subflow);
  }

  remove(subflow: Subflow): void {
    const { localPort, remotePort } = subflow.endpoint;
    const key = localPort * 0x10000 + remotePort;
    const before = this.#byPorts.get(key) ?? none;
    const rest = before.filter((other) => other !== subflow);
    this.size -= before.length - rest.length;
    if (rest.length === 0) this.#byPorts.delete(key);
    else this.#byPorts.set(key, rest);
  }

  find(localAddress: IpAddress, localPort: number, remoteAddress: IpAddress, remotePort: number): Subflow | undefined {
    for (const subflow of this.#byPorts.get(localPort * 0x10000 + remotePort) ?? none) {
      const { endpoint } = subflow;
      if (endpoint.localAddress === localAddress && endpoint.remoteAddress === remoteAddress) return subflow;
    }
    return undefined;
  }
}
