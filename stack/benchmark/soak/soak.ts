/**
 * `node stack/benchmark/soak/soak.ts --hours 1 [--log FILE]`: one connection of two subflows at full speed between two namespaces, both ends
 * ours. Root. `--virtual 24`: hours of virtual time instead, without root. `--gateway 50000`: so many connections of applications through two gateways
 * instead. Root.
 *
 * The log gets a line of JSON for each sample. A run that was interrupted goes on with the same log: hours that are in it count, each run's
 * memory and bytes are judged on their own. Exit codes: 0 passed, 1 failed, 2 bad usage, 130 and 143 after cleaning up.
 */

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { Command } from "commander";
import { Lab } from "../lab.ts";
import { reportChecks, type Check } from "./verdict.ts";
import { runGatewaySoak } from "./gateway/gateway-soak.ts";
import { runVirtualSoak } from "./virtual-soak.ts";
import { runWireSoak } from "./wire-soak.ts";

const given = new Command("npm run soak:stack --")
  .description("One connection of two subflows at full speed between two namespaces, both ends ours, for hours. Root.")
  .option("--hours <number>", "of transfer", "1")
  .option("--virtual <hours>", "of virtual time instead; needs no root")
  .option("--gateway <connections>", "through two gateways instead, of every kind")
  .option("--log <file>", "gets a line of JSON for each sample; a run that was interrupted goes on with the same one")
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{ hours: string; virtual?: string; gateway?: string; log?: string }>();

/** Of a gateway's soak; a minute of each is TIME-WAIT. */
const rounds = 5;
const visitorsAtATime = 100;

function numberOf(what: string, text: string): number {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  process.stderr.write(`"${text}" is not a number of ${what}\n`);
  process.exit(2);
}

function log(line: object): void {
  const text = `${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`;
  if (given.log === undefined) process.stderr.write(text);
  else appendFileSync(given.log, text);
}

/** Seconds of transfer that earlier runs wrote into the log. */
function secondsInLog(): number {
  if (given.log === undefined || !existsSync(given.log)) return 0;
  let seconds = 0;
  for (const line of readFileSync(given.log, "utf8").split("\n")) {
    if (line !== "") seconds += (JSON.parse(line) as { intervalSeconds?: number }).intervalSeconds ?? 0;
  }
  return seconds;
}

async function main(): Promise<Check[]> {
  if (given.virtual !== undefined) return runVirtualSoak(numberOf("hours", given.virtual), log);
  if (given.gateway !== undefined) {
    const visits = Math.ceil(numberOf("connections", given.gateway) / rounds);
    return runGatewaySoak({ rounds, visits, atATime: visitorsAtATime }, log);
  }
  const seconds = numberOf("hours", given.hours) * 3_600 - secondsInLog();
  if (seconds <= 0) return [{ what: "the hours are in the log", passed: true, found: given.log! }];
  try {
    return await runWireSoak(seconds, log);
  } catch (error) {
    return [{ what: "both ends live", passed: false, found: String(error) }];
  }
}

process.on("exit", () => Lab.closeAll());
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));
const checks = await main();
log({ checks });
process.stdout.write(`${reportChecks(checks)}\n`);
process.exitCode = checks.every(({ passed }) => passed) ? 0 : 1;
