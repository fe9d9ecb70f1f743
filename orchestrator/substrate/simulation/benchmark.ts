/**
 * `npm run bench:simulation [SCENARIO…]`: how fast the simulation is, and how much memory it takes. Each scenario runs in a process of its own, one after the other;
 * processor time is what counts, so that others on the machine disturb little. Without names: all but the long ones.
 */
import { execFile } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { scenarios, type Measured } from "./benchmark-scenario.ts";

const program = fileURLToPath(new URL("benchmark-scenario.ts", import.meta.url));
/** Minutes each; for those who ask. */
const long: ReadonlySet<string> = new Set(["fat-tree-8-8-whole", "fat-tree-16-8"]);

const columns = [
  "scenario",
  "hosts",
  "subflows",
  "packet-hops",
  "CPU s",
  "hops / CPU s",
  "µs / hop",
  "virtual / CPU s",
  "MB / host",
] as const;

const execute = promisify(execFile);

async function measure(name: string): Promise<Measured> {
  const { stdout } = await execute(process.execPath, [program, name], { maxBuffer: 1 << 20 });
  return JSON.parse(stdout) as Measured;
}

function row(name: string, measured: Measured): string[] {
  const { hosts, packetHops, processorSeconds, virtualSeconds, peakBytes } = measured;
  return [
    name,
    String(hosts),
    String(scenarios[name]!.subflows),
    packetHops.toLocaleString("en"),
    processorSeconds.toFixed(2),
    Math.round(packetHops / processorSeconds).toLocaleString("en"),
    ((processorSeconds * 1e6) / packetHops).toFixed(2),
    (virtualSeconds / processorSeconds).toFixed(3),
    (peakBytes / hosts / 1e6).toFixed(1),
  ];
}

const print = (cells: readonly string[]): void => void process.stdout.write(`| ${cells.join(" | ")} |\n`);

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in scenarios));
if (unknown.length > 0)
  throw new Error(`no scenario ${unknown.join(", ")}; there are ${Object.keys(scenarios).join(", ")}`);
process.stdout.write(`Node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}, one core\n\n`);
print(columns);
print(columns.map((_, index) => (index === 0 ? "---" : "--:")));
for (const name of asked.length > 0 ? asked : Object.keys(scenarios).filter((each) => !long.has(each)))
  print(row(name, await measure(name)));
