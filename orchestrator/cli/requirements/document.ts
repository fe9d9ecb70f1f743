/** docs/requirements.md: every requirement with its evidence, for readers of the repository. */
import { type Coverage, coverageOf, coverageTable, statusOf } from "./coverage.ts";
import { exceptionKinds, type Ledger, type Requirement } from "./ledger.ts";

/** The page lies in docs/: links begin one level up. */
export function requirementsPage(ledgers: readonly Ledger[]): string {
  const coverages: Coverage[] = ledgers.map(coverageOf);
  const [head, ...rows] = coverageTable(coverages);
  return [
    "# Requirements of the RFCs",
    "",
    "Written by `./pathlab requirements --write` from [stack/requirements](../stack/requirements); a test keeps it up to date. Requirements are told in our own words;",
    "the RFC's text decides. Where it says what is to be done without one of the words of RFC 2119, the level is the one that the text means. *Met* means that the test that is cited fails when the requirement is broken. The exceptions:",
    "",
    ...Object.entries(exceptionKinds).map(([kind, meaning]) => `- **${kind}**: ${meaning}`),
    "",
    markdownRow(head!),
    markdownRow(head!.map((_, i) => (i === 0 ? "---" : "--:"))),
    ...rows.map(markdownRow),
    ...ledgers.flatMap((ledger) => ["", ...ledgerSection(ledger)]),
    "",
  ].join("\n");
}

function ledgerSection({ rfc, title, requirements }: Ledger): string[] {
  return [
    `## RFC ${rfc}: ${title}`,
    "",
    "| id | level | requirement | status | where, or why not |",
    "|---|---|---|---|---|",
    ...requirements.map((one) =>
      markdownRow([one.id.replace(`rfc${rfc}-`, "§"), one.level, one.text, statusOf(one), evidence(one)]),
    ),
  ];
}

function evidence({ code, tests, exception }: Requirement): string {
  const cited = [...new Set([...code, ...tests].map((citation) => citation.replace(/#.*/, "")))];
  const links = cited.map((file) => `[${file.replace(/^.*\//, "")}](../${file})`);
  return [...(exception === undefined ? [] : [exception.reason]), ...links].join(", ");
}

function markdownRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
