/** Turns what zod says of a value into diagnostics with a place in the file. */
import type * as z from "zod";
import { formatChoice, formatFound, formatPath, nearestName } from "./diagnostics.ts";
import type { Checked, Diagnostic, KeyPath } from "./diagnostics.ts";
import type { YamlSource } from "./yaml-source.ts";

/**
 * Checks a value against a schema. Messages that the schemas give themselves have the form `EXPECTED; HINT`, as have those made here for the rest.
 * @returns with problems, also the value as it is without them, where what is left makes sense: cross checks can then tell of theirs in the same go
 */
export function checkSchema<T>(schema: z.ZodType<T>, source: YamlSource): Checked<T> & { readonly rest?: T } {
  const value = source.value();
  const result = schema.safeParse(value, { error: describeIssue });
  if (result.success) return { ok: true, value: result.data };
  const issues = flattenUnions(result.error.issues, []);
  const diagnostics = issues.flatMap((issue) => issueDiagnostics(issue, value, source));
  const rest = schema.safeParse(without(value, issues));
  return rest.success && !issues.some((issue) => removesNames(issue, value))
    ? { ok: false, diagnostics, rest: rest.data }
    : { ok: false, diagnostics };
}

/** A check that a schema makes itself tells in this form what was expected. */
export const expected = (what: string, hint: string): string => `${what}; ${hint}`;

const typeNouns: Readonly<Record<string, string>> = {
  object: "a mapping",
  record: "a mapping",
  map: "a mapping",
  array: "a list",
  tuple: "a list",
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

/** What was expected, in a user's words; undefined leaves the message to zod's own text, which names no hint and so never passes the tests. */
function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type": {
      const noun = typeNouns[issue.expected] ?? issue.expected;
      return expected(noun, issue.input === undefined ? "this key is required" : `write ${noun} here`);
    }
    case "invalid_value": {
      const names = issue.values.map(String);
      const near = typeof issue.input === "string" ? nearestName(issue.input, names) : undefined;
      return expected(
        formatChoice(names),
        near ? `did you mean ${near}?` : `write ${names.length > 1 ? "one of them" : names[0]}`,
      );
    }
    case "unrecognized_keys": {
      const shape = (issue.inst as z.ZodObject | undefined)?._zod.def.shape ?? {};
      return expected(formatChoice(Object.keys(shape)), "");
    }
    case "invalid_union":
      return "options" in issue ? expected(formatChoice((issue.options as unknown[]).map(String)), "") : undefined;
    case "too_small":
      return expected(
        `at least ${issue.minimum}${issue.origin === "array" ? " entries" : ""}`,
        "raise it, or leave it out",
      );
    case "too_big":
      return expected(
        `at most ${issue.maximum}${issue.origin === "array" ? " entries" : ""}`,
        "lower it, or leave it out",
      );
    default:
      return undefined;
  }
}

/** Of a union's branches the one that the value was meant for: whose outermost type fits, with the fewest complaints. */
function flattenUnions(issues: readonly z.core.$ZodIssue[], prefix: readonly PropertyKey[]): z.core.$ZodIssue[] {
  return issues.flatMap((issue): z.core.$ZodIssue[] => {
    const path = [...prefix, ...issue.path];
    if (issue.code !== "invalid_union" || issue.errors.length === 0) return [{ ...issue, path }];
    const fitting = issue.errors.filter(
      (branch) => !branch.some((inner) => inner.code === "invalid_type" && inner.path.length === 0),
    );
    const best = fitting.sort((a, b) => a.length - b.length)[0];
    return best ? flattenUnions(best, path) : [{ ...issue, path }];
  });
}

function issueDiagnostics(issue: z.core.$ZodIssue, value: unknown, source: YamlSource): Diagnostic[] {
  const path = issue.path as KeyPath;
  const [what, ...rest] = issue.message.split("; ");
  const hint = rest.join("; ");
  if (issue.code === "unrecognized_keys") {
    const known = what!.split(/, | or /);
    return issue.keys.map((key) => {
      const near = nearestName(key, known);
      return source.diagnostic({
        path: [...path, key],
        at: "key",
        found: `unknown key ${JSON.stringify(key)}`,
        expected: what!,
        hint: near
          ? `did you mean ${near}?`
          : `${formatPath(path) === "file" ? "the file" : formatPath(path)} has no such key`,
      });
    });
  }
  const found = valueAt(value, path);
  if (issue.code === "invalid_union" && "options" in issue) {
    const near = typeof found === "string" ? nearestName(found, (issue.options as unknown[]).map(String)) : undefined;
    return [
      source.diagnostic({
        path,
        found: formatFound(found),
        expected: what!,
        hint: near ? `did you mean ${near}?` : "write one of them",
      }),
    ];
  }
  if (issue.code === "invalid_key") {
    const [expectation, keyHint] = (issue.issues[0]?.message ?? issue.message).split("; ");
    const key = String(path.at(-1));
    return [
      source.diagnostic({
        path,
        at: "key",
        found: `the name ${JSON.stringify(key)}`,
        expected: expectation!,
        hint: keyHint ?? "rename it",
      }),
    ];
  }
  return [source.diagnostic({ path, found: formatFound(found), expected: what!, hint })];
}

/** Whether what is left out may hold, or be, what other places of the file name: telling of these as unknown would mislead. */
function removesNames(issue: z.core.$ZodIssue, value: unknown): boolean {
  const paths = issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
  return paths.some((path) => {
    const removed = valueAt(value, path as KeyPath);
    return removed === null || typeof removed === "object";
  });
}

function valueAt(value: unknown, path: KeyPath): unknown {
  let current = value;
  for (const key of path) current = (current as Record<string | number, unknown> | null | undefined)?.[key];
  return current;
}

/** A copy without the values that were complained about. */
function without(value: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  const copy = structuredClone(value);
  for (const issue of issues) {
    const paths = issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    for (const path of paths) {
      const parent = valueAt(copy, path.slice(0, -1) as KeyPath);
      if (typeof parent === "object" && parent !== null && !Array.isArray(parent))
        delete (parent as Record<PropertyKey, unknown>)[path.at(-1)!];
    }
  }
  return copy;
}
