/** The ledger of requirements: what each RFC demands, in our own words, and what shows that the stack does it. One YAML file an RFC in stack/requirements. */
import * as z from "zod";
import { inFileOrder } from "../../model/diagnostics.ts";
import type { Checked } from "../../model/diagnostics.ts";
import { checkSchema, expected } from "../../model/schema-diagnostics.ts";
import { YamlSource } from "../../model/yaml-source.ts";
import type { Complaint } from "../../model/yaml-source.ts";

/** REQUIRED and SHALL count as MUST, RECOMMENDED as SHOULD (RFC 2119). */
export const levels = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT"] as const;
export type Level = (typeof levels)[number];

/** Why a requirement has no test that shows it met. */
export const exceptionKinds = {
  violated: "built, and does otherwise",
  "not-built": "belongs to something that is not built yet",
  untested: "the code does it, no test shows it",
  deliberate: "decided otherwise",
  "not-applicable": "does not concern this stack",
} as const;
export type ExceptionKind = keyof typeof exceptionKinds;

export interface Exception {
  readonly kind: ExceptionKind;
  readonly reason: string;
  /** A script that shows the violation: on the list of known differences for as long as it does. */
  readonly script?: string | undefined;
}

export interface Requirement {
  /** `rfc8684-3.1-4`: RFC, section, number within the section. */
  readonly id: string;
  readonly section: string;
  readonly level: Level;
  readonly text: string;
  /** `FILE` or `FILE#SYMBOL`. */
  readonly code: readonly string[];
  /** `FILE#TITLE` of a mocha test, or the path of a script. */
  readonly tests: readonly string[];
  readonly exception?: Exception | undefined;
}

export interface Ledger {
  readonly file: string;
  readonly rfc: number;
  readonly title: string;
  readonly requirements: readonly Requirement[];
  readonly source: YamlSource;
}

const filled = (what: string): z.ZodString =>
  z.string().regex(/\S/, { error: expected(what, "write it in a few words") });
const section = z.string().regex(/^\d+(\.\d+)*$/, { error: expected('a section such as "3.3.1"', "put it in quotes") });
const oneOrMore = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => (typeof given === "string" ? [given] : given))
  .default([]);

const ledgerSchema = z.strictObject({
  rfc: z.int(),
  title: filled("the RFC's title"),
  requirements: z
    .array(
      z.strictObject({
        id: z.string(),
        section,
        level: z.enum(levels),
        text: filled("the requirement in our own words"),
        code: oneOrMore,
        tests: oneOrMore,
        exception: z
          .strictObject({
            kind: z.enum(Object.keys(exceptionKinds) as [ExceptionKind, ...ExceptionKind[]]),
            reason: filled("the reason"),
            script: z.string().optional(),
          })
          .optional(),
      }),
    )
    .min(1),
});

/** Syntax, schema, and what a single file can tell about itself: ids that say RFC and section, in ascending order, none twice. */
export function parseLedger(file: string, text: string): Checked<Ledger> {
  const source = new YamlSource(file, text);
  const syntax = source.syntaxDiagnostics();
  if (syntax.length > 0) return { ok: false, diagnostics: inFileOrder(syntax) };
  const checked = checkSchema<Omit<Ledger, "file" | "source">>(ledgerSchema, source);
  if (!checked.ok) return { ok: false, diagnostics: inFileOrder(checked.diagnostics) };
  const complaints = [...orderComplaints(checked.value), ...shapeComplaints(checked.value)];
  if (complaints.length > 0) {
    return { ok: false, diagnostics: inFileOrder(complaints.map((complaint) => source.diagnostic(complaint))) };
  }
  return { ok: true, value: { file, source, ...checked.value } };
}

/** Sections ascend, and requirements are counted from 1 in each: an id therefore stands only once. */
function orderComplaints({ rfc, requirements }: Pick<Ledger, "rfc" | "requirements">): Complaint[] {
  let number = 0;
  return requirements.flatMap((requirement, index): Complaint[] => {
    const before = requirements[index - 1];
    const order = before === undefined ? 1 : compareSections(before.section, requirement.section);
    number = order === 0 ? number + 1 : 1;
    const complaints: Complaint[] = [];
    if (order > 0 && before !== undefined) {
      complaints.push({
        path: ["requirements", index, "section"],
        found: JSON.stringify(requirement.section),
        expected: `a section not before ${before.section}`,
        hint: "sort the requirements by section",
      });
    }
    const id = `rfc${rfc}-${requirement.section}-${number}`;
    if (requirement.id !== id) {
      complaints.push({
        path: ["requirements", index, "id"],
        found: JSON.stringify(requirement.id),
        expected: id,
        hint: "an id is the RFC, the section, and the number within the section",
      });
    }
    return complaints;
  });
}

/** What an entry claims must hang together: a test shows what code does, and an exception is none where tests are cited. */
function shapeComplaints({ requirements }: Pick<Ledger, "requirements">): Complaint[] {
  return requirements.flatMap(({ code, tests, exception }, index): Complaint[] => {
    const path = ["requirements", index] as const;
    if (tests.length > 0 && exception !== undefined) {
      return [
        {
          path: [...path, "exception"],
          at: "key",
          found: "an exception beside tests",
          expected: "one of the two",
          hint: "split the requirement where only a part of it is met",
        },
      ];
    }
    if (tests.length > 0 && code.length === 0) {
      return [
        {
          path: [...path, "tests"],
          at: "key",
          found: "tests without code",
          expected: "code beside tests",
          hint: "name the file that meets the requirement",
        },
      ];
    }
    return [];
  });
}

/** Below 0 when `a` comes first: by number, part by part. */
export function compareSections(a: string, b: string): number {
  const left = a.split(".").map(Number);
  const right = b.split(".").map(Number);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? -1) - (right[i] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}
