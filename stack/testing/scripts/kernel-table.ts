/** The document about scripts on the kernel, of one run. */

import { release } from "node:os";
import { latitudes } from "../packetdrill/latitude.ts";
import { kernelDifferences, type KernelDifference } from "./kernel-differences.ts";
import type { KernelOutcome } from "./kernel-run.ts";

const verdicts: Readonly<Record<KernelDifference["verdict"], string>> = {
  both: "The section leaves it open",
  kernel: "The kernel departs from the section",
  specific: "The script asks for a choice of our stack, or for virtual time",
};

/** `date` as 2026-11-22. */
export function kernelTable(outcomes: ReadonlyMap<string, KernelOutcome>, date: string): string {
  const files = [...outcomes.keys()].sort();
  const count = (result: KernelOutcome["result"]): number =>
    files.filter((file) => outcomes.get(file)!.result === result).length;
  const lines = [
    "# Packetdrill scripts",
    "",
    "`stack/testing/scripts` holds scripts in packetdrill's language, each with the section that it asks about. `stack/testing/packetdrill` runs them on two",
    "back ends: our stack as a pure object in virtual time (`scripts.test.ts`, in every test run), and the Linux kernel behind a TUN device in a network",
    "namespace without a name, in real time (`kernel.on-demand.ts`; a part of it, `kernel.system.test.ts`, in every test run). The forms of the public scripts parse;",
    "what they ask for and a back end does not do is an error with its place, never passed over.",
    "",
    "This page is written by a run:",
    "",
    "    PATHLAB_PACKETDRILL_TABLE=docs/packetdrill.md mocha --no-config stack/testing/scripts/kernel.on-demand.ts",
    "",
    `Linux ${release()}, ${date}: of ${files.length} scripts **${count("same")}** hold on the kernel as on our stack, **${count("different")}** do not, ${count("not run")} cannot be run there.`,
    "",
    "## What the RFCs leave open",
    "Not counted as differences; so many scripts hold only because of them.",
    "",
    "| | Section | Scripts |",
    "|---|---|---|",
    ...Object.entries(latitudes).map(([name, section]) => {
      const users = files.filter((file) => {
        const outcome = outcomes.get(file)!;
        return outcome.result === "same" && outcome.latitudes.some((latitude) => latitude === name);
      });
      return `| ${name.replaceAll("-", " ")} | ${section} | ${users.length} |`;
    }),
    "",
    "## Differences",
    "A script ends at its first difference. In each case ours is what the script says.",
  ];
  for (const verdict of ["kernel", "both", "specific"] as const) {
    lines.push(
      "",
      `### ${verdicts[verdict]}`,
      "",
      "| Section that decides | The kernel … | Scripts |",
      "|---|---|---|",
    );
    for (const { section, kernel, scripts, verdict: own, races } of kernelDifferences)
      if (own === verdict)
        lines.push(
          `| ${section} | ${kernel}${races ? " (not in each run)" : ""} | ${scripts.map(nameOf).join(", ")} |`,
        );
  }
  return `${lines.join("\n")}\n`;
}

function nameOf(file: string): string {
  return `\`${file.replace(/\.pkt$/, "")}\``;
}
