import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { formatDiagnostic } from "../../model/diagnostics.ts";
import { repositoryRoot } from "../repository.ts";
import { loadLedgers, reportOf, requirementsDocument } from "../requirements.ts";
import { coverageOf, uncoveredMusts } from "./coverage.ts";
import { requirementsPage } from "./document.ts";
import { type Checkout, checkEvidence } from "./evidence.ts";
import { compareSections, type Ledger, parseLedger } from "./ledger.ts";

const head = "rfc: 9999\ntitle: An example\nrequirements:\n";

/** An entry of the ledger of RFC 9999; `rest`: further keys, in flow style. */
const entry = (section: string, number: number, rest = ""): string =>
  `  - { id: rfc9999-${section}-${number}, section: "${section}", level: MUST, text: be right${rest} }\n`;

function problems(text: string): string[] {
  const parsed = parseLedger("a.yaml", text);
  return parsed.ok ? [] : parsed.diagnostics.map(formatDiagnostic);
}

function ledgerOf(text: string): Ledger {
  const parsed = parseLedger("a.yaml", head + text);
  if (!parsed.ok) throw new Error(parsed.diagnostics.map(formatDiagnostic).join("\n"));
  return parsed.value;
}

const files: Readonly<Record<string, string>> = {
  "a.ts": "export class Sender { #timeout = 1; }",
  "a.test.ts": [
    'it("does it", () => {});',
    'it.skip("will do it", () => {});',
    "it(`does it ${how} (§3)`, () => {});",
    '  { row: 1, behaviour: "strips \\"all\\"" },',
  ].join("\n"),
  "right.pkt": "",
  "wrong.pkt": "",
};
const checkout: Checkout = { read: (path) => files[path], failingScripts: new Set(["wrong.pkt"]) };

function missing(rest: string): string[] {
  return checkEvidence(ledgerOf(entry("1", 1, rest)), checkout).map(({ found }) => found);
}

describe("a ledger of requirements", () => {
  it("tells unknown keys, levels and kinds with their place", () => {
    expect(problems(`${head}${entry("1", 1, ", excepton: x")}`)[0]).to.match(
      /^a\.yaml:4:\d+: requirements\[0\]\.excepton: found unknown key "excepton".*did you mean exception\?$/,
    );
    expect(problems(head + entry("1", 1).replace("MUST", "MAY"))[0]).to.include('found "MAY", expected MUST');
    expect(problems(head + entry("1", 1, ", exception: { kind: later, reason: x }"))[0]).to.include('found "later"');
    expect(problems(head + entry("1", 1, ", exception: { kind: untested, reason: ' ' }"))[0]).to.include("the reason");
  });

  it("has its sections in the order of their numbers", () => {
    expect(["10", "3.10", "3", "3.2.1", "3.2"].toSorted(compareSections)).to.deep.equal([
      "3",
      "3.2",
      "3.2.1",
      "3.10",
      "10",
    ]);
    expect(problems(head + entry("3.10", 1) + entry("3.9", 1))[0]).to.include("expected a section not before 3.10");
  });

  it("has each id once, made of RFC, section and number", () => {
    expect(problems(head + entry("1", 1) + entry("1", 2) + entry("2", 1))).to.deep.equal([]);
    expect(problems(head + entry("1", 1) + entry("1", 1))[0]).to.match(/^a\.yaml:5:.*expected rfc9999-1-2/);
    expect(problems(head + entry("1", 2))[0]).to.include("expected rfc9999-1-1");
  });

  it("does not except what it shows, nor shows what no code does", () => {
    const both = ", code: a.ts, tests: right.pkt, exception: { kind: violated, reason: x }";
    expect(problems(head + entry("1", 1, both))[0]).to.include("found an exception beside tests");
    expect(problems(head + entry("1", 1, ", tests: right.pkt"))[0]).to.include("found tests without code");
  });
});

