import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { kernelMptcp, oursToOurs } from "./conditions.ts";
import { Lab, labPrefix, type LabOptions } from "./lab.ts";
import { measureFill } from "./shaped-throughput.ts";
import { measureThroughput } from "./throughput.ts";

const program = fileURLToPath(new URL("main.ts", import.meta.url));
const cell = "throughput, 2 paths, 64 KiB";

interface Document {
  results: { title: string; comparisons: { samples: Record<string, { gigabitsPerSecond: number }[]> }[] }[];
  marks: { verdict: string }[];
}

describe("the benchmark", function () {
  this.timeout(300_000);

  it("measures one cell in turns, judges it by its exit code, and leaves nothing behind", () => {
    const { pid, status, stdout } = spawnSync(
      process.execPath,
      [program, "--quick", "--rounds", "1", "--json", "--only", cell],
      {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    const { results, marks } = JSON.parse(stdout) as Document;
    expect(results.map(({ title }) => title)).to.deep.equal(["throughput"]);
    const { samples } = results[0]!.comparisons[0]!;
    expect(Object.keys(samples)).to.include.members([oursToOurs.name, kernelMptcp.name]);
    for (const own of Object.values(samples)) {
      expect(own).to.have.length(1);
      for (const { gigabitsPerSecond } of own) expect(gigabitsPerSecond).to.be.greaterThan(0);
    }
    expect(marks).to.have.length(1);
    expect(status).to.equal(marks[0]!.verdict === "below the floor" ? 1 : 0);
    expect(readdirSync("/run/netns").filter((name) => name.startsWith(`${labPrefix}${pid}`))).to.deep.equal([]);
  });

  it("has packet sockets alone carry the same super-packets", async () => {
    const lab = await Lab.open({ stacks: oursToOurs.stacks, paths: 1, offload: true, congestionControl: "reno" });
    try {
      const measured = await measureThroughput({
        lab,
        mptcp: true,
        application: "none",
        warmUpSeconds: 0.2,
        seconds: 1,
      });
      expect(measured.gigabitsPerSecond).to.be.greaterThan(0);
      // 61,404, if bytes and packets are read in the same moment.
      expect(measured.bytesPerPacket).to.be.within(30_000, 120_000);
    } finally {
      lab.close();
    }
  });

  // What is asked of any machine, however late it comes to its work, is more than one link alone can carry; how full two links get is the
  // benchmark's own judgement on a quiet machine, and exact in virtual time (stack/testing/aggregation.test.ts). Above 1 is what queues give back in the interval.
  for (const congestionControl of ["reno", "lia"])
    it(`two subflows carry more than one of two links that HTB shapes, with ${congestionControl}`, async () => {
      const options: LabOptions = {
        stacks: oursToOurs.stacks,
        paths: 2,
        offload: true,
        bitsPerSecond: 10e6,
        congestionControl,
      };
      const lab = await Lab.open(options);
      try {
        const { share } = await measureFill({ lab, mptcp: true, warmUpSeconds: 2, seconds: 8 });
        expect(share).to.be.within(0.55, 1.2);
      } finally {
        lab.close();
      }
    });
});
