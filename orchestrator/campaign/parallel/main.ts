/**
 * A process that runs simulations for another, one after the other, as `parallel-simulations.ts` hands them in. It ends when that one disconnects, what was
 * simulated so far sealed in its bundle.
 */
import { formatDiagnostics } from "../../model/diagnostics.ts";
import { loadExperiment } from "../../model/load.ts";
import { runExperiment } from "../run-experiment.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";

const stop = new AbortController();

// Ctrl-C reaches the whole group of processes; whoever started this one says what follows from it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
process.on("disconnect", () => stop.abort(new Error("interrupted")));
process.on("message", (message: ToWorker) => {
  if (message.do === "stop") stop.abort(message.reason);
  else void simulate(message);
});

async function simulate({ job }: Extract<ToWorker, { do: "run" }>): Promise<void> {
  const { file, settings, seed, resultsDirectory, command } = job;
  try {
    const loaded = loadExperiment(file, { settings });
    if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
    const outcome = await runExperiment({
      loaded: loaded.value,
      substrate: "simulation",
      seed,
      abilities: { netem: false },
      resultsDirectory,
      command,
      progress: (progress) => tell({ progress }),
      signal: stop.signal,
    });
    tell({ outcome });
  } catch (error) {
    tell({ failed: error as Error });
  }
}

function tell(message: FromWorker): void {
  if (process.connected) process.send!(message);
}
