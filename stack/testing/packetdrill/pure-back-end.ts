/** The pure host as what a script runs on: everything happens at once, and time passes only when nothing else is left to do. */

import type { VariableSource } from "./assertion.ts";
import type { BackEnd, CallOutcome, CapturedSegment, PendingCall } from "./back-end.ts";
import { connectionVariable } from "./connection-variables.ts";
import type { ScriptConfiguration } from "./script-configuration.ts";
import type { CallSpec } from "./syntax.ts";
import { SystemCalls } from "./system-calls.ts";
import { TestedHost } from "./tested-host.ts";
import type { WireSegment } from "./wire-segment.ts";

export class PureBackEnd implements BackEnd {
  readonly latitudes: undefined;
  onSettled: (() => void) | undefined;
  readonly #tested: TestedHost;
  readonly #calls: SystemCalls;

  constructor(configuration: ScriptConfiguration, mptcp: boolean) {
    this.#tested = new TestedHost(configuration, mptcp);
    this.#calls = new SystemCalls(configuration, this.#tested);
    this.#tested.onSettled = () => {
      this.#calls.drainClosed();
      this.onSettled?.();
    };
  }

  get now(): number {
    return this.#tested.now;
  }

  tolerance(): undefined {}

  get captured(): CapturedSegment[] {
    return this.#tested.captured;
  }

  advance(time: number, until?: () => boolean): void {
    this.#tested.advance(time, until);
  }

  inject(segment: WireSegment): void {
    this.#tested.inject(segment);
  }

  begin(call: CallSpec): PendingCall {
    return this.#calls.begin(call);
  }

  completion(pending: PendingCall): CallOutcome {
    const outcome = pending();
    this.#tested.settle();
    return outcome;
  }

  answersAgain({ arguments: [first] }: CallSpec): boolean {
    const socket = first?.kind === "integer" ? this.#calls.sockets.get(Number(first.value)) : undefined;
    return socket?.nonblocking ?? true;
  }

  runCommand(command: string): boolean {
    if (command.trim() === "true") return true;
    const link = /^\s*ip\s+link\s+set\s+(?:dev\s+)?(\w+)\s+(up|down)\s*$/.exec(command);
    return link !== null && this.#tested.setLinkUp(link[1]!, link[2] === "up");
  }

  variables(): VariableSource {
    const connection = this.#calls.latestConnected?.connection;
    return (name) => (connection === undefined ? undefined : connectionVariable(connection, name));
  }

  corruption(): { descriptor: number; offset: number } | undefined {
    for (const [descriptor, { corruptAt }] of this.#calls.sockets)
      if (corruptAt !== undefined) return { descriptor, offset: corruptAt };
    return undefined;
  }

  close(): void {}
}
