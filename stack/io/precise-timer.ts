import { monotonicMicroseconds } from "./clock.ts";
import { nativeAddon, type NativeHandle } from "./native/addon.ts";

/**
 * One timer on CLOCK_MONOTONIC with the kernel's precision (timerfd), in place of setTimeout's millisecond. Callers set it after every step, and mostly to a later time than before: the
 * kernel is then not told, but asked again when its time has come. That costs a wake-up now and then in the place of a system call for each segment.
 */
export class PreciseTimer {
  readonly #handle: NativeHandle;
  #at = Infinity;
  /** When the kernel will tell. */
  #armed = Infinity;
  #closed = false;

  constructor(onTime: () => void) {
    this.#handle = nativeAddon().openTimer(() => {
      this.#armed = Infinity;
      if (this.#at > monotonicMicroseconds()) {
        this.#arm();
        return;
      }
      this.#at = Infinity;
      onTime();
    });
  }

  /** Fires once at this monotonic time in microseconds, at once when it is past; Infinity: never. Replaces the last. */
  set(atMicroseconds: number): void {
    if (this.#closed) return;
    this.#at = atMicroseconds;
    if (atMicroseconds < this.#armed) this.#arm();
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

  #arm(): void {
    this.#armed = this.#at;
    nativeAddon().armTimer(this.#handle, this.#at);
  }
}
