/** Programs of the machine, and the Debian packages that bring them. */
import { accessSync, constants, readdirSync } from "node:fs";
import { join } from "node:path";
import { CommandError, runCommand } from "../../journal/run-command.ts";
import type { Need, Prerequisite } from "./prerequisite.ts";

interface DebianProgram {
  readonly package: string;
  readonly program: string;
  readonly purpose: string;
  readonly needs: readonly Need[];
}

/** What experiments run inside hosts: package, program, purpose, and whether tests do so, too. */
const foreignPrograms: readonly (readonly [string, string, string, boolean])[] = [
  ["nginx-light", "nginx", "experiments that serve files and videos", true],
  ["ffmpeg", "ffmpeg", "experiments that play videos, and the making of these", true],
  ["curl", "curl", "experiments that download", true],
  ["wget", "wget", "experiments that download", true],
  ["iperf3", "iperf3", "experiments that measure throughput", true],
  ["python3-minimal", "python3", "experiments with programs in Python", false],
];

const programs: readonly DebianProgram[] = [
  {
    package: "iproute2",
    program: "ip",
    purpose: "namespaces, links, addresses and routes",
    needs: ["namespaces", "containers", "test"],
  },
  {
    package: "ethtool",
    program: "ethtool",
    purpose: "switching segmentation offload off on emulated links",
    needs: ["namespaces", "containers", "test"],
  },
  {
    package: "procps",
    program: "sysctl",
    purpose: "reading kernel settings into the bundle",
    needs: ["namespaces", "containers", "test"],
  },
  { package: "g++", program: "cc", purpose: "compiling the native addon", needs: ["namespaces", "containers", "test"] },
  {
    package: "mptcpize",
    program: "mptcpize",
    purpose: "endpoints of the kind linux-mptcp",
    needs: ["linux-mptcp", "test"],
  },
  { package: "docker.io", program: "dockerd", purpose: "the substrate `containers`", needs: ["containers", "test"] },
  {
    package: "mmdebstrap",
    program: "mmdebstrap",
    purpose: "building the containers' image",
    needs: ["containers", "test"],
  },
  {
    package: "tshark",
    program: "tshark",
    purpose: "checking captures with Wireshark's dissectors in the tests",
    needs: ["test"],
  },
  { package: "tcpdump", program: "tcpdump", purpose: "a second witness of captures in the tests", needs: ["test"] },
  {
    package: "nftables",
    program: "nft",
    purpose: "middleboxes made of the kernel's packet filter in the tests",
    needs: ["test"],
  },
  ...foreignPrograms.map(([name, program, purpose, tested]): DebianProgram => ({
    package: name,
    program,
    purpose,
    needs: [`program:${program}`, ...(tested ? (["test"] as const) : [])],
  })),
  { package: "chromium", program: "chromium", purpose: "looking at the report in the tests", needs: ["test"] },
];

export const debianPrograms: readonly Prerequisite[] = programs.map(({ package: name, program, purpose, needs }) => ({
  name: `package:${name}`,
  purpose,
  needs,
  remedy: `apt-get install -y --no-install-recommends ${name}`,
  debianPackage: name,
  async check() {
    const path = findProgram(program);
    return path === undefined ? { present: false, detail: `no program ${program}` } : { present: true, detail: path };
  },
}));

/** Of a program that an experiment names and of which nobody here knows what brings it. */
export function foreignProgram(program: string): Prerequisite {
  return {
    name: program,
    purpose: "a program that the experiment runs",
    needs: [`program:${program}`],
    remedy: "install it, or name it by its whole path",
    async check() {
      const path = findProgram(program);
      return path === undefined ? { present: false, detail: `no program ${program}` } : { present: true, detail: path };
    },
  };
}

/** Where a program is that root could run, whoever asks: Debian leaves the system's own out of the user's PATH. */
export function findProgram(name: string): string | undefined {
  if (name.includes("/")) return isExecutable(name) ? name : undefined;
  const places = [...(process.env["PATH"] ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  for (const place of places) {
    if (place === "") continue;
    const path = join(place, name);
    if (isExecutable(path)) return path;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws With apt's own words. */
export async function installPackages(names: readonly string[], progress: (line: string) => void): Promise<void> {
  if (findProgram("apt-get") === undefined) {
    throw new Error(`this machine has no apt-get: install what Debian calls ${names.join(", ")} by its own means`);
  }
  const install = async (): Promise<void> => {
    await apt(["install", "--yes", "--no-install-recommends", ...names], progress);
  };
  if (!hasPackageLists()) {
    await apt(["update"], progress);
    await install();
    return;
  }
  try {
    await install();
  } catch (error) {
    // Lists that are missing a package, or name a version that the mirror no longer has.
    if (
      !(error instanceof CommandError) ||
      !/Unable to locate package|has no installation candidate|404 +Not Found/.test(error.message)
    )
      throw error;
    await apt(["update"], progress);
    await install();
  }
}

function hasPackageLists(): boolean {
  try {
    return readdirSync("/var/lib/apt/lists").some((name) => name.includes("_Packages"));
  } catch {
    return false;
  }
}

async function apt(args: readonly string[], progress: (line: string) => void): Promise<void> {
  progress(`apt-get ${args.filter((arg) => !arg.startsWith("-")).join(" ")}`);
  await runCommand(["apt-get", "--quiet=2", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", ...args], {
    environment: { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
    onLine: (line) => {
      if (line.startsWith("Setting up ")) progress(line.replace(/ \.\.\.$/, ""));
    },
  });
}
