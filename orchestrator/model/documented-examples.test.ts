/** What the documents say, held against the program: examples load, links lead somewhere, keys, profiles, verbs and options are told and are there. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { Command } from "commander";
import { parse } from "yaml";
import { formatDiagnostics } from "./diagnostics.ts";
import { endpointAbilities } from "./endpoint-abilities.ts";
import { jsonSchemaText } from "./json-schemas.ts";
import { loadFile } from "./load.ts";

const repository = join(import.meta.dirname, "../..");
/** Verbs after which options are those of the command that they run. */
const passingOptionsOn = ["exec", "endpoint"];
const pages = ["README.md", ...readdirSync(join(repository, "docs")).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith(".md"),
);
const textOf = (page: string): string => readFileSync(join(repository, page), "utf8");

/** Fenced blocks of YAML, and blocks indented by four spaces that begin as our files do. */
function yamlBlocks(markdown: string): string[] {
  const fenced = [...markdown.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block]) => block!);
  const indented = [...markdown.matchAll(/^ {4}# yaml-language-server.*\n(?:(?: {4}.*)?\n)*/gm)].map(([block]) =>
    block.replace(/^ {4}/gm, ""),
  );
  return [...fenced, ...indented];
}

const isWholeFile = (block: string): boolean =>
  block.startsWith("# yaml-language-server") || /^version: 1$/m.test(block);

describe("examples in the documents", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "pathlab-documents-"))));
  after(() => rmSync(folder, { recursive: true }));

  const examples = pages.flatMap((page) =>
    yamlBlocks(textOf(page))
      .filter(isWholeFile)
      .map((text) => ({ page, text, value: parse(text) as Record<string, unknown> })),
  );

  /** As in the repository: topologies, those of the page among them, in a folder beside that of the experiments. */
  function place(page: string): string {
    const root = join(folder, page.replaceAll("/", "-"));
    cpSync(join(repository, "topologies"), join(root, "topologies"), { recursive: true });
    mkdirSync(join(root, "experiments"), { recursive: true });
    for (const { text, value } of examples.filter((example) => example.page === page && "links" in example.value))
      writeFileSync(join(root, "topologies", `${String(value["name"])}.yaml`), text);
    return root;
  }

  for (const { page, text, value } of examples) {
    const kind = "workload" in value ? "experiments" : "topologies";
    it(`${page}: ${String(value["name"])} is valid among the ${kind}`, () => {
      const file = join(place(page), kind, `${String(value["name"])}.yaml`);
      writeFileSync(file, text);
      const checked = loadFile(file);
      expect(checked.ok ? "" : formatDiagnostics(checked.diagnostics)).to.equal("");
    });
  }

  it("are there for both kinds of file", () => {
    expect(examples.filter(({ value }) => "workload" in value)).to.have.length.at.least(2);
    expect(examples.filter(({ value }) => "links" in value)).to.have.length.at.least(1);
  });
});

