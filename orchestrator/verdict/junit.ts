/** `junit.xml`: a test case per expectation, so that any CI shows a run as it shows tests. An invalid run is an error, which is not a failure. */
import { writeFile } from "node:fs/promises";
import type { JudgedExpectation, RepetitionSample, Verdict } from "./verdict.ts";

export interface JUnitIdentity {
  readonly experiment: string;
  readonly startedAt: string;
  readonly durationMicroseconds: number;
}

export function printJUnit(verdict: Verdict, identity: JUnitIdentity): string {
  const failures = verdict.expectations.filter(({ passed }) => !passed).length;
  const errors = verdict.invalidBecause.length;
  const { overRepetitions = [] } = verdict;
  const attributes = xmlAttributes({
    name: identity.experiment,
    tests: verdict.expectations.length + overRepetitions.length + errors,
    failures: errors > 0 ? 0 : failures,
    errors,
    skipped: overRepetitions.length + (errors > 0 ? verdict.expectations.length : 0),
    time: (identity.durationMicroseconds / 1e6).toFixed(3),
    timestamp: identity.startedAt,
  });
  const cases = [
    ...verdict.invalidBecause.map((why) => printInvalid(identity.experiment, why)),
    ...verdict.expectations.map((judged) => printCase(identity.experiment, judged, verdict.outcome === "invalid")),
    ...overRepetitions.map((sample) => printSample(identity.experiment, sample)),
  ];
  const output =
    verdict.findings.length === 0 ? [] : [`    <system-out>${escapeXml(verdict.findings.join("\n"))}</system-out>`];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="pathlab">`,
    `  <testsuite ${attributes}>`,
    ...cases,
    ...output,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

export async function writeJUnit(path: string, verdict: Verdict, identity: JUnitIdentity): Promise<void> {
  await writeFile(path, printJUnit(verdict, identity));
}

function printInvalid(experiment: string, why: string): string {
  const attributes = xmlAttributes({ classname: experiment, name: "the bench" });
  return `    <testcase ${attributes}>\n      <error ${xmlAttributes({ type: "invalid", message: why })}/>\n    </testcase>`;
}

function printCase(experiment: string, judged: JudgedExpectation, invalid: boolean): string {
  const { baseline, workload, metric, expected, measured, passed, witness } = judged;
  const classname = baseline === undefined ? experiment : `${experiment}.${baseline}`;
  const attributes = xmlAttributes({ classname, name: `${workload}: ${metric} ${expected}` });
  if (invalid) return `    <testcase ${attributes}>\n      <skipped message="the run is invalid"/>\n    </testcase>`;
  if (passed) return `    <testcase ${attributes}/>`;
  const message = `${metric}: expected ${expected}, measured ${measured} (witness: ${witness})`;
  return `    <testcase ${attributes}>\n      <failure ${xmlAttributes({ type: metric, message })}/>\n    </testcase>`;
}

/** No run alone can pass or fail it. */
function printSample(experiment: string, sample: RepetitionSample): string {
  const { baseline, workload, metric, statistic, expected, measured } = sample;
  const classname = baseline === undefined ? experiment : `${experiment}.${baseline}`;
  const attributes = xmlAttributes({ classname, name: `${workload}: ${metric} ${statistic} ${expected}` });
  const message = `judged over repetitions: the ${statistic} ${expected}; here ${measured}`;
  return `    <testcase ${attributes}>\n      <skipped ${xmlAttributes({ message })}/>\n    </testcase>`;
}

function xmlAttributes(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}="${escapeXml(String(value))}"`)
    .join(" ");
}

function escapeXml(text: string): string {
  const carried = Array.from(text, (character) =>
    isXmlCharacter(character.codePointAt(0)!) ? character : "\ufffd",
  ).join("");
  return carried.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** XML 1.0 §2.2 carries no other, not even escaped. */
function isXmlCharacter(code: number): boolean {
  return code >= 0x20
    ? code !== 0xfffe && code !== 0xffff && (code < 0xd800 || code > 0xdfff)
    : code === 0x09 || code === 0x0a || code === 0x0d;
}
