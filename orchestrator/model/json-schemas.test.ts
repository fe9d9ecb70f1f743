import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect } from "chai";
import { parse } from "yaml";
import { formatDiagnostics } from "./diagnostics.ts";
import { jsonSchemaText, schemaNames } from "./json-schemas.ts";
import { loadFile, recogniseFile } from "./load.ts";

const repository = join(import.meta.dirname, "../..");
const shipped = ["topologies", "experiments"].flatMap((folder) =>
  readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => `${folder}/${name}`),
);
const published = (name: string): unknown =>
  JSON.parse(readFileSync(join(repository, `schemas/${name}.schema.json`), "utf8"));

describe("published JSON Schemas", () => {
  for (const name of schemaNames) {
    it(`${name}: the file is what \`pathlab schema ${name}\` prints`, () => {
      expect(published(name)).to.deep.equal(JSON.parse(jsonSchemaText(name)));
    });

    it(`${name}: is a draft-07 schema that says what each key means`, () => {
      const schema = published(name) as { $schema: string; properties: Record<string, { description?: string }> };
      expect(schema.$schema).to.equal("http://json-schema.org/draft-07/schema#");
      for (const [key, property] of Object.entries(schema.properties))
        expect(property.description, key).to.be.a("string");
      expect(new Ajv({ strict: false }).validateSchema(schema)).to.equal(true);
    });
  }

  it("refuse what they should", () => {
    const validate = new Ajv({ strict: false }).compile(published("topology") as object);
    const good = { version: 1, name: "t", hosts: { a: {}, b: {} }, links: { l: { ends: ["a", "b"], rate: "8mbit" } } };
    expect(validate(good)).to.equal(true);
    for (const bad of [
      { ...good, version: 2 },
      { ...good, links: { l: { ends: ["a"] } } },
      { ...good, links: { l: { ends: ["a", "b"], rate: 8 } } },
      { ...good, more: 1 },
    ]) {
      expect(validate(bad), JSON.stringify(bad)).to.equal(false);
    }
  });
});

describe("shipped files", () => {
  for (const name of shipped) {
    const file = join(repository, name);
    it(`${name} passes our checks and the published schema`, () => {
      const checked = loadFile(file);
      expect(checked.ok ? "" : formatDiagnostics(checked.diagnostics)).to.equal("");
      const kind = recogniseFile(file);
      const validate = new Ajv({ strict: false, allErrors: true }).compile(
        published(kind.ok ? kind.value : "") as object,
      );
      validate(parse(readFileSync(file, "utf8")));
      expect(validate.errors ?? []).to.deep.equal([]);
    });

    it(`${name} names its schema for editors`, () => {
      const [first] = readFileSync(file, "utf8").split("\n");
      const match = /^# yaml-language-server: \$schema=(.+)$/.exec(first!);
      const kind = recogniseFile(file);
      expect(join(name, "..", match?.[1] ?? "")).to.equal(`schemas/${kind.ok ? kind.value : "?"}.schema.json`);
    });
  }
});
