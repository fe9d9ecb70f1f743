import { readFileSync } from "node:fs";
import type { Prerequisite } from "./prerequisite.ts";

/** linux/capability.h */
const capabilities = { NET_ADMIN: 12, NET_RAW: 13, SYS_ADMIN: 21 } as const;

export const privileges: Prerequisite = {
  name: "root",
  purpose: "making namespaces, links and packet sockets",
  needs: ["namespaces", "containers", "linux-mptcp", "cubic", "test"],
  remedy: "sudo ./pathlab …",
  async check() {
    if (process.getuid?.() !== 0) return { present: false, detail: `user ${process.getuid?.()} is not root` };
    const effective = BigInt(
      `0x${/^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0"}`,
    );
    const missing = Object.entries(capabilities).filter(([, bit]) => ((effective >> BigInt(bit)) & 1n) === 0n);
    return missing.length === 0
      ? { present: true, detail: "root with the capabilities needed" }
      : {
          present: false,
          detail: `root without CAP_${missing.map(([name]) => name).join(", CAP_")} (in a container? start it with --privileged)`,
        };
  },
};
