/** A kernel that goes on asking for MPTCP, for tests whose other end a busy machine may keep from answering. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

const asksAgain = "net.mptcp.syn_retrans_before_tcp_fallback";

/** In the network namespace of this name neither a SYN that is not answered for seconds nor many of them make the kernel's clients ask without MPTCP. */
export function askForMptcpPatiently(namespace: string): void {
  const settings = ["net.mptcp.blackhole_timeout=0"];
  // Kernels before 6.15 have no such variable: they ask twice.
  if (existsSync(`/proc/sys/${asksAgain.replaceAll(".", "/")}`)) settings.push(`${asksAgain}=100`);
  execFileSync("ip", ["netns", "exec", namespace, "sysctl", "-qw", ...settings], { stdio: "pipe" });
}
