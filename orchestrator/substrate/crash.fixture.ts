/**
 * A process that raises a lab and dies as it is told: `crash.fixture.ts <substrate> <state directory> entry <n>` kills itself when the n-th journal entry is on
 * disk and its thing not yet made; `… wait` raises the lab, says `up` and stays, for others to kill. It says its lab and its progress on stdout.
 */
import { writeSync } from "node:fs";
import { Journal } from "../journal/journal.ts";
import { containers } from "./containers/containers.ts";
import { namespaces } from "./namespaces/namespaces.ts";
import { twoPathsPlan } from "./two-paths.fixture.ts";

const [name, state = "", mode, position] = process.argv.slice(2);
const substrate = name === "containers" ? containers : namespaces;

const journal = Journal.create({
  state,
  onAppend: (_entry, count) => {
    say(`entry ${count}`);
    if (mode === "entry" && count === Number(position)) process.kill(process.pid, "SIGKILL");
  },
});
say(`lab ${journal.lab}`);
const plan = twoPathsPlan({ lab: journal.lab, substrate: substrate.name, access: "emulated" });
const lab = await substrate.up(plan, journal, { progress: say, problem: say, linkSample: () => undefined });
// Neither reads its standard input: nothing but its marks will tell whose it is.
await lab.spawn("phone", { name: "sleeper", argv: ["sleep", "1000"] });
await lab.spawn("server", { name: "sleeper", argv: ["sleep", "1000"] });
await lab.spawnBeside({ name: "sleeper", argv: ["sleep", "1000"] });
say("up");
if (mode === "wait") await new Promise((resolve) => process.stdin.resume().once("end", resolve));
await lab.down();
journal.remove();

/** At once, as nothing that is buffered outlives the signal. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}
