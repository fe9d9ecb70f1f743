/** What the kernel can do: found out by doing it in a network namespace that vanishes with the probe, once a boot. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootId } from "../../journal/process-identity.ts";
import { runCommand } from "../../journal/run-command.ts";
import { stateDirectory } from "../../journal/state-directory.ts";
import type { MachineAbilities } from "../../plan/link-realisation.ts";
import type { Finding, Prerequisite } from "./prerequisite.ts";

export interface KernelFeatures {
  readonly networkNamespaces: boolean;
  readonly veth: boolean;
  readonly netem: boolean;
  readonly mptcp: boolean;
  readonly tun: boolean;
}

const probe = `
try() { name=$1; shift; if "$@" >/dev/null 2>&1; then echo "$name"; fi; }
echo networkNamespaces
try veth ip link add name probe0 type veth peer name probe1
try netem tc qdisc add dev lo root netem delay 1ms
try mptcp test -e /proc/sys/net/mptcp/enabled
try tun ip tuntap add dev probe2 mode tun
`;

let features: KernelFeatures | undefined;

/** For root only; others would be refused the namespace and learn nothing. */
export async function kernelFeatures(): Promise<KernelFeatures> {
  features ??= readCache();
  if (features !== undefined) return features;
  const found = await probeKernel();
  // A probe before iproute2 was installed says nothing about the kernel, and must not be remembered.
  if (found.veth) {
    writeCache(found);
    features = found;
  }
  return found;
}

/** What plans for namespaces and containers are made with. For root only. */
export async function kernelAbilities(): Promise<MachineAbilities> {
  const { netem } = await kernelFeatures();
  return { netem, seededFlowHash: takesFlowHashSeed() };
}

/** Whether routers take a seed of their hash of flows (Linux 6.11): anyone may look. */
export function takesFlowHashSeed(): boolean {
  return existsSync("/proc/sys/net/ipv4/fib_multipath_hash_seed");
}

function cacheFile(): string {
  return join(stateDirectory(), "kernel-features.json");
}

function readCache(): KernelFeatures | undefined {
  if (!existsSync(cacheFile())) return undefined;
  const cached = JSON.parse(readFileSync(cacheFile(), "utf8")) as { bootId: string; features: KernelFeatures };
  return cached.bootId === bootId() ? cached.features : undefined;
}

function writeCache(found: KernelFeatures): void {
  mkdirSync(stateDirectory(), { recursive: true });
  const aside = `${cacheFile()}.${process.pid}`;
  writeFileSync(aside, JSON.stringify({ bootId: bootId(), features: found }));
  renameSync(aside, cacheFile());
}

async function probeKernel(): Promise<KernelFeatures> {
  let has: Set<string>;
  try {
    has = new Set((await runCommand(["unshare", "--net", "sh", "-c", probe])).split("\n"));
  } catch {
    has = new Set();
  }
  return {
    networkNamespaces: has.has("networkNamespaces"),
    veth: has.has("veth"),
    netem: has.has("netem"),
    mptcp: has.has("mptcp"),
    tun: has.has("tun"),
  };
}

export const kernelPrerequisites: readonly Prerequisite[] = [
  feature(
    "networkNamespaces",
    "nodes of every lab",
    ["namespaces", "containers", "test"],
    "a kernel with CONFIG_NET_NS, and the right to use it",
  ),
  feature(
    "veth",
    "links of every lab",
    ["namespaces", "containers", "test"],
    "modprobe veth, or a kernel with CONFIG_VETH",
  ),
  feature(
    "mptcp",
    "endpoints of the kind linux-mptcp",
    ["linux-mptcp", "test"],
    "a kernel of 5.6 or later with CONFIG_MPTCP",
  ),
  feature(
    "tun",
    "carrying unmodified applications over our stack",
    ["gateway"],
    "modprobe tun, or a kernel with CONFIG_TUN",
  ),
  feature(
    "netem",
    "links shaped by the kernel; without it our emulator shapes them",
    [],
    "modprobe sch_netem, or a kernel with CONFIG_NET_SCH_NETEM",
  ),
];

const allowedAlgorithms = "/proc/sys/net/ipv4/tcp_allowed_congestion_control";

/**
 * A namespace may choose only among the algorithms that the machine allows its ordinary users. Debian's kernel allows CUBIC, one that defaults to BBR may
 * not; there is no other way to choose for a kernel's MPTCP socket. The permission lasts until the machine is booted.
 */
export const cubicAllowed: Prerequisite = {
  name: "kernel:cubic",
  purpose: "kernel endpoints with the congestion control cubic",
  needs: ["cubic", "test"],
  remedy: `echo "$(cat ${allowedAlgorithms}) cubic" > ${allowedAlgorithms}`,
  async check() {
    const allowed = readFileSync(allowedAlgorithms, "utf8").trim();
    return { present: allowed.split(" ").includes("cubic"), detail: `allowed in namespaces: ${allowed}` };
  },
  async fix(progress) {
    progress("allowing namespaces to use cubic, until the next boot");
    writeFileSync(allowedAlgorithms, `${readFileSync(allowedAlgorithms, "utf8").trim()} cubic`);
  },
};

function feature(
  key: keyof KernelFeatures,
  purpose: string,
  needs: Prerequisite["needs"],
  remedy: string,
): Prerequisite {
  return {
    name: `kernel:${key}`,
    purpose,
    needs,
    remedy,
    async check(): Promise<Finding> {
      if (process.getuid?.() !== 0) return { present: false, unknown: true, detail: "only root can tell" };
      const present = (await kernelFeatures())[key];
      return { present, detail: present ? "tried, works" : "tried, refused" };
    },
  };
}
