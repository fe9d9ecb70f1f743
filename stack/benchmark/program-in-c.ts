/** The ends in C: built when their sources have changed. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import path from "node:path";

const sourceDirectory = path.resolve(import.meta.dirname, "native");
const outputDirectory = path.resolve(import.meta.dirname, "../../build/native");
const flags = ["-O2", "-Wall", "-Wextra", "-pthread"];

/** The path of the program of `native/NAME.c`. @throws Error when the machine has no C compiler */
export function programInC(name: "kernel_end" | "packet_end"): string {
  const source = path.join(sourceDirectory, `${name}.c`);
  const hash = createHash("sha256").update(process.arch).update(flags.join(" "));
  for (const file of [source, path.join(sourceDirectory, "end.h")]) hash.update(readFileSync(file));
  const target = path.join(outputDirectory, `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(target)) return target;
  mkdirSync(outputDirectory, { recursive: true });
  const aside = `${target}.${process.pid}`;
  execFileSync(process.env["CC"] ?? "cc", [...flags, source, "-o", aside], { stdio: ["ignore", "pipe", "inherit"] });
  renameSync(aside, target);
  return target;
}
