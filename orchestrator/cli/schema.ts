import { Argument } from "commander";
import type { Command } from "commander";
import { jsonSchemaText, schemaNames } from "../model/json-schemas.ts";
import type { FileKind } from "../model/load.ts";

/** `pathlab schema NAME`: the JSON Schema of a file format, for editors and other tools. */
export function registerSchemaCommand(program: Command): void {
  program
    .command("schema")
    .summary("print the JSON Schema of a file format")
    .description(
      "Prints the JSON Schema (draft-07) of experiment, topology or profile files; the same text is in schemas/.",
    )
    .addArgument(new Argument("[name]", "which format").choices(schemaNames).default("experiment"))
    .action((name: FileKind) => void process.stdout.write(jsonSchemaText(name)));
}
