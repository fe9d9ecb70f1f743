/** Keys of a file set from outside: `--set hosts.server.endpoint=linux-mptcp`. Values are YAML, as they would stand in the file. */
import { isNode, parseDocument } from "yaml";
import type { Node } from "yaml";
import { formatFound } from "./diagnostics.ts";
import type { Diagnostic, KeyPath } from "./diagnostics.ts";
import type { Place, YamlSource } from "./yaml-source.ts";

/** Diagnostics about settings name this in the place of a file; the line is the setting's number. */
const settingsFile = "--set";

/**
 * Puts each setting into the source, so that what is checked afterwards is the file with them, and what is wrong with a setting is told at the setting.
 * @returns what is wrong with the settings' own form
 */
export function applySettings(source: YamlSource, settings: readonly string[]): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const [index, setting] of settings.entries()) {
    const place = (column: number): Place => ({ file: settingsFile, line: index + 1, column });
    const complain = (column: number, path: string, found: string, expected: string, hint: string): void =>
      void diagnostics.push({ ...place(column), path, found, expected, hint });
    const equals = setting.indexOf("=");
    if (equals < 0) {
      complain(
        1,
        setting || "setting",
        formatFound(setting),
        "KEY=VALUE",
        "as in --set hosts.server.endpoint=linux-mptcp",
      );
      continue;
    }
    const key = setting.slice(0, equals);
    const path = parseKeyPath(key);
    if (!path) {
      complain(
        1,
        key || "setting",
        formatFound(key),
        "keys joined by dots",
        "as in hosts.server.endpoint or faults[0].at",
      );
      continue;
    }
    const value = parseDocument(setting.slice(equals + 1), { prettyErrors: false });
    const error = value.errors[0];
    if (error) {
      complain(
        equals + 2 + error.pos[0],
        key,
        formatFound(setting.slice(equals + 1)),
        "a value in YAML",
        "quote it if it has signs that YAML knows",
      );
      continue;
    }
    const node: Node | null = isNode(value.contents) ? value.contents : null;
    if (!source.set(path, node, place(1), (offset) => place(equals + 2 + offset))) {
      complain(
        1,
        key,
        formatFound(key),
        "a key that the file has or can have",
        "it leads into a plain value, or past the end of a list",
      );
    }
  }
  return diagnostics;
}

/** `faults[0].at` and `faults.0.at` are the same. Undefined where it is no path. */
export function parseKeyPath(text: string): KeyPath | undefined {
  const keys = text.replace(/\[(\d+)\]/g, ".$1").split(".");
  if (!keys.every((key) => /^[A-Za-z0-9_-]+$/.test(key))) return undefined;
  return keys.map((key) => (/^\d+$/.test(key) ? Number(key) : key));
}
