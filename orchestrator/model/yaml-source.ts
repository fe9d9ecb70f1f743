/** A YAML file with the place of every value in it, so that what is wrong with a value can be told with its line and column. */
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, Pair, parseDocument, visit } from "yaml";
import type { Document, Node, YAMLMap } from "yaml";
import { formatFound, formatPath } from "./diagnostics.ts";
import type { Diagnostic, KeyPath } from "./diagnostics.ts";
import { findAliasProblem } from "./yaml-aliases.ts";

/** From 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What a diagnostic says beside its place. `at: "key"` points to a mapping's key instead of its value. */
export interface Complaint {
  readonly path: KeyPath;
  readonly at?: "key" | "value";
  readonly found: string;
  readonly expected: string;
  readonly hint: string;
}

export type Complain = (complaint: Complaint) => void;

export class YamlSource {
  readonly file: string;
  readonly document: Document.Parsed;
  readonly text: string;
  readonly #lines: LineCounter;
  /** Places of nodes that are not from the file: those that `--set` put there. */
  readonly #places = new WeakMap<object, Place>();

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
    this.#lines = new LineCounter();
    this.document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
  }

  /** Problems of YAML itself: the syntax, keys that are there twice, anchors and tags. Empty: `value()` may be called. */
  syntaxDiagnostics(): Diagnostic[] {
    const problems: { offset: number; expected: string; hint: string }[] = [];
    for (const error of [...this.document.errors, ...this.document.warnings]) {
      if (error.code === "DUPLICATE_KEY") {
        problems.push({
          offset: error.pos[0],
          expected: "each key once in a mapping",
          hint: "remove one of the two, or rename it",
        });
      } else if (error.code === "MULTIPLE_DOCS") {
        problems.push({
          offset: error.pos[0],
          expected: "one document in a file",
          hint: "give the second a file of its own",
        });
      } else {
        problems.push({
          offset: error.pos[0],
          expected: "valid YAML",
          hint: lowerFirst(error.message.replace(/\s+/g, " ").trim()),
        });
      }
    }
    visit(this.document, {
      Alias: (_, alias) => {
        if (alias.resolve(this.document)) return;
        problems.push({
          offset: alias.range?.[0] ?? 0,
          expected: "an anchor set before it",
          hint: `write &${alias.source} before the value that is meant`,
        });
      },
      Pair: (_, pair) => {
        if (isScalar(pair.key) && pair.key.value === "<<") {
          problems.push({
            offset: pair.key.range?.[0] ?? 0,
            expected: "a name as the key",
            hint: "merge keys are not of YAML 1.2: write the keys out, or let an alias be the whole value",
          });
          return;
        }
        if (isScalar(pair.key) && typeof pair.key.value !== "object") return;
        problems.push({
          offset: (pair.key as Node).range?.[0] ?? 0,
          expected: "a name as the key",
          hint: "write the key as one word and a colon",
        });
      },
    });
    const unbounded = problems.length === 0 ? findAliasProblem(this.document) : undefined;
    if (unbounded) problems.push(unbounded);
    return problems.map(({ offset, expected, hint }) => ({
      ...this.#placeOfOffset(offset),
      path: formatPath(this.#pathAt(offset)),
      found: this.#excerpt(offset),
      expected,
      hint,
    }));
  }

  /** The whole file as plain data. */
  value(): unknown {
    return this.document.toJS({ maxAliasCount: -1 });
  }

  diagnostic(complaint: Complaint): Diagnostic {
    const { path, found, expected, hint } = complaint;
    return { ...this.placeOf(path, complaint.at ?? "value"), path: formatPath(path), found, expected, hint };
  }

  /** Place of the value at `path`, or of the nearest that is there: a missing key is told at the mapping that lacks it. */
  placeOf(path: KeyPath, at: "key" | "value" = "value"): Place {
    let node: unknown = this.document.contents;
    let place = this.#placeOfNode(node) ?? this.#placeOfOffset(0);
    for (const [index, key] of path.entries()) {
      if (isAlias(node)) node = node.resolve(this.document);
      if (isMap(node)) {
        const pair = pairOf(node, key);
        if (!pair) break;
        place = this.#placeOfNode(pair.key) ?? place;
        node = pair.value;
        const last = index === path.length - 1;
        // A mapping or list is best told by its name; an empty value stands nowhere.
        if (last && at === "value" && isScalar(node) && node.source !== "") place = this.#placeOfNode(node) ?? place;
      } else if (isSeq(node) && typeof key === "number") {
        node = node.items[key];
        place = this.#placeOfNode(node) ?? place;
      } else {
        break;
      }
    }
    return place;
  }

  /**
   * Puts a value in the place of what is at `path`, making mappings on the way.
   * @param keyPlace where to point when the key turns out wrong
   * @param valuePlace where to point for a part of the value at this offset; left out: the value is from this file and knows its place
   * @returns false where the path leads into a plain value, or past the end of a list
   */
  set(path: KeyPath, value: Node | null, keyPlace: Place, valuePlace?: (offset: number) => Place): boolean {
    if (valuePlace && value) {
      visit(value, { Node: (_, node) => void this.#places.set(node, valuePlace(node.range?.[0] ?? 0)) });
    }
    let parent: unknown = this.document.contents;
    for (const [index, key] of path.entries()) {
      const last = index === path.length - 1;
      if (isSeq(parent) && typeof key === "number" && key < parent.items.length) {
        if (last) parent.items[key] = value;
        parent = parent.items[key];
      } else if (isMap(parent)) {
        let pair = pairOf(parent, key);
        if (!pair) {
          pair = new Pair(this.document.createNode(String(key)), this.document.createNode({}));
          parent.items.push(pair);
        } else if (last) {
          pair.key = this.document.createNode(String(key));
        }
        if (isNode(pair.key) && !pair.key.range) this.#places.set(pair.key, keyPlace);
        if (last) pair.value = value;
        parent = pair.value;
      } else {
        return false;
      }
    }
    return true;
  }

  /** Takes the key at `path` out, where there is one. */
  remove(path: KeyPath): void {
    this.document.deleteIn(path);
  }

  /** The file with what was set in it. */
  toString(): string {
    return this.document.toString({ lineWidth: 0 });
  }

  /** The node at a path, where there is one. */
  nodeAt(path: KeyPath): unknown {
    return this.document.getIn(path, true);
  }

  #placeOfNode(node: unknown): Place | undefined {
    if (!isNode(node)) return undefined;
    return this.#places.get(node) ?? (node.range ? this.#placeOfOffset(node.range[0]) : undefined);
  }

  #placeOfOffset(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** Keys of the mappings and lists around an offset, as far as the file could be read. */
  #pathAt(offset: number): (string | number)[] {
    const path: (string | number)[] = [];
    let node: unknown = this.document.contents;
    for (;;) {
      if (isMap(node)) {
        const pair = node.items.findLast(
          (item) => isPair(item) && isNode(item.key) && (item.key.range?.[0] ?? Infinity) <= offset,
        );
        if (!pair || !isScalar(pair.key)) return path;
        const end = isNode(pair.value) ? (pair.value.range?.[2] ?? Infinity) : Infinity;
        if (offset > end) return path;
        path.push(String(pair.key.value));
        node = pair.value;
      } else if (isSeq(node)) {
        const index = node.items.findLastIndex((item) => isNode(item) && (item.range?.[0] ?? Infinity) <= offset);
        if (index < 0) return path;
        path.push(index);
        node = node.items[index];
      } else {
        return path;
      }
    }
  }

  #excerpt(offset: number): string {
    const { line } = this.#lines.linePos(offset);
    const start = this.#lines.lineStarts[line - 1] ?? 0;
    const text = this.text.slice(Math.max(offset, start)).split("\n", 1)[0]!.trim();
    return text === "" ? "the end of the line" : formatFound(text);
  }
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function pairOf(map: YAMLMap, key: string | number) {
  return map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key));
}
