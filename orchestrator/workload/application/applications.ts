/** The applications of a plan: gateways, servers and clients, from their files to what became of them. */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { callAt, monotonicClock } from "../../../stack/endpoint/clock.ts";
import type { EndpointRecord } from "../../../stack/endpoint/protocol.ts";
import { runCommand } from "../../journal/run-command.ts";
import { isApplication } from "../../model/experiment.ts";
import type { Plan, PlannedApplication } from "../../plan/plan.ts";
import { endpointNodes, type EndpointNode, type EndpointPrograms } from "../endpoint-launch.ts";
import { EndpointError } from "../endpoint-session.ts";
import type { ProcessHost } from "../lab-process.ts";
import { gatewayCommand, programCommand } from "./application-launch.ts";
import { GatewayRecords } from "./gateway-records.ts";
import { ForeignProcess } from "./foreign-process.ts";
import { segmentsOf } from "./hls-video.ts";
import { PlayerProgressReader } from "./player-progress.ts";
import type { PlayedVideo, ProgramResult } from "./program-result.ts";
import { placeFiles, readLog, receivedFiles } from "./served-files.ts";

/** A gateway that is not ready by then, or a server that does not listen. */
const startMilliseconds = 20_000;
const listenPollMilliseconds = 50;

/** Times are CLOCK_MONOTONIC microseconds. */
export interface ApplicationSink {
  /** What a gateway says of its connections. */
  record(host: string, record: EndpointRecord): void;
  started(workload: PlannedApplication, at: number): void;
  ended(workload: PlannedApplication, result: ProgramResult): void;
  /** `ETIME`: the client took too long; `EEXIT`: it, or the server, ended as it should not have. */
  failed(workload: PlannedApplication, role: "client" | "server", code: string, message: string): void;
  /** What carries it on this side has ended; what that means for its programs they will say. */
  carrierEnded(workload: PlannedApplication, role: "client" | "server", message: string): void;
}

export class Applications {
  readonly #plan: Plan;
  readonly #lab: ProcessHost;
  readonly #programs: EndpointPrograms;
  /** By the names of their logs. */
  readonly #processes = new Map<string, ForeignProcess>();
  readonly #kept: Record<string, string> = {};
  /** Each takes back the start of a client that has not come. */
  readonly #starts: (() => void)[] = [];
  /** What gateways tell before there is a zero is of connections that no program has asked for. */
  #onRecord: (host: string, record: EndpointRecord) => void = () => undefined;
  #stopping = false;

  constructor(lab: ProcessHost, programs: EndpointPrograms) {
    this.#plan = lab.plan;
    this.#lab = lab;
    this.#programs = programs;
  }

  /** What they wrote, by names of logs; of files that they keep, once they were stopped. */
  get logs(): Readonly<Record<string, string>> {
    const streams = [...this.#processes].flatMap(([name, { stdout, stderr }]) => [
      [`${name}.stdout`, stdout],
      [`${name}.stderr`, stderr],
    ]);
    return { ...Object.fromEntries(streams), ...this.#kept };
  }

