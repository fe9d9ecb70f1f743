export type ModulePath = `${"" | "." | ".."}/${string}`;

/** What tells the path of a module of one's own from the name of a built-in algorithm. */
export const modulePathPattern = /^\.{0,2}\/./;

export const isModulePath = (value: unknown): value is ModulePath =>
  typeof value === "string" && modulePathPattern.test(value);
