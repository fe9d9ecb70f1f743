/** How much of each RFC is met, excepted and open. */
import { type ExceptionKind, exceptionKinds, type Ledger, type Requirement } from "./ledger.ts";

export interface Coverage {
  readonly rfc: number;
  readonly title: string;
  readonly requirements: number;
  readonly met: number;
  readonly exceptions: Readonly<Record<ExceptionKind, number>>;
  /** Neither shown by a test nor excepted. */
  readonly uncovered: readonly Requirement[];
}

export function statusOf({ tests, exception }: Requirement): "met" | "uncovered" | ExceptionKind {
  return exception?.kind ?? (tests.length > 0 ? "met" : "uncovered");
}

export function coverageOf({ rfc, title, requirements }: Ledger): Coverage {
  const count = (status: string): number => requirements.filter((one) => statusOf(one) === status).length;
  const kinds = Object.keys(exceptionKinds) as ExceptionKind[];
  return {
    rfc,
    title,
    requirements: requirements.length,
    met: count("met"),
    exceptions: Object.fromEntries(kinds.map((kind) => [kind, count(kind)])) as Record<ExceptionKind, number>,
    uncovered: requirements.filter((one) => statusOf(one) === "uncovered"),
  };
}

/** What the command and CI refuse: a MUST or MUST NOT that nothing covers. */
export function uncoveredMusts(coverages: readonly Coverage[]): Requirement[] {
  return coverages.flatMap(({ uncovered }) => uncovered.filter(({ level }) => level.startsWith("MUST")));
}

const columns = ["RFC", "requirements", "met", ...Object.keys(exceptionKinds), "uncovered"];

/** The coverage as rows of cells, headings first, totals last. */
export function coverageTable(coverages: readonly Coverage[]): string[][] {
  const numbers = coverages.map(({ requirements, met, exceptions, uncovered }) => [
    requirements,
    met,
    ...Object.values(exceptions),
    uncovered.length,
  ]);
  const totals = columns.slice(1).map((_, column) => numbers.reduce((sum, row) => sum + row[column]!, 0));
  return [
    columns,
    ...coverages.map(({ rfc }, i) => [`RFC ${rfc}`, ...numbers[i]!.map(String)]),
    ["all", ...totals.map(String)],
  ];
}
