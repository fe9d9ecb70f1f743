/** A short run that kills itself when its journal has so many entries: `node crash.fixture.ts POSITION STATE DIRECTORY`. */
import { readJournals } from "../journal/journal.ts";
import { runShortly } from "./short-run.fixture.ts";

const [position, state, directory] = process.argv.slice(2);
const outcome = await runShortly(directory!, {
  substrate: "namespaces",
  size: "100kB",
  journal: {
    state: state!,
    onAppend: (_entry, entries) => {
      if (entries === 1) process.stdout.write(`lab ${readJournals(state)[0]!.lab}\n`);
      if (entries === Number(position)) process.kill(process.pid, "SIGKILL");
    },
  },
});
process.exitCode = outcome.error === undefined ? 0 : 1;
