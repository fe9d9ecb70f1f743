/** The program in C of a kernel's end: built when its source has changed. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import path from "node:path";

const source = path.resolve(import.meta.dirname, "native/kernel_end.c");
const outputDirectory = path.resolve(import.meta.dirname, "../../build/native");
const flags = ["-O2", "-Wall", "-Wextra", "-pthread"];

/** The path of the program. @throws Error when the machine has no C compiler */
export function kernelEnd(): string {
  const hash = createHash("sha256").update(process.arch).update(flags.join(" ")).update(readFileSync(source));
  const target = path.join(outputDirectory, `kernel-end-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(target)) return target;
  mkdirSync(outputDirectory, { recursive: true });
  const aside = `${target}.${process.pid}`;
  execFileSync(process.env["CC"] ?? "cc", [...flags, source, "-o", aside], { stdio: ["ignore", "pipe", "inherit"] });
  renameSync(aside, target);
  return target;
}
