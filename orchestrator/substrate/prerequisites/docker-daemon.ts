/** A Docker daemon that answers: somebody else's as it is, else one of our own that leaves the machine's network alone. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { runCommand } from "../../journal/run-command.ts";
import { stateDirectory } from "../../journal/state-directory.ts";
import { findProgram } from "./debian-packages.ts";
import type { Finding, Prerequisite } from "./prerequisite.ts";

/** No bridge, no packet filter rules, no forwarding switched on: our containers have no network of Docker's. */
const daemonFlags = ["--iptables=false", "--bridge=none", "--ip-forward=false", "--ip-masq=false"] as const;
const startSeconds = 60;

export type DockerAnswer =
  | { readonly status: number; readonly body: string }
  /** Nobody answers, or not to this user; the code is the connection's. */
  | { readonly status?: undefined; readonly code: string };

/** One GET to the daemon, without the client library, whose loading takes longer than all checks together. */
export function dockerGet(path: string): Promise<DockerAnswer> {
  return new Promise((resolve) => {
    const outgoing = request({ socketPath: dockerSocket(), path, timeout: 5000 }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    outgoing.once("timeout", () => outgoing.destroy());
    outgoing.once("error", (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? error.message }));
    outgoing.end();
  });
}

function dockerSocket(): string {
  const host = process.env["DOCKER_HOST"];
  return host?.startsWith("unix://") ? host.slice("unix://".length) : "/var/run/docker.sock";
}

/** Where the daemon is that we cannot use: links to its containers could not be made from here. */
function remoteHost(): string | undefined {
  const host = process.env["DOCKER_HOST"];
  return host === undefined || host.startsWith("unix://") ? undefined : host;
}

/** What it means that no answer came. */
export function unanswered({ code }: { readonly code: string }): Finding {
  return code === "EACCES"
    ? { present: false, unknown: true, detail: "only root can tell" }
    : { present: false, detail: `no daemon answers on ${dockerSocket()}` };
}

export const dockerDaemon: Prerequisite = {
  name: "docker",
  purpose: "the substrate `containers`",
  needs: ["containers", "test"],
  remedy: "systemctl start docker, or ./pathlab doctor --fix; unset DOCKER_HOST where it names another machine",
  async check() {
    if (remoteHost() !== undefined)
      return { present: false, detail: `DOCKER_HOST=${remoteHost()} is not on this machine` };
    const version = await dockerGet("/version");
    if (version.status === undefined) return unanswered(version);
    if (version.status !== 200) return { present: false, detail: `the daemon answers with HTTP ${version.status}` };
    return { present: true, detail: `Docker Engine ${(JSON.parse(version.body) as { Version: string }).Version}` };
  },
  async fix(progress) {
    if (remoteHost() !== undefined) throw new Error(`DOCKER_HOST=${remoteHost()} is not on this machine`);
    if (existsSync("/run/systemd/system")) {
      progress("systemctl start docker");
      await runCommand(["systemctl", "start", "docker"]);
      if (await answersWithin(startSeconds, () => false)) return;
    }
    await startOwnDaemon(progress);
  },
};

/** It outlives us, as the next run wants it; its log and its pid are in the state directory. */
async function startOwnDaemon(progress: (line: string) => void): Promise<void> {
  const program = findProgram("dockerd");
  if (program === undefined) throw new Error("no program dockerd");
  mkdirSync(stateDirectory(), { recursive: true });
  const logFile = join(stateDirectory(), "dockerd.log");
  const log = openSync(logFile, "a");
  const flags = [...daemonFlags, `--host=unix://${dockerSocket()}`];
  progress(`dockerd ${flags.join(" ")} (log: ${logFile})`);
  const daemon = spawn(program, flags, { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  let ended = false;
  daemon.once("error", () => (ended = true));
  daemon.once("exit", () => (ended = true));
  if (!(await answersWithin(startSeconds, () => ended))) {
    if (daemon.pid !== undefined && !ended) process.kill(daemon.pid, "SIGTERM");
    throw new Error(`dockerd did not start; the end of ${logFile}:\n${lastLines(logFile, 5)}`);
  }
  writeFileSync(join(stateDirectory(), "dockerd.pid"), `${daemon.pid}\n`);
  daemon.unref();
}

async function answersWithin(seconds: number, hopeless: () => boolean): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  while (performance.now() < deadline && !hopeless()) {
    if ((await dockerGet("/_ping")).status === 200) return true;
    await pause(100);
  }
  return false;
}

function lastLines(file: string, count: number): string {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-count).join("\n");
}