describe("the evidence of a ledger", () => {
  it("is there: files, names as whole words, titles, also of tables and templates, scripts", () => {
    expect(missing(', code: [a.ts, "a.ts#Sender", "a.ts##timeout"], tests: right.pkt')).to.deep.equal([]);
    const tests = ['"a.test.ts#does it"', '"a.test.ts#does it well (§3)"', `'a.test.ts#strips "all"'`];
    expect(missing(`, code: a.ts, tests: [${tests.join(", ")}]`)).to.deep.equal([]);
  });

  it("is missed where it is not", () => {
    expect(missing(", code: b.ts")).to.deep.equal(["no file b.ts"]);
    expect(missing(', code: "a.ts#Send"')).to.deep.equal(["no Send in a.ts"]);
    expect(missing(', code: a.ts, tests: "a.test.ts#does"')).to.deep.equal(['no test "does" in a.test.ts']);
    expect(missing(", code: a.ts, tests: a.test.ts")).to.deep.equal(["a.test.ts without a title"]);
  });

  it("is no skipped test, and no script that is known to fail", () => {
    expect(missing(', code: a.ts, tests: "a.test.ts#will do it"')).to.have.length(1);
    expect(missing(", code: a.ts, tests: wrong.pkt")).to.deep.equal(["wrong.pkt, a known difference"]);
  });

  it("of a violation ends with it", () => {
    const violated = (script: string): string => `, exception: { kind: violated, reason: x, script: ${script} }`;
    expect(missing(violated("wrong.pkt"))).to.deep.equal([]);
    expect(missing(violated("right.pkt"))).to.deep.equal(["right.pkt, which passes"]);
    expect(missing(violated("none.pkt"))).to.deep.equal(["no file none.pkt"]);
  });
});

describe("the coverage of a ledger", () => {
  it("counts what is met, excepted and neither, and refuses only a MUST", () => {
    const should = entry("1", 4).replace("MUST", "SHOULD");
    const ledger = ledgerOf(
      entry("1", 1, ", code: a.ts, tests: right.pkt") +
        entry("1", 2, ", exception: { kind: deliberate, reason: x }") +
        entry("1", 3, ", code: a.ts") +
        should,
    );
    const coverage = coverageOf(ledger);
    expect([coverage.met, coverage.exceptions.deliberate, coverage.uncovered.length]).to.deep.equal([1, 1, 2]);
    expect(uncoveredMusts([coverage]).map(({ id }) => id)).to.deep.equal(["rfc9999-1-3"]);
  });
});

describe("pathlab requirements", () => {
  const covered = entry("1", 1, ", code: a.ts, tests: right.pkt");

  for (const json of [false, true]) {
    it(`fails on a MUST that nothing covers, and names it${json ? ", with --json too" : ""}`, () => {
      const { exitCode, complaints } = reportOf([ledgerOf(covered + entry("1", 2, ", code: a.ts"))], json);
      expect([exitCode, complaints]).to.deep.equal([1, "uncovered: rfc9999-1-2 MUST: be right\n"]);
    });
  }

  it("does not fail on a SHOULD, nor on an exception", () => {
    const should = entry("1", 2).replace("MUST", "SHOULD");
    const excepted = entry("1", 3, ", exception: { kind: untested, reason: x }");
    expect(reportOf([ledgerOf(covered + should + excepted)], false)).to.include({ exitCode: 0, complaints: "" });
  });
});

describe("the requirements of this stack", () => {
  const { ledgers, diagnostics } = loadLedgers();

  it("cite code and tests that are there", () => {
    expect(diagnostics.map(formatDiagnostic)).to.deep.equal([]);
  });

  it("leave no MUST uncovered", () => {
    expect(uncoveredMusts(ledgers.map(coverageOf)).map(({ id, text }) => `${id}: ${text}`)).to.deep.equal([]);
  });

  it("stand in docs/requirements.md as they are", () => {
    const written = readFileSync(join(repositoryRoot, requirementsDocument), "utf8");
    expect(written === requirementsPage(ledgers), "run ./pathlab requirements --write").to.equal(true);
  });
});
