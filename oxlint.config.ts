import { defineConfig } from "oxlint";

/**
 * The walls of the house. A room may import itself and the rooms that stand below it in these lists; the linter refuses everything else.
 * Rooms that share a line are neighbours and don't see each other.
 */
const testbed = [
  ["cli"],
  ["campaign"],
  ["report"],
  ["verdict"],
  ["bundle"],
  ["substrate"],
  ["workload", "fault"],
  ["capture", "metrics", "journal"],
  ["plan"],
  ["model", "path"],
];
const endpoint = [
  ["endpoint"],
  ["net", "io"],
  ["host.ts"],
  ["mptcp"],
  ["tcp", "scheduler", "path-manager"],
  ["congestion"],
  ["wire"],
];

interface Wall {
  readonly group: string[];
  readonly message: string;
}

/** What each room of one storey must not import: the rooms above it and beside it. */
function walls(storey: string, lines: readonly (readonly string[])[]): { room: string; patterns: Wall[] }[] {
  return lines.flatMap((line, depth) =>
    line.map((room) => {
      const above = lines.slice(0, depth).flat();
      const beside = line.filter((other) => other !== room);
      const closed = [...above, ...beside];
      return {
        room: `${storey}/${room}`,
        patterns: closed.map((other) => ({
          group: other.endsWith(".ts") ? [`**/../${other}`] : [`**/../${other}/**`],
          message: `${storey}/${room} must not import ${storey}/${other}: imports go down (${lines.map((l) => l.join(", ")).join(" > ")}).`,
        })),
      };
    }),
  );
}

const noTestbedInStack: Wall = {
  group: ["**/orchestrator/**"],
  message: "stack/ is the MPTCP endpoint; it knows nothing of the testbed.",
};
const noInputOutput: Wall = {
  group: ["node:*", "fs", "net", "timers", "timers/promises"],
  message: "The stack does no I/O and knows no clock (architecture.md, decision 1): hand it in as an argument.",
};
const ambient = [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "Date",
  "performance",
  "process",
  "Buffer",
  "crypto",
];
const pureRules = {
  "no-restricted-globals": [
    "error",
    ...ambient.map((name) => ({
      name,
      message: "The stack is pure: time and randomness are arguments (architecture.md, decision 1).",
    })),
  ],
  "no-restricted-properties": [
    "error",
    { object: "Math", property: "random", message: "Randomness is injected, so that a seed decides everything." },
  ],
};
const pureRooms = ["wire", "tcp", "congestion", "mptcp", "scheduler", "path-manager"].map((room) => `stack/${room}`);

function pattern(room: string): string {
  return room.endsWith(".ts") ? room : `${room}/**`;
}

export default defineConfig({
  plugins: ["typescript", "unicorn", "oxc", "import", "promise"],
  categories: { correctness: "error", suspicious: "error" },
  options: { typeAware: true },
  ignorePatterns: ["build", "results", "node_modules"],
  rules: {
    "import/no-cycle": "error",
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/no-explicit-any": "error",
    "typescript/consistent-type-imports": "error",
    "typescript/no-non-null-assertion": "off",
    "typescript/no-unsafe-type-assertion": "off",
    "no-shadow": "off",
    "no-underscore-dangle": "off",
    "unicorn/no-array-sort": "off",
    "unicorn/no-array-reverse": "off",
    "no-await-in-loop": "off",
    // chai and fast-check export their names twice; TypeScript's noImplicitReturns says what consistent-return would.
    "import/no-named-as-default-member": "off",
    "typescript/consistent-return": "off",
    "promise/always-return": "off",
    // Copies of arrays that are changed while they are walked look useless to it.
    "unicorn/no-useless-spread": "off",
    "unicorn/no-new-array": "off",
    eqeqeq: "error",
    "no-console": "error",
    "prefer-const": "error",
  },
  overrides: [
    {
      files: ["**/*.test.ts", "**/*.on-demand.ts", "**/fixture/**", "**/*.fixture.ts"],
      rules: {
        "typescript/no-unused-expressions": "off",
        "no-unused-expressions": "off",
        "unicorn/consistent-function-scoping": "off",
      },
    },
    ...walls("orchestrator", testbed).map(({ room, patterns }) => ({
      files: [pattern(room)],
      rules: { "no-restricted-imports": ["error", { patterns }] as const },
    })),
    ...walls("stack", endpoint).map(({ room, patterns }) => ({
      files: [pattern(room)],
      rules: { "no-restricted-imports": ["error", { patterns: [...patterns, noTestbedInStack] }] as const },
    })),
    ...walls("stack", endpoint)
      .filter(({ room }) => pureRooms.includes(room) || room === "stack/host.ts")
      .map(({ room, patterns }) => ({
        files: [pattern(room)],
        excludeFiles: ["**/*.test.ts"],
        rules: {
          "no-restricted-imports": ["error", { patterns: [...patterns, noTestbedInStack, noInputOutput] }] as const,
          ...pureRules,
        },
      })),
    { files: ["orchestrator/path/*.ts"], excludeFiles: ["**/*.test.ts"], rules: pureRules },
  ],
});
