/** A process inside a container, as Docker runs it for us: one connection that carries its three streams. */
import type { Duplex, Readable } from "node:stream";
import { PassThrough } from "node:stream";
import { constants } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import type { Container, Exec, ExecInspectInfo } from "../../journal/docker-client.ts";
import { signalGroup, signalMarked } from "../linux/marked-process.ts";
import type { LabCommand, LabProcess } from "../../workload/lab-process.ts";

/** Returns when the program has started, or has failed to: until then nobody could signal it. */
export async function startInContainer(
  container: Container,
  command: LabCommand,
  marks: Readonly<Record<string, string>>,
): Promise<LabProcess> {
  const exec = await container.exec({
    Cmd: [...command.argv],
    Env: Object.entries({ ...command.environment, ...marks }).map(([name, value]) => `${name}=${value}`),
    ...(command.directory !== undefined && { WorkingDir: command.directory }),
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const connection = await exec.start({ hijack: true, stdin: true });
  const { stdout, stderr, ended } = separateStreams(connection);
  // Writing to a program that has ended is told by `exited`, not by an exception.
  connection.on("error", () => undefined);
  await inspectUntil(exec, ({ Pid, Running }) => Pid !== 0 || !Running);
  const exited = ended.then(async () => exitOf(await inspectUntil(exec, ({ Running }) => !Running)));
  return {
    name: command.name,
    stdin: connection,
    stdout,
    stderr,
    exited,
    kill: async (signal) => {
      if (signalMarked(marks, signal) > 0) return;
      const { Pid, Running } = await exec.inspect();
      if (Running) signalGroup(Pid, signal);
    },
  };
}

async function inspectUntil(exec: Exec, holds: (info: ExecInspectInfo) => boolean): Promise<ExecInspectInfo> {
  for (;;) {
    const info = await exec.inspect();
    if (holds(info)) return info;
    await pause(5);
  }
}

/** Docker says 128 + n for a program that signal n ended, as shells do. */
function exitOf({ ExitCode: code }: ExecInspectInfo): { code: number | null; signal: string | null } {
  const ending = Object.entries(constants.signals).find(([, number]) => number + 128 === code);
  return ending === undefined ? { code, signal: null } : { code: null, signal: ending[0] };
}

/**
 * Docker's multiplexed stream: frames of eight bytes (stream number, three zeros, length) and payload.
 * `ended` resolves when the daemon closed the connection and all was handed on.
 */
export function separateStreams(connection: Duplex): { stdout: Readable; stderr: Readable; ended: Promise<void> } {
  const outputs = { 1: new PassThrough(), 2: new PassThrough() };
  const pending: Buffer[] = [];
  let pendingBytes = 0;
  let frame: { readonly stream: 1 | 2; readonly bytes: number } | undefined;

  const take = (bytes: number): Buffer => {
    const all = pending.length === 1 ? (pending[0] as Buffer) : Buffer.concat(pending);
    pending.length = 0;
    pendingBytes -= bytes;
    if (pendingBytes > 0) pending.push(all.subarray(bytes));
    return all.subarray(0, bytes);
  };
  connection.on("data", (chunk: Buffer) => {
    pending.push(chunk);
    pendingBytes += chunk.length;
    for (;;) {
      if (frame === undefined) {
        if (pendingBytes < 8) return;
        const header = take(8);
        frame = { stream: header[0] === 2 ? 2 : 1, bytes: header.readUInt32BE(4) };
      }
      if (pendingBytes < frame.bytes) return;
      const output = outputs[frame.stream];
      // Who does not read holds the program up, as with a pipe.
      if (!output.write(take(frame.bytes))) {
        connection.pause();
        output.once("drain", () => connection.resume());
      }
      frame = undefined;
    }
  });
  const ended = new Promise<void>((resolve) => {
    connection.once("close", () => {
      outputs[1].end();
      outputs[2].end();
      resolve();
    });
  });
  return { stdout: outputs[1], stderr: outputs[2], ended };
}
