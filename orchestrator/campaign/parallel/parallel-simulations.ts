/** Simulations that depend on nothing but their file and seed, on several processors: each in a process, the same in every byte as one after the other. */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ExperimentOutcome } from "../run-experiment.ts";
import type { FromWorker, SimulationJob, ToWorker } from "./protocol.ts";

export interface ParallelOptions {
  /** Processes at the same time, at most. */
  readonly workers: number;
  readonly signal: AbortSignal;
  readonly progress: (job: SimulationJob, message: string) => void;
}

const program = fileURLToPath(new URL("main.ts", import.meta.url));

/** How many simulations of `bytesOfEach` run at the same time: as many as processors, or as `wanted`, for as long as the memory holds them. */
export function workersFor(jobs: number, wanted: number, bytesOfEach: number, availableBytes: number): number {
  return Math.max(1, Math.min(jobs, wanted, Math.floor(availableBytes / bytesOfEach)));
}

/**
 * Outcomes in the order of `jobs`, each as soon as all before it are there. After a run that was ended by an error none is begun; what is under way is brought to
 * its end. When the signal says so, what is under way is stopped as well, its bundles sealed: their outcomes have the reason as their error, and come still.
 *
 * @throws Error what kept a run from beginning, or that a process ended without a word
 */
export async function* runSimulations(
  jobs: readonly SimulationJob[],
  options: ParallelOptions,
): AsyncGenerator<ExperimentOutcome, void, undefined> {
  const pending = jobs.map(() => Promise.withResolvers<ExperimentOutcome | undefined>());
  // Whoever stops listening after one failure is not to be told of others.
  for (const { promise } of pending) promise.catch(() => undefined);
  let next = 0;
  let isOver = options.signal.aborted;
  const takeJob = (): number => (isOver || options.signal.aborted ? jobs.length : next++);
  const work = async (): Promise<void> => {
    let at = takeJob();
    if (at >= jobs.length) return;
    const worker = new Worker(options.signal);
    try {
      for (; at < jobs.length; at = takeJob()) {
        const job = jobs[at]!;
        try {
          const outcome = await worker.run(job, (message) => options.progress(job, message));
          if (outcome.error !== undefined) isOver = true;
          pending[at]!.resolve(outcome);
        } catch (error) {
          isOver = true;
          pending[at]!.reject(error);
        }
      }
    } finally {
      await worker.end();
    }
  };
  const all = Promise.all(Array.from({ length: Math.min(options.workers, jobs.length) }, work)).then(() => {
    for (const { resolve } of pending) resolve(undefined);
  });
  try {
    for (const { promise } of pending) {
      const outcome = await promise;
      if (outcome !== undefined) yield outcome;
    }
  } finally {
    isOver = true;
    await all;
  }
}

class Worker {
  readonly #process: ChildProcess;
  readonly #ended: Promise<string>;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;

  constructor(signal: AbortSignal) {
    this.#process = fork(program, { serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#ended = new Promise((resolve) => {
      this.#process.once("exit", (code, by) => resolve(by === null ? `exit code ${code}` : by));
      this.#process.once("error", (error) => resolve(error.message));
    });
    this.#signal = signal;
    this.#onAbort = () => this.#tell({ do: "stop", reason: signal.reason as Error });
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Rejects with what kept the run from beginning, or when the process ends. */
  async run(job: SimulationJob, progress: (message: string) => void): Promise<ExperimentOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<ExperimentOutcome>();
    const onMessage = (message: FromWorker): void => {
      if ("progress" in message) progress(message.progress);
      else if ("outcome" in message) resolve(message.outcome);
      else reject(message.failed);
    };
    void this.#ended.then((how) =>
      reject(new Error(`the simulation with seed ${job.seed} ended without a word (${how})`)),
    );
    this.#process.on("message", onMessage);
    this.#tell({ do: "run", job });
    try {
      return await promise;
    } finally {
      this.#process.off("message", onMessage);
    }
  }

  async end(): Promise<void> {
    this.#signal.removeEventListener("abort", this.#onAbort);
    if (this.#process.connected) this.#process.disconnect();
    await this.#ended;
  }

  #tell(message: ToWorker): void {
    if (this.#process.connected) this.#process.send(message);
  }
}
