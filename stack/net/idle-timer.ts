/** `socket.setTimeout`: rings when nothing has been read or written for so long, on the host's clock. */

import type { Alarm } from "../alarm.ts";
import { type ApplicationContext, callApplication, currentContext } from "./application-call.ts";
import type { NetworkStack } from "./network-stack.ts";

export class IdleTimer {
  readonly #stack: NetworkStack;
  readonly #alarm: Alarm;
  #microseconds = 0;
  /** Of who called `set`. */
  #context: ApplicationContext | undefined;

  constructor(stack: NetworkStack, onIdle: () => void) {
    this.#stack = stack;
    this.#alarm = { at: Number.POSITIVE_INFINITY, ring: () => callApplication(this.#context!, onIdle) };
  }

  /** 0: never. */
  set(milliseconds: number): void {
    this.#microseconds = milliseconds * 1_000;
    this.#context = currentContext();
    if (milliseconds > 0) this.touch();
    else this.#stack.host.setAlarm(this.#alarm, Number.POSITIVE_INFINITY);
    this.#stack.wake();
  }

  /** Something has been read or written. */
  touch(): void {
    if (this.#microseconds > 0) this.#stack.host.setAlarm(this.#alarm, this.#stack.now() + this.#microseconds);
  }

  stop(): void {
    this.#microseconds = 0;
    this.#stack.host.setAlarm(this.#alarm, Number.POSITIVE_INFINITY);
  }
}
