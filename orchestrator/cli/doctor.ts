import { Option, type Command } from "commander";
import type { Checked } from "../substrate/prerequisites/ensure.ts";
import { isRequired } from "../substrate/prerequisites/prerequisite.ts";
import type { Finding, Need } from "../substrate/prerequisites/prerequisite.ts";

const purposes = ["simulation", "namespaces", "containers", "linux-mptcp", "test"] as const;

export function registerDoctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("list what this machine has and lacks, and the command that mends each lack")
    .option("--fix", "mend what can be mended")
    .addOption(new Option("--for <what...>", "look only at what these need").choices(purposes))
    .option("--json", "one JSON document on stdout")
    .action(async (options: { fix?: boolean; for?: (typeof purposes)[number][]; json?: boolean }) => {
      const { checkAll, mend, prerequisites } = await import("../substrate/prerequisites/ensure.ts");
      const wanted: readonly Need[] | undefined = options.for?.filter((purpose) => purpose !== "simulation");
      const listed = prerequisites.filter(
        ({ needs }) => wanted === undefined || needs.some((need) => wanted.includes(need)),
      );
      // What no experiment must have is a gift of the machine: it is listed, and not missed.
      const required = listed.filter(isRequired);
      const failures = new Map(
        (options.fix ? await mend(required) : []).map(({ prerequisite, finding }) => [prerequisite, finding]),
      );
      const checked = (await checkAll(listed)).map(({ prerequisite, finding }) => ({
        prerequisite,
        finding: failures.get(prerequisite) ?? finding,
      }));
      process.stdout.write(options.json ? `${JSON.stringify(document(checked), undefined, 2)}\n` : table(checked));
      if (checked.some(({ prerequisite, finding }) => !finding.present && isRequired(prerequisite)))
        process.exitCode = 3;
    });
}

function document(checked: readonly Checked[]): unknown {
  return {
    version: 1,
    prerequisites: checked.map(
      ({ prerequisite: { name, purpose, needs, remedy }, finding: { present, unknown, detail } }) => ({
        name,
        present: unknown ? null : present,
        detail,
        purpose,
        neededFor: needs,
        ...(present ? {} : { remedy }),
      }),
    ),
  };
}

function table(checked: readonly Checked[]): string {
  const width = Math.max(0, ...checked.map(({ prerequisite }) => prerequisite.name.length));
  const indent = " ".repeat(width + 9);
  const lines = checked.flatMap(({ prerequisite: { name, purpose, needs, remedy }, finding }) => {
    const line = `${mark(finding, isRequired({ needs }))}  ${name.padEnd(width)}  ${finding.detail}`;
    return finding.present || finding.unknown ? [line] : [line, `${indent}for: ${purpose}`, `${indent}mend: ${remedy}`];
  });
  return lines.map((line) => `${line}\n`).join("");
}

function mark({ present, unknown }: Finding, needed: boolean): string {
  if (present) return "has  ";
  if (unknown) return "?    ";
  return needed ? "LACKS" : "lacks";
}
