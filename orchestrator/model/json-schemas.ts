/** The published JSON Schemas (draft-07), made from the very schemas that files are checked by. They describe the file as it is written, units and all. */
import * as z from "zod";
import { experimentSchema } from "./experiment-schema.ts";
import { profilesFileSchema } from "./link-shape-schema.ts";
import type { FileKind } from "./load.ts";
import { topologySchema } from "./topology-schema.ts";

const schemas: Readonly<Record<FileKind, z.ZodType>> = {
  topology: topologySchema,
  experiment: experimentSchema,
  profiles: profilesFileSchema,
};

export const schemaNames: readonly FileKind[] = ["topology", "experiment", "profiles"];

/** The text of `schemas/<name>.schema.json`. */
export function jsonSchemaText(name: FileKind): string {
  return `${JSON.stringify(z.toJSONSchema(schemas[name], { io: "input", target: "draft-7" }), null, 2)}\n`;
}
