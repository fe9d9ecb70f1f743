/**
 * To the converter, or whoever else is to be reached, by whichever of its addresses, from whichever of ours, answers first: a path that is down costs a new connection a quarter of a second, as RFC 8305 has
 * it for addresses of names, and the next ones nothing.
 */
import type { Alarm } from "../../alarm.ts";
import { connect, type MptcpSocket, type NetworkStack } from "../../net/net.ts";
import { ConnectFailure } from "./connect-failure.ts";
import type { HostAndPort } from "./gateway-options.ts";

/** RFC 8305 §5, Connection Attempt Delay. */
const attemptDelay = 250_000;
/** So long, in microseconds, a pair of addresses that was overtaken or failed is asked after the others. */
const deferral = 30_000_000;

interface Pair {
  readonly localAddress: string;
  readonly host: string;
  readonly port: number;
}

export class ConverterDialler {
  readonly #stack: NetworkStack;
  readonly #peers: HostAndPort[];
  /** Until when, by the names of both ends. */
  readonly #deferred = new Map<string, number>();
  /** Pairs that are silent, and of which one of many who wait finds out whether another answers: when it is our machine that is slow, asking twice makes it slower. */
  readonly #doubted = new Set<string>();

  /** @param peers addresses of one converter, the best first */
  constructor(stack: NetworkStack, peers: readonly HostAndPort[]) {
    this.#stack = stack;
    this.#peers = [...peers];
  }

  /** The converter has said that this is an address of its own, too (ADD_ADDR). */
  learn(host: string): void {
    if (!this.#peers.some((peer) => peer.host === host)) this.#peers.push({ host, port: this.#peers[0]!.port });
  }

  /**
   * `early`, where it is given, gives what may already go with the SYN of the first attempt, if TCP Fast Open has a cookie for it; it is written in any case.
   * Rejects with ConnectFailure, its cause that of the last pair, when none is left to wait for.
   */
  dial(early?: (localAddress: string) => Uint8Array): Promise<{ socket: MptcpSocket; writtenEarly: boolean }> {
    const { host } = this.#stack;
    const pairs = this.#pairs();
    return new Promise((resolve, reject) => {
      const waiting: { pair: Pair; socket: MptcpSocket }[] = [];
      let next = 0;
      let failure: Error = Object.assign(new Error("none of its addresses is to be reached from here"), {
        code: "ENETUNREACH",
      });
      let doubt: string | undefined;
      const alarm: Alarm = {
        at: Number.POSITIVE_INFINITY,
        ring: () => {
          const name = nameOf(pairs[next - 1]!);
          if (this.#doubted.has(name) && !this.#isDeferred(name)) {
            host.setAlarm(alarm, this.#stack.now() + attemptDelay);
            return;
          }
          if (doubt === undefined) this.#doubted.add((doubt = name));
          tryNext();
        },
      };
      const settle = (): void => {
        host.setAlarm(alarm, Number.POSITIVE_INFINITY);
        if (doubt !== undefined) this.#doubted.delete(doubt);
      };
      const tryNext = (): void => {
        host.setAlarm(alarm, Number.POSITIVE_INFINITY);
        const pair = pairs[next++];
        if (pair === undefined) {
          if (waiting.length > 0) return;
          settle();
          reject(new ConnectFailure("ENETUNREACH", `converter: ${failure.message}`, { cause: failure }));
          return;
        }
        const writesEarly = early !== undefined && next === 1;
        const socket = connect(this.#stack, { ...pair, allowHalfOpen: true, noDelay: true, fastOpen: writesEarly });
        waiting.push({ pair, socket });
        socket.on("error", (error) => {
          const at = waiting.findIndex((attempt) => attempt.socket === socket);
          if (at < 0) return;
          waiting.splice(at, 1);
          failure = error;
          this.#defer(pair);
          tryNext();
        });
        socket.once("connect", () => {
          settle();
          for (const attempt of waiting.splice(0)) {
            if (attempt.socket === socket) continue;
            this.#defer(attempt.pair);
            attempt.socket.destroy();
          }
          resolve({ socket, writtenEarly: writesEarly });
        });
        if (writesEarly) socket.write(early(pair.localAddress));
        if (next < pairs.length) host.setAlarm(alarm, this.#stack.now() + attemptDelay);
        this.#stack.wake();
      };
      tryNext();
    });
  }

  #defer(pair: Pair): void {
    this.#deferred.set(nameOf(pair), this.#stack.now() + deferral);
  }

  #isDeferred(name: string): boolean {
    return (this.#deferred.get(name) ?? 0) > this.#stack.now();
  }

  /** All that a route leads from and to, each next one as unlike those before it as can be: one dead address takes several pairs with it. */
  #pairs(): Pair[] {
    const left = this.#peers.flatMap(({ host, port }) =>
      this.#stack.host.sourcesFor(host).map((localAddress) => ({ localAddress, host, port })),
    );
    const used = new Map<string, number>();
    const uses = ({ localAddress, host }: Pair): number => (used.get(localAddress) ?? 0) + (used.get(host) ?? 0);
    const ordered: Pair[] = [];
    while (left.length > 0) {
      const pair = left.reduce((best, each) => (uses(each) < uses(best) ? each : best));
      left.splice(left.indexOf(pair), 1);
      ordered.push(pair);
      for (const end of [pair.localAddress, pair.host]) used.set(end, (used.get(end) ?? 0) + 1);
    }
    const isDeferred = (pair: Pair): boolean => this.#isDeferred(nameOf(pair));
    return [...ordered.filter((pair) => !isDeferred(pair)), ...ordered.filter(isDeferred)];
  }
}

function nameOf({ localAddress, host }: Pair): string {
  return `${localAddress} ${host}`;
}
