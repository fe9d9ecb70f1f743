import { nativeAddon, type NativeHandle } from "./native/addon.ts";

/**
 * One timer on CLOCK_MONOTONIC with the kernel's precision (timerfd), in place of setTimeout's millisecond. Setting it
 * to the time it already has costs nothing, so callers set it after every step.
 */
export class PreciseTimer {
  readonly #handle: NativeHandle;
  #at = Infinity;
  #closed = false;

  constructor(onTime: () => void) {
    this.#handle = nativeAddon().openTimer(() => {
      this.#at = Infinity;
      onTime();
    });
  }

  /** Fires once at this monotonic time in microseconds, at once when it is past; Infinity: never. Replaces the last. */
  set(atMicroseconds: number): void {
    if (atMicroseconds === this.#at || this.#closed) return;
    this.#at = atMicroseconds;
    nativeAddon().armTimer(this.#handle, atMicroseconds);
  }

  /** The process goes on while the timer is there, set or not: so it begins. */
  ref(): void {
    nativeAddon().setReferenced(this.#handle, true);
  }

  /** The process may end although the timer is set. */
  unref(): void {
    nativeAddon().setReferenced(this.#handle, false);
  }

  close(): void {
    this.#closed = true;
    nativeAddon().close(this.#handle);
  }
}
