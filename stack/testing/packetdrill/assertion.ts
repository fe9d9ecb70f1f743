/** `%{ assert tcpi_snd_cwnd == 10 }%`: the expressions of Python that scripts use, over what the host tells of a connection. */

import { type Position, ScriptFailure, ScriptUnsupported } from "./script-error.ts";

/** Numbers; undefined for a name that the host does not tell. */
export type VariableSource = (name: string) => number | undefined;

/** Runs `assert` statements; `print` is for people. @throws ScriptFailure, ScriptUnsupported */
export function runAssertions(code: string, variables: VariableSource, position: Position): void {
  for (const line of code.split(/[\n;]/)) {
    const text = line.replace(/#.*$/, "").trim();
    if (text === "" || /^print\b/.test(text)) continue;
    const condition = /^assert\b(.*)$/.exec(text)?.[1];
    if (condition === undefined) throw new ScriptUnsupported(position, `the code "${text}"`);
    const evaluation = new Evaluation(condition.trim(), variables, position);
    if (evaluation.run() === 0) {
      const values = [...evaluation.used].map(([name, value]) => `${name} is ${value}`).join(", ");
      throw new ScriptFailure(
        position,
        `assertion does not hold: ${condition.trim()}${values === "" ? "" : ` (${values})`}`,
      );
    }
  }
}

type Comparison = (a: number, b: number) => boolean;
const comparisons: Readonly<Record<string, Comparison>> = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<=": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
};
const functions: Readonly<Record<string, (...values: number[]) => number>> = {
  abs: Math.abs,
  min: Math.min,
  max: Math.max,
  int: Math.trunc,
};
const tokenPattern = /\s*(\d+\.?\d*(?:e\d+)?|[A-Za-z_]\w*|==|!=|<=|>=|\/\/|"[^"]*"|'[^']*'|[^\s])/gy;

/** Truth is 1 and 0, as in Python. */
class Evaluation {
  readonly used = new Map<string, number>();
  readonly #tokens: string[];
  readonly #variables: VariableSource;
  readonly #position: Position;
  #at = 0;

  constructor(text: string, variables: VariableSource, position: Position) {
    this.#tokens = [...text.matchAll(tokenPattern)].map((match) => match[1]!);
    this.#variables = variables;
    this.#position = position;
  }

  run(): number {
    const value = this.#or();
    // A comma begins the message of the assertion.
    if (this.#at < this.#tokens.length && this.#tokens[this.#at] !== ",")
      this.#unsupported(`"${this.#tokens[this.#at]}" in an assertion`);
    return value;
  }

  #or(): number {
    let value = this.#and();
    while (this.#accept("or")) {
      const other = this.#and();
      value = value !== 0 ? value : other;
    }
    return value;
  }

  #and(): number {
    let value = this.#not();
    while (this.#accept("and")) {
      const other = this.#not();
      value = value === 0 ? value : other;
    }
    return value;
  }

  #not(): number {
    return this.#accept("not") ? Number(this.#not() === 0) : this.#comparison();
  }

  /** Chains: `0 < a <= 10`. */
  #comparison(): number {
    let left = this.#sum();
    let holds = true;
    let isComparison = false;
    for (let compare = this.#comparisonAt(); compare !== undefined; compare = this.#comparisonAt()) {
      this.#at++;
      const right = this.#sum();
      holds &&= compare(left, right);
      isComparison = true;
      left = right;
    }
    return isComparison ? Number(holds) : left;
  }

  #comparisonAt(): Comparison | undefined {
    const token = this.#tokens[this.#at] ?? "";
    return Object.hasOwn(comparisons, token) ? comparisons[token] : undefined;
  }

  #sum(): number {
    let value = this.#product();
    for (;;) {
      if (this.#accept("+")) value += this.#product();
      else if (this.#accept("-")) value -= this.#product();
      else return value;
    }
  }

  #product(): number {
    let value = this.#atom();
    for (;;) {
      if (this.#accept("*")) value *= this.#atom();
      else if (this.#accept("//")) value = Math.floor(value / this.#atom());
      else if (this.#accept("/")) value /= this.#atom();
      else if (this.#accept("%")) value %= this.#atom();
      else return value;
    }
  }

  #atom(): number {
    if (this.#accept("-")) return -this.#atom();
    if (this.#accept("(")) {
      const value = this.#or();
      this.#expect(")");
      return value;
    }
    const token = this.#tokens[this.#at++] ?? "the end";
    if (/^\d/.test(token)) return Number(token);
    if (token === "True") return 1;
    if (token === "False") return 0;
    if (this.#accept("(")) return this.#call(token);
    const value = /^\w+$/.test(token) ? this.#variables(token) : undefined;
    if (value === undefined) this.#unsupported(`"${token}" in an assertion`);
    this.used.set(token, value);
    return value;
  }

  #call(name: string): number {
    const call = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (call === undefined) this.#unsupported(`the function ${name} in an assertion`);
    const values: number[] = [];
    do values.push(this.#or());
    while (this.#accept(","));
    this.#expect(")");
    return call(...values);
  }

  #accept(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #expect(token: string): void {
    if (!this.#accept(token)) this.#unsupported(`an assertion without "${token}"`);
  }

  #unsupported(what: string): never {
    throw new ScriptUnsupported(this.#position, what);
  }
}