describe("links between the documents", () => {
  /** The anchors that forges make of headings. */
  function anchorsOf(markdown: string): string[] {
    return [...markdown.replace(/^```.*?^```$/gms, "").matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    );
  }

  for (const page of pages) {
    it(`${page}: each leads to a file, and to a heading where it names one`, () => {
      for (const [link, path = "", anchor] of textOf(page).matchAll(/\]\(([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
        if (/^[a-z]+:/.test(path)) continue;
        const target = path === "" ? join(repository, page) : resolve(repository, dirname(page), path);
        expect(existsSync(target), `${page}: ${link}`).to.equal(true);
        if (anchor !== undefined) expect(anchorsOf(readFileSync(target, "utf8")), link).to.include(anchor);
      }
    });
  }
});

describe("the documents of the file formats", () => {
  /** Names of all properties of a JSON Schema, those of its parts among them. */
  function keysOf(schema: unknown): string[] {
    if (typeof schema !== "object" || schema === null) return [];
    const { properties } = schema as { properties?: Record<string, unknown> };
    return [...Object.keys(properties ?? {}), ...Object.values(schema).flatMap(keysOf)];
  }

  /** Words that stand as code, also within a longer piece of it: `{ atMost: 1.5s }` has atMost. */
  const codeWords = (markdown: string): Set<string> =>
    new Set([...markdown.matchAll(/`([^`\n]+)`/g)].flatMap(([, code]) => code!.match(/[\w-]+/g) ?? []));

  for (const [kind, page, beside] of [
    ["experiment", "docs/experiment-files.md", "docs/topology-files.md"],
    ["topology", "docs/topology-files.md", "docs/topology-files.md"],
  ] as const) {
    it(`${page} names every key (${kind})`, () => {
      const told = new Set([...codeWords(textOf(page)), ...codeWords(textOf(beside))]);
      const keys = [...new Set(keysOf(JSON.parse(jsonSchemaText(kind))))];
      expect(keys).to.include("version").and.to.have.length.above(20);
      expect(keys.filter((key) => !told.has(key))).to.deep.equal([]);
    });
  }

  it("the table of endpoints has what each offers, the default first", () => {
    const page = textOf("docs/endpoints.md");
    for (const [kind, abilities] of Object.entries(endpointAbilities)) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${kind}\` |`)) ?? "";
      const cells = row.split("|").map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code));
      expect(cells.slice(-4, -1), kind).to.deep.equal([
        [...abilities.congestionControl],
        [...abilities.scheduler],
        [...abilities.pathManager],
      ]);
    }
  });

  it("the table of link profiles has the shipped ones and no others", () => {
    const shipped = parse(textOf("topologies/profiles.yaml")) as { profiles: Record<string, unknown> };
    const table = textOf("docs/topology-files.md").split("## Shipped profiles")[1] ?? "";
    const rows = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
    expect(rows).to.deep.equal(Object.keys(shipped.profiles));
  });
});

/** As far as commander's commands are looked at here. */
interface CommandTree {
  readonly commands: readonly (CommandTree & { name(): string })[];
  readonly options: readonly { readonly long?: string }[];
}

describe("the document of the command line", () => {
  const page = textOf("docs/command-line.md");
  const sections = new Map(
    page
      .split(/^## /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf("\n")), section]),
  );
  /** Of each verb the options of the program, those of its own verbs among them. */
  const offered = new Map<string, string[]>();
  const subverbs: string[] = [];

  /** The definitions themselves, from the folder with a file a verb: a document speaks of the whole program, whatever room its test is in. */
  before(async function () {
    this.timeout(120_000);
    const program = new Command();
    const folder = join(repository, "orchestrator/cli");
    const files = readdirSync(folder).filter((name) => /^[a-z-]+\.ts$/.test(name) && name !== "main.ts");
    for (const name of files) {
      const module = (await import(pathToFileURL(join(folder, name)).href)) as Record<string, unknown>;
      for (const [exported, register] of Object.entries(module))
        if (/^register\w+Command$/.test(exported)) (register as (program: Command) => void)(program);
    }
    for (const verb of (program as CommandTree).commands) {
      const commands = [verb, ...verb.commands];
      offered.set(verb.name(), [
        ...new Set(commands.flatMap(({ options }) => options.flatMap(({ long }) => long ?? []))),
      ]);
      subverbs.push(...verb.commands.map((below) => `${verb.name()} ${below.name()}`));
    }
  });

  it("has a section for each verb, and for nothing that is none", () => {
    const told = [...sections.keys()].filter((title) => title !== "Environment");
    expect([...offered.keys()]).to.include("run");
    expect(told.toSorted()).to.deep.equal([...offered.keys()].toSorted());
    for (const verb of subverbs) expect(page).to.include(`pathlab ${verb}`);
  });

  it("tells all options of each verb, and none that it does not have", () => {
    for (const [verb, options] of offered) {
      const section = sections.get(verb) ?? "";
      const told = [...section.matchAll(/`(--[\w-]+)/g)].map(([, name]) => name!);
      expect([...new Set(told)].toSorted(), verb).to.deep.equal(options.toSorted());
    }
  });

  it("is right about the commands that all documents show", () => {
    for (const name of pages) {
      for (const [line, verb = "", rest = ""] of textOf(name).matchAll(/^(?: {4}|\$ )\S*pathlab ([a-z]+)(.*)$/gm)) {
        expect([...offered.keys()], `${name}: ${line}`).to.include(verb);
        const options = passingOptionsOn.includes(verb) ? [] : (rest.replace(/ #.*$/, "").match(/--[\w-]+/g) ?? []);
        for (const option of options) expect(offered.get(verb), `${name}: ${line}`).to.include(option);
      }
    }
  });
});
