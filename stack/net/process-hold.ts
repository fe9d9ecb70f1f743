/** What one socket, server or orphan has to say of whether the process goes on (`ref`, `unref`). */

import type { NetworkStack } from "./network-stack.ts";

export class ProcessHold {
  readonly #stack: NetworkStack;
  #isOn = false;

  constructor(stack: NetworkStack) {
    this.#stack = stack;
  }

  /** On: the process does not end while it is. */
  set(isOn: boolean): void {
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    if (isOn) this.#stack.hold?.();
    else this.#stack.release?.();
  }
}
