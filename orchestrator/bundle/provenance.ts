/** The machine of a run, as the manifest records it. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { arch, cpus, hostname, release, totalmem, version } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Machine } from "./manifest.ts";

const checkout = fileURLToPath(new URL("../../", import.meta.url));

/** What changes how TCP and MPTCP behave on a machine. */
const sysctlsThatMatter = [
  "kernel.sched_rt_runtime_us",
  "net.core.default_qdisc",
  "net.core.netdev_max_backlog",
  "net.core.rmem_max",
  "net.core.wmem_max",
  "net.ipv4.tcp_allowed_congestion_control",
  "net.ipv4.tcp_congestion_control",
  "net.ipv4.tcp_ecn",
  "net.ipv4.tcp_no_metrics_save",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_sack",
  "net.ipv4.tcp_timestamps",
  "net.ipv4.tcp_window_scaling",
  "net.ipv4.tcp_wmem",
  "net.mptcp.add_addr_timeout",
  "net.mptcp.blackhole_timeout",
  "net.mptcp.checksum_enabled",
  "net.mptcp.close_timeout",
  "net.mptcp.enabled",
  "net.mptcp.scheduler",
  "net.mptcp.stale_loss_cnt",
];

/** Reads only; what the machine does not have (a sysctl, git) is left out or null. */
export async function describeMachine(): Promise<Machine> {
  const processors = cpus();
  const { version: pathlabVersion, dependencies } = await readPackage(checkout);
  const [git, packages, sysctls] = await Promise.all([
    describeCheckout(),
    readPackageVersions(Object.keys(dependencies ?? {})),
    readSysctls(sysctlsThatMatter),
  ]);
  return {
    hostname: hostname(),
    kernel: `${release()} ${version()}`,
    architecture: arch(),
    cpu: { model: processors[0]?.model ?? "unknown", count: Math.max(1, processors.length) },
    memoryBytes: totalmem(),
    node: process.versions.node,
    pathlab: { version: pathlabVersion, ...git },
    packages,
    sysctls,
  };
}

async function readPackage(directory: string): Promise<{ version: string; dependencies?: Record<string, string> }> {
  return JSON.parse(await readFile(join(directory, "package.json"), "utf8")) as {
    version: string;
    dependencies?: Record<string, string>;
  };
}

async function readPackageVersions(names: readonly string[]): Promise<Record<string, string>> {
  const entries = await Promise.all(
    names
      .toSorted()
      .map(async (name) => [name, (await readPackage(join(checkout, "node_modules", name))).version] as const),
  );
  return Object.fromEntries(entries);
}

async function describeCheckout(): Promise<{ gitCommit: string | null; gitDirty: boolean | null }> {
  try {
    const [commit, status] = await Promise.all([git("rev-parse", "HEAD"), git("status", "--porcelain")]);
    return { gitCommit: commit.stdout.trim(), gitDirty: status.stdout !== "" };
  } catch {
    return { gitCommit: null, gitDirty: null };
  }
}

/** A checkout owned by another user (run by sudo) is still ours to read. */
function git(...args: string[]): Promise<{ stdout: string }> {
  return promisify(execFile)("git", ["-c", `safe.directory=${checkout.replace(/\/$/, "")}`, "-C", checkout, ...args]);
}

async function readSysctls(names: readonly string[]): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const name of names) {
    try {
      values[name] = (await readFile(join("/proc/sys", ...name.split(".")), "utf8")).trim().replaceAll("\t", " ");
    } catch {
      continue;
    }
  }
  return values;
}
