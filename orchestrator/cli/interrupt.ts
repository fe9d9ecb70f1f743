/** How a verb that runs experiments ends before its time. */

/** A broken program is 4; everything else that ends a run is the machine's. */
export function reportFailure(error: Error): void {
  const internal = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
  process.stderr.write(`pathlab: ${internal ? (error.stack ?? error.message) : error.message}\n`);
  process.exitCode = internal ? 4 : 3;
}

/** The first Ctrl-C, SIGTERM or SIGHUP takes everything down and ends with 130, 143 or 129; a second one does not hurry it. */
export class Interrupt {
  exitCode: number | undefined;
  readonly #controller = new AbortController();
  readonly #onInterrupt = (): void => this.#abort("Ctrl-C", 130);
  readonly #onTerminate = (): void => this.#abort("SIGTERM", 143);
  readonly #onHangUp = (): void => this.#abort("SIGHUP", 129);

  constructor() {
    process.on("SIGINT", this.#onInterrupt);
    process.on("SIGTERM", this.#onTerminate);
    process.on("SIGHUP", this.#onHangUp);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  release(): void {
    process.off("SIGINT", this.#onInterrupt);
    process.off("SIGTERM", this.#onTerminate);
    process.off("SIGHUP", this.#onHangUp);
  }

  #abort(what: string, exitCode: number): void {
    if (this.exitCode !== undefined) return;
    this.exitCode = exitCode;
    process.stderr.write(`\npathlab: ${what}: taking everything down\n`);
    this.#controller.abort(new Error(`interrupted by ${what}`));
  }
}
