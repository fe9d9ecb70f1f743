import { expect } from "chai";
import { readKernelCounters } from "./kernel-counters.ts";

describe("readKernelCounters", () => {
  it("reads a network namespace's own counters, those of MPTCP among them", async () => {
    const counters = await readKernelCounters("/proc/self/ns/net");
    expect(counters).to.include.keys(
      "MPTcpExt.MPCapableSYNTXDisabled",
      "MPTcpExt.Blackhole",
      "TcpExt.TCPTimeouts",
      "Tcp.RetransSegs",
    );
  });

  it("rejects when there is no such namespace", async () => {
    let message = "";
    await readKernelCounters("/run/netns/pathlab-no-such").catch((error: Error) => (message = error.message));
    expect(message).to.match(/No such file/);
  });
});
