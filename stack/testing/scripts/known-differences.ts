/** Scripts that the stack does not pass yet: what the RFC asks for, and what is seen. Each stays here until the stack is mended; its test fails then. */

export interface KnownDifference {
  section: string;
  expected: string;
  seen: string;
}

export const knownDifferences: Readonly<Record<string, KnownDifference>> = {};
