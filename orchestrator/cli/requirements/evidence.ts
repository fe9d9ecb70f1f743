/** Whether what a ledger cites is there: files, symbols, tests by their titles, scripts that pass. */
import type { Diagnostic, KeyPath } from "../../model/diagnostics.ts";
import type { Ledger } from "./ledger.ts";

/** The checkout, as far as citations need it. */
export interface Checkout {
  /** The text of a file, by its path from the root; undefined: there is none. */
  read(path: string): string | undefined;
  /** Scripts that are known to fail, by their path from the root. */
  readonly failingScripts: ReadonlySet<string>;
}

export function checkEvidence(ledger: Ledger, checkout: Checkout): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const complain = (path: KeyPath, found: string, expectation: string, hint: string): void =>
    void diagnostics.push(ledger.source.diagnostic({ path, found, expected: expectation, hint }));
  for (const [index, { code, tests, exception }] of ledger.requirements.entries()) {
    const path = ["requirements", index] as const;
    for (const citation of code) {
      const [file, symbol] = splitCitation(citation);
      const text = checkout.read(file);
      if (text === undefined)
        complain([...path, "code"], `no file ${file}`, "a file of the checkout", "check the path");
      else if (symbol !== undefined && !mentions(text, symbol)) {
        complain([...path, "code"], `no ${symbol} in ${file}`, "a name that stands in the file", "it may have moved");
      }
    }
    for (const citation of tests) {
      const [file, title] = splitCitation(citation);
      const text = checkout.read(file);
      if (text === undefined) complain([...path, "tests"], `no file ${file}`, "a test's file", "check the path");
      else if (file.endsWith(".pkt")) {
        if (!checkout.failingScripts.has(file)) continue;
        const expectation = "a script that passes";
        complain([...path, "tests"], `${file}, a known difference`, expectation, "make it an exception: violated");
      } else if (title === undefined) {
        complain([...path, "tests"], `${file} without a title`, "FILE#TITLE", "say which of its tests");
      } else if (!testTitles(text).some((pattern) => pattern.test(title))) {
        complain([...path, "tests"], `no test "${title}" in ${file}`, "a test's title", "it may have been renamed");
      }
    }
    const script = exception?.script;
    if (script === undefined) continue;
    const place = [...path, "exception", "script"];
    if (checkout.read(script) === undefined) complain(place, `no file ${script}`, "a script", "check the path");
    else if (!checkout.failingScripts.has(script)) {
      complain(place, `${script}, which passes`, "a known difference", "cite it under tests; the exception is over");
    }
  }
  return diagnostics;
}

/** `FILE#REST`; a title may hold more of these signs. */
function splitCitation(citation: string): [file: string, rest: string | undefined] {
  const at = citation.indexOf("#");
  return at < 0 ? [citation, undefined] : [citation.slice(0, at), citation.slice(at + 1)];
}

function mentions(text: string, symbol: string): boolean {
  return new RegExp(`(?<![\\w$])${escape(symbol)}(?![\\w$])`).test(text);
}

/** What makes a literal a title: `it("…")`, or the key by which a table of cases names its rows. A skipped test is none. */
const titleOf = /(?:\bit\(|\b(?:name|behaviour): |^\s*\[)\s*(?:"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/gm;

/** The titles of the tests in a file. What a template fills in may be anything. */
function testTitles(text: string): RegExp[] {
  return [...text.matchAll(titleOf)].map(([, plain, template]) => {
    if (plain !== undefined) return new RegExp(`^${escape(JSON.parse(`"${plain}"`) as string)}$`);
    const literals = template!.split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/);
    return new RegExp(`^${literals.map(escape).join(".+")}$`);
  });
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
