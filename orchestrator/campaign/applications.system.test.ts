/** Programs that nobody changed, over two paths: what they fetched, by what, and what is left of them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { bundleFiles } from "../bundle/layout.ts";
import type { ResultsRecord } from "../bundle/records.ts";
import { verifyBundle } from "../bundle/verify-bundle.ts";
import { clean } from "../journal/clean.ts";
import { readJournals } from "../journal/journal.ts";
import { labMark, markedProcesses } from "../journal/process-identity.ts";
import type { EndpointKind } from "../model/experiment.ts";
import type { MetricSample, SubflowSample } from "../metrics/metric-sample.ts";
import { commandOf, remainsOf } from "../substrate/machine-state.fixture.ts";
import type { WireAnalysis } from "../verdict/capture-analysis/wire-analysis.ts";
import { interruptRun } from "./crash-process.fixture.ts";
import type { ExperimentOutcome } from "./run-experiment.ts";
import { makeDirectory, runText } from "./short-run.fixture.ts";

const topology = fileURLToPath(new URL("../../topologies/wifi-3g.yaml", import.meta.url));
const topologyOfIpv6 = topology.replace(".yaml", "-ipv6.yaml");

const nginx = `
      command: [nginx, -p, $(directory)/, -e, stderr, -c, nginx.conf]
      logs: [access.log]
      files:
        file.bin: { random: 2MB }
        nginx.conf:
          text: |
            daemon off;
            pid nginx.pid;
            events {}
            http {
              access_log access.log;
              client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
              server { listen [::]:$(port) ipv6only=off; root $(directory); }
            }`;

function experiment(
  endpoint: EndpointKind,
  client: string,
  expectation: string,
  { server = endpoint, over = topology }: { server?: EndpointKind; over?: string } = {},
): string {
  return `
version: 1
name: application
topology: ${over}
hosts: { phone: { endpoint: ${endpoint} }, server: { endpoint: ${server} } }
workload:
  download:
    kind: application
    server: server
    client: phone
    serve:${nginx}
    run: ${client}
expect:
  download: ${expectation}
`;
}

const curl = `{ command: [curl, --fail, --silent, --show-error, --output, got.bin, "http://$(address):$(port)/file.bin"], receives: { got.bin: file.bin } }`;

describe("programs that nobody changed", function () {
  let directory: ReturnType<typeof makeDirectory>;
  let state: string;
  let lab: string;
  beforeEach(() => {
    directory = makeDirectory();
    state = mkdtempSync(join(tmpdir(), "pathlab-state-"));
  });
  afterEach(() => {
    directory.remove();
    rmSync(state, { recursive: true });
  });

  const run = (
    text: string,
    substrate: "namespaces" | "containers" = "namespaces",
    whenRunning: () => void = () => undefined,
  ): Promise<ExperimentOutcome> =>
    runText(directory.path, text, {
      substrate,
      progress: (message) => message.startsWith("running") && whenRunning(),
      journal: { state, onAppend: () => (lab = readJournals(state)[0]!.lab) },
    });

  const read = (outcome: ExperimentOutcome, name: string): string =>
    readFileSync(join(outcome.directory, name), "utf8");

  for (const [endpoint, paths] of [
    ["pathlab", ["wifi", "3g"]],
    ["pathlab-tcp", ["wifi"]],
    ["linux-mptcp", ["wifi", "3g"]],
    ["linux-tcp", ["wifi"]],
  ] as const) {
    it(`fetch a file over ${endpoint}, every byte right, and nothing is left of them`, async () => {
      const subflows = `subflows: ${paths.length}`;
      const outcome = await run(
        experiment(endpoint, curl, `{ exitCode: 0, intact: true, bytes: { atLeast: 2MB }, ${subflows} }`),
      );
      expect(outcome.error?.message ?? "").to.equal("");
      expect(outcome.verdict.outcome, JSON.stringify(outcome.verdict)).to.equal("passed");
      const { connections } = JSON.parse(read(outcome, bundleFiles.wire)) as WireAnalysis;
      // On a busy machine an attempt may have been given up, and repeated.
      const [connection, ...others] = connections.filter(({ toClient }) => toClient.bytes >= 2_000_000);
      expect(others).to.deep.equal([]);
      const samples = read(outcome, bundleFiles.metrics)
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as MetricSample)
        .filter(({ kind }) => kind === "subflow") as SubflowSample[];
      const sampled = samples.filter(({ host }) => host === "phone").map(({ path }) => path);
      // The kernel's sockets are the programs' own, and nobody else's.
      expect([...new Set(sampled)]).to.have.members(endpoint.startsWith("pathlab") ? paths : []);
      expect(connection!.multipath).to.equal(paths.length > 1 ? "negotiated" : "not-offered");
      expect(connection!.subflows.map(({ path }) => path)).to.have.members(paths);
      expect(read(outcome, "logs/download-server.access.log")).to.match(/"GET \/file\.bin HTTP\/1\.1" 200 2000000 /);
      expect(await verifyBundle(outcome.directory))
        .to.have.property("problems")
        .that.deep.equals([]);
      expect(await remainsOf(lab)).to.deep.equal([]);
    });
  }

  for (const [phone, server, subflows] of [
    ["pathlab", "linux-mptcp", 2],
    ["linux-mptcp", "pathlab", 2],
    ["pathlab", "linux-tcp", 1],
    ["linux-tcp", "pathlab", 1],
  ] as const) {
    it(`fetch a file over ${phone} from ${server}`, async () => {
      const expected = `{ exitCode: 0, intact: true, bytes: { atLeast: 2MB }, subflows: ${subflows} }`;
      const outcome = await run(experiment(phone, curl, expected, { server }));
      expect(outcome.verdict.outcome, JSON.stringify(outcome.verdict)).to.equal("passed");
    });
  }

  for (const endpoint of ["pathlab", "linux-mptcp"] as const) {
    it(`fetch a file over ${endpoint} and IPv6`, async () => {
      const expected = "{ exitCode: 0, intact: true, bytes: { atLeast: 2MB }, subflows: 2 }";
      const outcome = await run(experiment(endpoint, curl, expected, { over: topologyOfIpv6 }));
      expect(outcome.error?.message ?? "").to.equal("");
      expect(outcome.verdict.outcome, JSON.stringify(outcome.verdict)).to.equal("passed");
    });
  }

  it("are several on a host, which may serve one and be the client of others", async () => {
    const expected = "{ exitCode: 0, intact: true, bytes: { atLeast: 2MB, atMost: 2.2MB }, subflows: 2 }";
    const fetching = (name: string, server: string, client: string): string => `
  ${name}:
    kind: application
    server: ${server}
    client: ${client}
    serve:${nginx}
    run: ${curl}`;
    const text = experiment("pathlab", curl, expected)
      .replace("\nexpect:", `${fetching("second", "server", "phone")}${fetching("back", "phone", "server")}\nexpect:`)
      .concat(`  second: ${expected}\n  back: ${expected}\n`);
    const outcome = await run(text);
    expect(outcome.error?.message ?? "").to.equal("");
    expect(outcome.verdict.outcome, JSON.stringify(outcome.verdict)).to.equal("passed");
    expect(await remainsOf(lab)).to.deep.equal([]);
  });

  it("fetch a file between containers, which have the machine's programs and no others", async () => {
    const outcome = await run(experiment("pathlab", curl, "{ exitCode: 0, intact: true, subflows: 2 }"), "containers");
    expect(outcome.error?.message ?? "").to.equal("");
    expect(outcome.verdict.outcome, JSON.stringify(outcome.verdict)).to.equal("passed");
    expect(await remainsOf(lab)).to.deep.equal([]);
  });

  it("play a video: every picture, and none too late", async () => {
    const words =
      '-nostdin, -loglevel, warning, -re, -i, "http://$(address):$(port)/video/index.m3u8", -progress, "pipe:1", -stats_period, "0.1", -f, framemd5, frames.md5';
    const player = `{ command: [ffmpeg, ${words}], receives: { frames.md5: video/frames.md5 } }`;
    const expected = "{ exitCode: 0, intact: true, frames: { atLeast: 100 }, stalls: { atMost: 0 } }";
    const text = experiment("pathlab", player, expected)
      .replace("file.bin: { random: 2MB }", "video: { hls: { duration: 4s, rate: 500kbit } }")
      .replace("    run:", "    playback: { video: video, buffer: 2s }\n    run:");
    const outcome = await run(text);
    expect(outcome.verdict.outcome, JSON.stringify(outcome.verdict)).to.equal("passed");
    const [{ client }] = (JSON.parse(read(outcome, bundleFiles.results)) as ResultsRecord).workloads as [
      ResultsRecord["workloads"][number],
    ];
    const played = client?.kind === "program" ? client.played : undefined;
    expect(played!.segments.map(({ microseconds }) => microseconds)).to.deep.equal([1e6, 1e6, 1e6, 1e6]);
    expect(played!.progress.at(-1)).to.include({ frames: 100, mediaMicroseconds: 4e6 });
  });

  it("fail as themselves: what they ended with, and what they said", async () => {
    const missing = curl.replace("/file.bin", "/flie.bin");
    const outcome = await run(experiment("pathlab", missing, "{ exitCode: 0, intact: true }"));
    expect(outcome.verdict.outcome).to.equal("failed");
    expect(outcome.verdict.expectations.map(({ metric, measured }) => [metric, measured])).to.deep.include([
      "exitCode",
      "22",
    ]);
    expect(read(outcome, "logs/download-client.stderr.log")).to.contain("404");
    const [{ errors }] = (JSON.parse(read(outcome, bundleFiles.results)) as ResultsRecord).workloads as [
      ResultsRecord["workloads"][number],
    ];
    expect(errors.map(({ role, code }) => [role, code])).to.deep.equal([["client", "EEXIT"]]);
  });

  it("are ended when they take longer than they may", async () => {
    const patient = '{ command: [sleep, "1000"] }';
    const text = experiment("linux-tcp", patient, "{ exitCode: 0 }").replace(
      "    run:",
      "    timeout: 500ms\n    run:",
    );
    const outcome = await run(text);
    expect(outcome.verdict.expectations[0]).to.include({ measured: "never", passed: false });
    expect(await remainsOf(lab)).to.deep.equal([]);
  });

  it("are told of when what carries them ends", async () => {
    const slow = curl.replace("--silent", "--silent, --limit-rate, 50k");
    const text = experiment("pathlab", slow, "{ exitCode: 0 }").replace("    run:", "    timeout: 3s\n    run:");
    const outcome = await run(text, "namespaces", () => {
      for (const pid of markedProcesses({ [labMark]: lab }))
        if (commandOf(pid).includes("\0--direct\0")) process.kill(pid, "SIGKILL");
    });
    expect(outcome.verdict.outcome).to.not.equal("passed");
    const [{ errors }] = (JSON.parse(read(outcome, bundleFiles.results)) as ResultsRecord).workloads as [
      ResultsRecord["workloads"][number],
    ];
    expect(errors[0]).to.include({ role: "client", code: "EEXIT" });
    expect(errors[0]!.message).to.match(/^the gateway ended with SIGKILL/);
  });

  it("are told of when the server cannot start", async () => {
    const outcome = await run(experiment("linux-tcp", curl, "{ exitCode: 0 }").replace("events {}", "evnets {}"));
    expect(outcome.error?.message).to.match(
      /nginx ended with exit code 1; it last wrote: .*unknown directive "evnets"/,
    );
    expect(outcome.verdict.outcome).to.equal("invalid");
    expect(await remainsOf(lab)).to.deep.equal([]);
  });

  it("are taken back after a kill -9, nginx among them, which writes over its environment", async () => {
    const file = join(directory.path, "killed.yaml");
    const slow = curl.replace("--silent", "--silent, --limit-rate, 50k");
    writeFileSync(file, experiment("pathlab", slow, "{ exitCode: 0 }"));
    const { lab: killed, signal } = await interruptRun(file, "SIGKILL", state, directory.path);
    expect(signal).to.equal("SIGKILL");
    expect(await remainsOf(killed)).to.not.deep.equal([]);
    await clean({ state });
    expect(await remainsOf(killed)).to.deep.equal([]);
  });
});
