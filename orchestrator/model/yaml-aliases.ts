/** What aliases (`*name`) come to when each is written out: few lines of them can stand for more values than a machine holds, or for themselves. */
import { isAlias, isCollection, isNode, isPair } from "yaml";
import type { Alias, Document } from "yaml";

/** Many times what the largest experiment has. */
const mostValues = 1_000_000;

export interface AliasProblem {
  readonly offset: number;
  readonly expected: string;
  readonly hint: string;
}

/** The first place from which on the document cannot be written out. Aliases that name nothing are not its business. */
export function findAliasProblem(document: Document): AliasProblem | undefined {
  /** By collection: how many values it stands for; undefined while it is being counted. */
  const counted = new Map<unknown, number | undefined>();
  let problem: AliasProblem | undefined;
  const complain = (node: unknown, expected: string, hint: string): void => {
    problem ??= { offset: isNode(node) ? (node.range?.[0] ?? 0) : 0, expected, hint };
  };
  const countAlias = (alias: Alias): number => {
    const target = alias.resolve(document);
    if (!counted.has(target) || counted.get(target) !== undefined) return count(target);
    complain(alias, "an alias of something that ends before it", "write the value out");
    return 1;
  };
  const count = (node: unknown): number => {
    if (isAlias(node)) return countAlias(node);
    if (!isCollection(node)) return 1;
    const known = counted.get(node);
    if (known !== undefined) return known;
    counted.set(node, undefined);
    let values = 1;
    for (const item of node.items) {
      const value = isPair(item) ? item.value : item;
      values += count(value);
      if (values > mostValues)
        complain(value, `at most ${mostValues} values with all aliases written out`, "use fewer of them");
    }
    counted.set(node, values);
    return values;
  };
  count(document.contents);
  return problem;
}
