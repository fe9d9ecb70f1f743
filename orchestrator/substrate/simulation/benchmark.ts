/**
 * `npm run bench:simulation [SCENARIO…] [ns-3]`: how fast the simulation is, and how much memory it takes. Each scenario runs in a process of its own, one after the other;
 * processor time is what counts, so that others on the machine disturb little. Without names: all but the long ones, and the comparison with ns-3 where that is installed.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { buildNs3, runNs3, type Ns3Measured } from "./benchmark-ns3/ns3.ts";
import { scenarioPlan, scenarios, type Measured } from "./benchmark-scenario.ts";

const program = fileURLToPath(new URL("benchmark-scenario.ts", import.meta.url));
/** Minutes each; for those who ask. */
const isLong = (name: string): boolean =>
  ["fat-tree-8-8-whole", "fat-tree-16-8"].includes(name) || name.startsWith("curve-");
/** Those that ns-3 is given as well: of one subflow, it knows no other. */
const comparable = ["dumbbell-1", "fat-tree-4-1"];
const turns = 3;

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

const whole = (number: number): string => Math.round(number).toLocaleString("en");

const print = (cells: readonly string[]): void => void process.stdout.write(`| ${cells.join(" | ")} |\n`);

/** Both in turns in one go, so that whatever else the machine does hits both. */
async function compareWithNs3(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "pathlab-ns-3-"));
  try {
    const ns3 = await buildNs3(directory);
    if (ns3 === undefined) {
      process.stdout.write(
        "\nns-3 is not compared: that takes its headers (Debian: libns3-dev), pkg-config and a C++ compiler\n",
      );
      return;
    }
    process.stdout.write(
      `\nThe same networks, queues and flows in ns-3 ${ns3.version}, in turns, ${turns} of each\n\n`,
    );
    print(["scenario", "packet-hops", "ns-3's", "hops / CPU s", "ns-3's", "ratio"]);
    print(["---", "--:", "--:", "--:", "--:", "--:"]);
    for (const name of comparable) {
      const plan = scenarioPlan(scenarios[name]!);
      const [ours, theirs] = [
        { hops: 0, seconds: 0 },
        { hops: 0, seconds: 0 },
      ];
      for (let turn = 0; turn < turns; turn++) {
        add(ours, await measure(name));
        add(theirs, await runNs3(ns3.program, plan));
      }
      const [our, their] = [ours, theirs].map(({ hops, seconds }) => hops / seconds) as [number, number];
      print([name, ...[ours.hops / turns, theirs.hops / turns, our, their].map(whole), (our / their).toFixed(2)]);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}

function add(sum: { hops: number; seconds: number }, { packetHops, processorSeconds }: Ns3Measured): void {
  sum.hops += packetHops;
  sum.seconds += processorSeconds;
}

const withNs3 = "ns-3";
const asked = process.argv.slice(2).filter((name) => name !== withNs3);
const unknown = asked.filter((name) => !(name in scenarios));
if (unknown.length > 0)
  throw new Error(`no scenario ${unknown.join(", ")}; there are ${Object.keys(scenarios).join(", ")}`);
process.stdout.write(`Node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}, one core\n\n`);
const isOnlyNs3 = asked.length === 0 && process.argv.includes(withNs3);
const wanted = asked.length > 0 || isOnlyNs3 ? asked : Object.keys(scenarios).filter((name) => !isLong(name));
if (wanted.length > 0) {
  print(columns);
  print(columns.map((_, index) => (index === 0 ? "---" : "--:")));
}
for (const name of wanted) print(row(name, await measure(name)));
if (asked.length === 0 || process.argv.includes(withNs3)) await compareWithNs3();
