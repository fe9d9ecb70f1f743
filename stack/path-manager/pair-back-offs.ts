/** When the next subflow between two addresses may be tried, for all pairs of a connection. */

import type { SubflowCloseReason } from "../events.ts";
import type { IpAddress } from "../wire/ip-address.ts";
import { JoinBackOff } from "./join-back-off.ts";

/** A pair that has never answered is asked again, ever more rarely: the path to it may appear, but most likely there is none. */
const lastRetryOfUnanswered = 300_000_000;

interface Pair {
  local: IpAddress;
  remote: IpAddress;
  backOff: JoinBackOff;
}

export class PairBackOffs {
  readonly #pairs: Pair[] = [];

  /** Before this, in microseconds, no subflow from `local` to `remote`; 0: at once. */
  retryAt(local: IpAddress, remote: IpAddress): number {
    return this.#find(local, remote)?.retryAt ?? 0;
  }

  onEstablished(local: IpAddress, remote: IpAddress, now: number): void {
    this.#of(local, remote).onEstablished(now);
  }

  /** Returns how many microseconds are waited from now on; 0: the pair waits already, or has nothing to wait for. `permanent`: MPTCP does not get through there (RFC 8684 §3.6). */
  onClosed(local: IpAddress, remote: IpAddress, reason: SubflowCloseReason, permanent: boolean, now: number): number {
    const backOff = this.#of(local, remote);
    if (reason === "interface-down" || reason === "address-removed") {
      backOff.reset();
      return 0;
    }
    // Those that close together come back together.
    return backOff.retryAt > now ? 0 : backOff.onClosed(permanent, now);
  }

  #of(local: IpAddress, remote: IpAddress): JoinBackOff {
    const known = this.#find(local, remote);
    if (known !== undefined) return known;
    const backOff = new JoinBackOff(lastRetryOfUnanswered);
    this.#pairs.push({ local, remote, backOff });
    return backOff;
  }

  #find(local: IpAddress, remote: IpAddress): JoinBackOff | undefined {
    return this.#pairs.find((known) => known.local === local && known.remote === remote)?.backOff;
  }
}
