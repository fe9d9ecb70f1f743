/** What every substrate must do, said once. */
import { once } from "node:events";
import { mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { addressings, familiesOf, type AddressFamily } from "../model/ip-address.ts";
import { Journal } from "../journal/journal.ts";
import { labMark, markedProcesses } from "../journal/process-identity.ts";
import { runCommand } from "../journal/run-command.ts";
import { commandOf, remainsOf, squatters } from "./machine-state.fixture.ts";
import { RecordingObserver } from "./recording-observer.fixture.ts";
import type { Lab, LabObserver, Substrate } from "./substrate.ts";
import type { LabCommand, LabProcess } from "../workload/lab-process.ts";
import { overIpv6, phoneAddresses, serverAddress, twoPathsPlan } from "./two-paths.fixture.ts";
import { UdpProbe } from "./udp-probe.fixture.ts";

export { remainsOf };

const sampleMicroseconds = 10_000;
const datagrams = 20;

function endsOver(family: AddressFamily, path: keyof typeof phoneAddresses): [string, string] {
  const ends: [string, string] = [phoneAddresses[path], serverAddress];
  return family === "ipv4" ? ends : [overIpv6(ends[0]), overIpv6(ends[1])];
}

export function describeSubstrate(substrate: Substrate): void {
  describe(`substrate ${substrate.name}`, function () {
    let state: string;
    const journals: Journal[] = [];
    const labs: Lab[] = [];

    before(() => {
      state = mkdtempSync(join(tmpdir(), "pathlab-state-"));
    });
    after(() => rmSync(state, { recursive: true }));
    afterEach(async () => {
      for (const lab of labs.splice(0)) await lab.down();
      for (const journal of journals.splice(0)) journal.remove();
    });

    function newJournal(): Journal {
      const journal = Journal.create({ state });
      journals.push(journal);
      return journal;
    }

    async function raise(observer: LabObserver = new RecordingObserver()): Promise<Lab> {
      const journal = newJournal();
      const plan = twoPathsPlan({ lab: journal.lab, substrate: substrate.name, access: "emulated" });
      const lab = await substrate.up(plan, journal, observer);
      labs.push(lab);
      return lab;
    }

    for (const addressing of addressings) {
      describe(`a lab with two paths (${addressing})`, () => {
        let lab: Lab;
        let observer: RecordingObserver;
        let probe: UdpProbe;
        let journal: Journal;

        before(async () => {
          observer = new RecordingObserver();
          journal = Journal.create({ state });
          lab = await substrate.up(
            twoPathsPlan({ lab: journal.lab, substrate: substrate.name, access: "emulated", addressing }),
            journal,
            observer,
          );
          probe = await UdpProbe.between(lab, "phone", "server");
          await lab.links.sampleEvery(sampleMicroseconds);
        });
        after(async () => {
          await lab.down();
          journal.remove();
        });

        /** Over each family that the lab has. */
        async function exchange(path: keyof typeof phoneAddresses): Promise<void> {
          for (const family of familiesOf[addressing]) {
            const [from, to] = endsOver(family, path);
            await probe.exchange(from, to);
          }
        }

        it("routes by the source address: each of the phone's addresses has its own path", async () => {
          for (const [used, spared] of [["wifi", "cellular"] as const, ["cellular", "wifi"] as const]) {
            const before = await observer.nextSamples();
            for (let count = 0; count < datagrams; count++) await exchange(used);
            const after = await observer.nextSamples();
            expect(after.packets(used) - before.packets(used)).to.be.at.least(datagrams);
            // With IPv6 kernels tell their groups to each link, and look for neighbours.
            const most = addressing === "ipv4" ? 0 : datagrams - 1;
            expect(after.packets(spared) - before.packets(spared), spared).to.be.at.most(most);
          }
        });

        it("tells what links have carried when samples begin and when they end, not only in between", async () => {
          const first = observer.nextSamples();
          await lab.links.sampleEvery(3_600_000_000);
          const before = await first;
          await exchange("wifi");
          const last = observer.nextSamples();
          await lab.links.sampleEvery(0);
          expect((await last).packets("wifi")).to.be.above(before.packets("wifi"));
          await lab.links.sampleEvery(sampleMicroseconds);
        });

        it("drops silently while a link is a black hole, and carries again when it is restored", async () => {
          await lab.links.blackhole("wifi");
          const lost = familiesOf[addressing].map((family) => probe.send(...endsOver(family, "wifi")));
          await observer.samplesWhere((samples) => samples.blackholed("wifi") > 0);
          await exchange("cellular");
          expect(lost.some((number) => probe.answered.has(number))).to.equal(false);
          await lab.links.restore("wifi");
          await exchange("wifi");
          expect(lost.some((number) => probe.answered.has(number))).to.equal(false);
        });

        it("changes a link's delay while it carries packets", async () => {
          await lab.links.set("wifi", "forward", { delayMicroseconds: 300_000, seed: 1 });
          const arrivals: string[] = [];
          await Promise.all([
            exchange("wifi").then(() => arrivals.push("wifi")),
            exchange("cellular").then(() => arrivals.push("cellular")),
          ]);
          expect(arrivals).to.deep.equal(["cellular", "wifi"]);
          await lab.links.set("wifi", "forward", { seed: 1 });
        });

        it("takes an interface down and brings it back with its routes", async () => {
          const routes = async (): Promise<string> => {
            const tables = familiesOf[addressing].map((family) =>
              output(lab, "phone", ["ip", family === "ipv4" ? "-4" : "-6", "route", "show", "table", "all"]),
            );
            return (await Promise.all(tables)).join("");
          };
          const before = await routes();
          await lab.setInterface("phone", "wlan0", "down");
          expect(await routes()).to.not.match(/via (10\.1\.0\.1|2001:db8:1::1) /);
          await exchange("cellular");
          await lab.setInterface("phone", "wlan0", "up");
          expect(planned(await routes())).to.deep.equal(planned(before));
          await exchange("wifi");
        });
      });
    }

    describe("a lab", () => {
      let lab: Lab;
      let observer: RecordingObserver;
      let journal: Journal;

      before(async () => {
        observer = new RecordingObserver();
        journal = Journal.create({ state });
        lab = await substrate.up(
          twoPathsPlan({ lab: journal.lab, substrate: substrate.name, access: "emulated" }),
          journal,
          observer,
        );
      });
      after(async () => {
        await lab.down();
        journal.remove();
      });

      it("refuses what the plan does not name", async () => {
        await rejects(lab.links.blackhole("nowhere"), /no link nowhere/);
        await rejects(lab.links.blackhole("core"), /core is direct/);
        await rejects(lab.setInterface("phone", "eth9", "down"), /no interface eth9 of phone/);
        await rejects(lab.spawn("nobody", { name: "x", argv: ["true"] }), /no node nobody/);
      });

      it("switches offloads off on emulated links, so that every packet is one segment", async () => {
        const features = await runCommand([
          "nsenter",
          `--net=${lab.networkNamespace("phone")}`,
          "ethtool",
          "-k",
          "wlan0",
        ]);
        for (const feature of [
          "tcp-segmentation-offload",
          "generic-segmentation-offload",
          "generic-receive-offload",
          "tx-checksumming",
        ]) {
          expect(features).to.match(new RegExp(`^${feature}: off`, "m"));
        }
      });

      it("gives a process its standard streams and tells how it ended", async () => {
        const echo = await lab.spawn(
          "server",
          script(`process.stdin.on("end", () => { console.error("bye"); process.exitCode = 7; }).pipe(process.stdout)`),
        );
        const [out, err] = [text(echo.stdout), text(echo.stderr)];
        echo.stdin.end("a line\n");
        expect(await echo.exited).to.deep.equal({ code: 7, signal: null });
        expect(await out).to.equal("a line\n");
        expect(await err).to.equal("bye\n");
      });

      it("passes environment variables, and carries a megabyte without a loss", async () => {
        const writer = await lab.spawn("server", {
          ...script(`process.stdout.write(process.env.LETTER.repeat(1_000_000))`),
          environment: { LETTER: "z" },
        });
        expect((await text(writer.stdout)).length).to.equal(1_000_000);
        expect(await writer.exited).to.deep.equal({ code: 0, signal: null });
      });

      it("kills a process and what it started", async () => {
        const parent = await lab.spawn(
          "server",
          script(
            `const { pid } = require("node:child_process").spawn("sleep", ["1000"], { detached: true, stdio: "ignore" }); console.log("started");`,
          ),
        );
        await firstData(parent);
        await parent.kill("SIGKILL");
        expect(await parent.exited).to.deep.equal({ code: null, signal: "SIGKILL" });
        const left = (): number[] =>
          markedProcesses({ [labMark]: lab.plan.lab }).filter((pid) => commandOf(pid).includes("sleep\x001000"));
        // Where the machine is busy, one that has been killed is there a moment longer.
        while (left().length > 0) await setImmediate();
      });
    });

    it("runs what observes a lab on the machine itself, and ends it with the lab", async () => {
      const lab = await raise();
      const beside = await lab.spawnBeside(
        script(`console.log(require("node:fs").readlinkSync("/proc/self/ns/net")); setInterval(() => {}, 1e6);`),
      );
      const [network] = (await once(beside.stdout, "data")) as [Buffer];
      expect(network.toString().trim()).to.equal(readlinkSync("/proc/self/ns/net"));
      await lab.down();
      expect(await beside.exited).to.deep.equal({ code: null, signal: "SIGKILL" });
    });

    it("leaves the addresses of our own stack alone: the kernel neither answers nor resets", async () => {
      const journal = newJournal();
      const observer = new RecordingObserver();
      const plan = twoPathsPlan({
        lab: journal.lab,
        substrate: substrate.name,
        access: "emulated",
        kernelAddresses: false,
      });
      const lab = await substrate.up(plan, journal, observer);
      labs.push(lab);
      const inPhone = ["nsenter", `--net=${lab.networkNamespace("phone")}`] as const;
      expect(await runCommand([...inPhone, "ip", "-brief", "address", "show", "dev", "wlan0"])).to.not.match(
        /\d+\.\d+\.\d+\.\d+/,
      );
      const probe = await UdpProbe.between(lab, "ap", "server");
      await lab.links.sampleEvery(sampleMicroseconds);
      // The router asks for the phone's hardware address; nobody may answer for a stack that does not run.
      probe.send("10.1.0.1", phoneAddresses.wifi);
      const asked = await observer.samplesWhere((samples) => samples.packets("wifi", "backward") > 0);
      const later = await observer.samplesWhere(
        (samples) => samples.packets("wifi", "backward") > asked.packets("wifi", "backward"),
      );
      expect(later.packets("wifi", "forward")).to.equal(0);
    });

    it("runs two labs side by side, with the same addresses in both", async () => {
      const [one, other] = [await raise(), await raise()];
      const probes = [
        await UdpProbe.between(one, "phone", "server"),
        await UdpProbe.between(other, "phone", "server"),
      ] as const;
      await Promise.all(probes.map((probe) => probe.exchange(phoneAddresses.wifi, serverAddress)));
      await one.down();
      await probes[1].exchange(phoneAddresses.cellular, serverAddress);
    });

    it("leaves nothing when it is taken down, which may be asked for twice", async () => {
      const lab = await raise();
      await UdpProbe.between(lab, "phone", "server");
      expect(await remainsOf(lab.plan.lab)).to.not.deep.equal([]);
      await Promise.all([lab.down(), lab.down()]);
      await lab.down();
      expect(await remainsOf(lab.plan.lab)).to.deep.equal([]);
    });

    it("takes everything down when it fails half-way, and says which node failed", async () => {
      const journal = newJournal();
      const plan = twoPathsPlan({ lab: journal.lab, substrate: substrate.name, access: "emulated" });
      const nodes = plan.nodes.map((node) =>
        node.name === "server"
          ? { ...node, routes: [{ destination: "default", via: "192.0.2.1", interface: "eth0" }] }
          : node,
      );
      await rejects(
        substrate.up({ ...plan, nodes }, journal, new RecordingObserver()),
        /node server: .*(unreachable|invalid gateway)/is,
      );
      expect(await remainsOf(journal.lab)).to.deep.equal([]);
    });

    it("refuses a name that is taken, and leaves the thing that has it", async () => {
      const journal = newJournal();
      const plan = twoPathsPlan({ lab: journal.lab, substrate: substrate.name, access: "emulated" });
      const squatter = `pl-${journal.lab}-server`;
      await squatters[substrate.name]?.make(squatter);
      try {
        await rejects(substrate.up(plan, journal, new RecordingObserver()), new RegExp(`${squatter}.*not ours`));
        expect(await squatters[substrate.name]?.isThere(squatter)).to.equal(true);
        expect((await remainsOf(journal.lab)).filter((name) => name !== squatter)).to.deep.equal([]);
      } finally {
        await squatters[substrate.name]?.remove(squatter);
      }
    });

    it("takes everything down when it is told to stop half-way", async () => {
      const journal = newJournal();
      const stop = new AbortController();
      const observer = new RecordingObserver((message) => {
        if (message.includes("links")) stop.abort(new Error("enough"));
      });
      const plan = twoPathsPlan({ lab: journal.lab, substrate: substrate.name, access: "emulated" });
      await rejects(substrate.up(plan, journal, observer, stop.signal), /enough/);
      expect(await remainsOf(journal.lab)).to.deep.equal([]);
    });
  });
}

function script(code: string): LabCommand {
  return { name: "script", argv: [process.execPath, "-e", code] };
}

async function output(lab: Lab, node: string, argv: LabCommand["argv"]): Promise<string> {
  const started = await lab.spawn(node, { name: argv[0], argv });
  const [out] = await Promise.all([text(started.stdout), started.exited]);
  return out;
}

function firstData(process: LabProcess): Promise<void> {
  return new Promise((resolve) => process.stdout.once("data", () => resolve()));
}

/** Without what IPv6 has by itself on each interface. */
function planned(routes: string): string[] {
  return routes
    .split("\n")
    .filter((line) => !/fe80|ff00|anycast|multicast/.test(line))
    .sort();
}

async function rejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  let message: string | undefined;
  try {
    await promise;
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message, "it did not fail").to.be.a("string");
  expect(message).to.match(pattern);
}