  /** Resolves when all servers listen and all gateways are ready. Rejects with EndpointError, or with the signal's reason. */
  async start(signal: AbortSignal): Promise<void> {
    const workloads = this.#plan.workloads.filter(isApplication);
    // The making of a video takes longer than any start, and is not a part of it.
    for (const workload of workloads) await placeFiles(workload, this.#programs.videoCache, signal);
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(startMilliseconds)]);
    const tasks = [
      ...endpointNodes(this.#plan.nodes).map((node) => this.#startGateway(node, inTime)),
      ...workloads.map((workload) => this.#startServer(workload, inTime)),
    ];
    for (const outcome of await Promise.allSettled(tasks)) if (outcome.status === "rejected") throw outcome.reason;
  }

  /** Clients begin at `zero` plus their workload's start. */
  run(zero: number, sink: ApplicationSink): void {
    this.#onRecord = (host, record) => sink.record(host, record);
    for (const workload of this.#plan.workloads.filter(isApplication)) {
      const server = this.#processes.get(`${workload.name}-server`)!;
      void server.ended.then((end) => {
        if (this.#stopping || end.code === 0) return;
        sink.failed(workload, "server", "EEXIT", `${workload.serve.argv[0]} ended with ${server.describeEnd(end)}`);
      });
      for (const role of ["client", "server"] as const) {
        const gateway = this.#processes.get(`${workload[role]}-gateway`);
        void gateway?.ended.then((end) => {
          if (!this.#stopping) sink.carrierEnded(workload, role, `the gateway ended with ${gateway.describeEnd(end)}`);
        });
      }
      const start = callAt(zero + workload.startMicroseconds, () => void this.#runClient(workload, sink));
      this.#starts.push(start);
    }
  }

  /** Ends all of them: clients, then servers, then what carries them. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const cancel of this.#starts) cancel();
    for (const process of [...this.#processes.values()].toReversed()) await process.stop();
    for (const { name, serve, run } of this.#plan.workloads.filter(isApplication)) {
      for (const [side, { directory, logs }] of Object.entries({ server: serve, client: run }))
        for (const file of logs) {
          const text = await readLog(join(directory, file));
          if (text !== undefined)
            this.#kept[`${name}-${side}.${file.replaceAll("/", "-").replace(/\.log$/, "")}`] = text;
        }
    }
  }

  async #startGateway(node: EndpointNode, signal: AbortSignal): Promise<void> {
    const command = gatewayCommand(node, this.#programs, this.#plan.metricsIntervalMicroseconds);
    if (command === undefined) return;
    const records = new GatewayRecords((record) => this.#onRecord(node.name, record));
    const started = await this.#lab.spawn(node.name, command);
    const gateway = new ForeignProcess(started, (text) => records.takeFrom(text), command.input);
    this.#processes.set(`${node.name}-gateway`, gateway);
    const ready = new Promise<void>((resolve) => {
      gateway.onOutput = () => gateway.stdout.includes('{"type":"ready"}\n') && resolve();
    });
    await this.#until(ready, node.name, "the gateway", gateway, signal);
  }

  async #startServer(workload: PlannedApplication, signal: AbortSignal): Promise<void> {
    const { name, server: host, serve, port } = workload;
    const command = programCommand(`${name}-server`, this.#kindOf(host), serve);
    const server = new ForeignProcess(await this.#lab.spawn(host, command));
    this.#processes.set(command.name, server);
    const polling = new AbortController();
    const listening = this.#listening(host, port, polling.signal);
    try {
      await this.#until(listening, host, serve.argv[0], server, signal);
    } finally {
      polling.abort();
      await listening.catch(() => undefined);
    }
  }

  /** Asked of the kernel: a connection to see whether somebody answers might be the one that the server was waiting for. */
  async #listening(host: string, port: number, signal: AbortSignal): Promise<void> {
    const inside = ["nsenter", `--net=${this.#lab.networkNamespace(host)}`, "--"] as const;
    while ((await runCommand([...inside, "ss", "-Hltn", `sport = :${port}`], { signal })).trim() === "")
      await pause(listenPollMilliseconds, undefined, { signal });
  }

  /** Rejects with EndpointError where the program ends or does not come so far in time. */
  async #until(
    event: Promise<void>,
    host: string,
    what: string,
    process: ForeignProcess,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const ended = process.ended.then((end) => {
      const lacking = end.code === 126 || end.code === 127;
      throw new EndpointError(host, "EEXIT", `${what} ended with ${process.describeEnd(end)}`, lacking);
    });
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => {
        const { name } = signal.reason as Error;
        const late = new EndpointError(host, "ETIMEDOUT", `${what} was not ready in time`, true);
        reject(name === "TimeoutError" ? late : signal.reason);
      });
    });
    aborted.catch(() => undefined);
    ended.catch(() => undefined);
    await Promise.race([event, ended, aborted]);
  }

  async #runClient(workload: PlannedApplication, sink: ApplicationSink): Promise<void> {
    const { name, client: host, run, playback, timeoutMicroseconds } = workload;
    try {
      const command = programCommand(`${name}-client`, this.#kindOf(host), run);
      const startedAt = monotonicClock.now();
      const client = new ForeignProcess(await this.#lab.spawn(host, command));
      this.#processes.set(command.name, client);
      sink.started(workload, startedAt);
      const player = new PlayerProgressReader();
      if (playback !== undefined) client.onOutput = (text) => player.push(text, monotonicClock.now());
      let late = false;
      const cancel = callAt(startedAt + timeoutMicroseconds, () => {
        late = true;
        void client.stop();
      });
      const { code, signal } = await client.ended;
      cancel();
      const endedAt = monotonicClock.now();
      if (this.#stopping) return;
      const played = playback && (await this.#played(workload, playback.video, player));
      sink.ended(workload, {
        kind: "program",
        ...(code !== null && { exitCode: code }),
        ...(signal !== null && { signal }),
        startedAt,
        endedAt,
        files: await receivedFiles(workload),
        ...(played !== undefined && { played }),
      });
      const what = `${run.argv[0]} ended with ${client.describeEnd({ code, signal })}`;
      if (late)
        sink.failed(workload, "client", "ETIME", `${run.argv[0]} had not ended after ${timeoutMicroseconds / 1e6} s`);
      else if (code !== 0) sink.failed(workload, "client", "EEXIT", what);
    } catch (error) {
      sink.failed(workload, "client", (error as NodeJS.ErrnoException).code ?? "EINTERNAL", (error as Error).message);
    }
  }

  async #played(workload: PlannedApplication, video: string, player: PlayerProgressReader): Promise<PlayedVideo> {
    return { segments: await segmentsOf(`${workload.serve.directory}/${video}`), progress: player.reports };
  }

  #kindOf(host: string): EndpointNode["endpoint"]["kind"] {
    return endpointNodes(this.#plan.nodes).find(({ name }) => name === host)!.endpoint.kind;
  }
}
