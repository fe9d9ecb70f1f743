/** What a verb calls before it touches the machine: everything it needs is there, or mended, or named. */
import { debianPrograms, foreignProgram, installPackages } from "./debian-packages.ts";
import { dockerDaemon } from "./docker-daemon.ts";
import { hostImagePresent } from "./host-image.ts";
import { cubicAllowed, kernelPrerequisites } from "./kernel-features.ts";
import type { Finding, Need, Prerequisite } from "./prerequisite.ts";
import { privileges } from "./privileges.ts";
import { buildAddon, buildPrograms, isAddonFresh, staleProgramNames } from "./programs.ts";
import { whileAlone } from "./setup-lock.ts";

const nativeAddon: Prerequisite = {
  name: "native addon",
  purpose: "packet sockets and precise timers",
  needs: ["namespaces", "containers", "test"],
  remedy: "apt-get install -y g++, then ./pathlab doctor --fix",
  async check() {
    return isAddonFresh()
      ? { present: true, detail: "built from the sources that are here" }
      : { present: false, detail: "not built from the sources that are here" };
  },
  async fix() {
    buildAddon();
  },
};

const programs: Prerequisite = {
  name: "programs",
  purpose: "what runs inside hosts and between them",
  needs: ["namespaces", "containers", "test"],
  remedy: "./pathlab doctor --fix",
  async check() {
    const stale = staleProgramNames();
    return stale.length === 0
      ? { present: true, detail: "built from the sources that are here" }
      : { present: false, detail: `not built from the sources that are here: ${stale.join(", ")}` };
  },
  fix: () => buildPrograms(),
};

/** In the order in which they are mended: each may need those before it. */
export const prerequisites: readonly Prerequisite[] = [
  privileges,
  ...debianPrograms,
  ...kernelPrerequisites,
  cubicAllowed,
  nativeAddon,
  programs,
  dockerDaemon,
  hostImagePresent,
];

export interface Checked {
  readonly prerequisite: Prerequisite;
  readonly finding: Finding;
}

export function checkAll(selected: readonly Prerequisite[] = prerequisites): Promise<Checked[]> {
  return Promise.all(selected.map(async (prerequisite) => ({ prerequisite, finding: await prerequisite.check() })));
}

/**
 * Answers true when everything that the needs ask for is there, perhaps since now. Else it has told on stderr what is missing and what mends it, and set the
 * exit code to 3.
 */
export async function ensure(...needs: readonly Need[]): Promise<boolean> {
  const known = prerequisites.filter((prerequisite) => prerequisite.needs.some((need) => needs.includes(need)));
  const foreign = needs.filter(
    (need) => need.startsWith("program:") && !known.some(({ needs: own }) => own.includes(need)),
  );
  const selected = [...known, ...foreign.map((need) => foreignProgram(need.slice("program:".length)))];
  const missing = await mend(selected);
  if (missing.length === 0) return true;
  say("the machine lacks what this needs:");
  for (const { prerequisite, finding } of missing) {
    say(`  ${prerequisite.name}: ${finding.detail}`);
    say(`    needed for: ${prerequisite.purpose}`);
    say(`    to mend it: ${prerequisite.remedy}`);
  }
  process.exitCode = 3;
  return false;
}

/** Mends what can be mended and answers what is still missing. */
export async function mend(selected: readonly Prerequisite[], tell: (line: string) => void = say): Promise<Checked[]> {
  const missing = await missingOf(selected);
  if (missing.length === 0) return [];
  // Nobody but root can mend, nor even see all: what else is missing, root's first call will mend.
  const unprivileged = missing.filter(({ prerequisite }) => prerequisite === privileges);
  if (unprivileged.length > 0) return unprivileged;
  return whileAlone(
    () => mendAlone(selected, tell),
    () => tell("waiting for another set-up on this machine to finish"),
  );
}

async function mendAlone(selected: readonly Prerequisite[], tell: (line: string) => void): Promise<Checked[]> {
  const failures = new Map<Prerequisite, string>();
  const unpacked = (await missingOf(selected)).filter(({ prerequisite }) => prerequisite.debianPackage !== undefined);
  const packages = unpacked.flatMap(({ prerequisite }) => prerequisite.debianPackage ?? []);
  if (packages.length > 0) {
    const failure = await attempt(`installing Debian packages ${packages.join(", ")}`, tell, (progress) =>
      installPackages(packages, progress),
    );
    if (failure !== undefined) for (const { prerequisite } of unpacked) failures.set(prerequisite, failure);
  }
  for (const prerequisite of selected) {
    if (prerequisite.fix === undefined || (await prerequisite.check()).present) continue;
    const failure = await attempt(`setting up: ${prerequisite.name}`, tell, async (progress) =>
      prerequisite.fix?.(progress),
    );
    if (failure !== undefined) failures.set(prerequisite, failure);
  }
  return (await missingOf(selected)).map(({ prerequisite, finding }) => ({
    prerequisite,
    finding: { ...finding, detail: failures.get(prerequisite) ?? finding.detail },
  }));
}

async function missingOf(selected: readonly Prerequisite[]): Promise<Checked[]> {
  return (await checkAll(selected)).filter(({ finding }) => !finding.present);
}

/** Answers why it failed, if it did. */
async function attempt(
  title: string,
  tell: (line: string) => void,
  action: (progress: (line: string) => void) => Promise<void>,
): Promise<string | undefined> {
  const startedAt = performance.now();
  tell(title);
  try {
    await action((line) => tell(`  ${line}`));
    tell(`  done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function say(line: string): void {
  process.stderr.write(`pathlab: ${line}\n`);
}
