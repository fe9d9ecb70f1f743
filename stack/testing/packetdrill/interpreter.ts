/** Runs a script against the pure host: the script's packets go in, the host's come out and are compared, calls are made, time is virtual. */

import { AddressTable } from "./address-table.ts";
import { runAssertions } from "./assertion.ts";
import { connectionVariable } from "./connection-variables.ts";
import { PacketExchange } from "./packet-exchange.ts";
import { parseScript } from "./parse-script.ts";
import { applyCommand, applyOptions, defaultConfiguration, type ScriptConfiguration } from "./script-configuration.ts";
import { ScriptFailure, ScriptUnsupported } from "./script-error.ts";
import { type CallResult, wouldBlock } from "./script-socket.ts";
import type { CallSpec, Script, Statement } from "./syntax.ts";
import { integerOf, type PendingCall, SystemCalls } from "./system-calls.ts";
import { TestedHost } from "./tested-host.ts";
import { parseIpv4 } from "../../wire/ip-address.ts";

/** How long "*" waits. */
const longestWait = 3_600_000_000;

interface BlockedCall {
  call: CallSpec;
  pending: PendingCall;
  /** When it must return. */
  endTime: number;
}

/**
 * Parses and runs a script; `file` is what messages call it.
 * @throws ScriptSyntaxError, ScriptFailure, ScriptUnsupported
 */
export function runScript(text: string, file: string): void {
  new Interpreter(parseScript(text, file)).run();
}

class Interpreter {
  readonly #script: Script;
  readonly #configuration: ScriptConfiguration = defaultConfiguration();
  readonly #calls: SystemCalls;
  #tested: TestedHost | undefined;
  #exchange: PacketExchange | undefined;
  #blocked: BlockedCall | undefined;
  /** From where relative times count. */
  #previousTime = 0;

  constructor(script: Script) {
    this.#script = script;
    applyOptions(this.#configuration, script);
    this.#calls = new SystemCalls(this.#configuration, (mptcp) => this.#makeHost(mptcp));
  }

  run(): void {
    for (const statement of this.#script.statements) this.#runStatement(statement);
    const last = this.#script.statements.at(-1)!;
    if (this.#blocked !== undefined)
      throw new ScriptFailure(
        this.#blocked.call.position,
        `${this.#blocked.call.name} has not returned at the end of the script`,
      );
    this.#tested?.settle();
    this.#exchange?.checkNothingLeft(last.position);
    for (const [descriptor, socket] of this.#calls.sockets) {
      if (socket.corruptAt !== undefined)
        throw new ScriptFailure(
          last.position,
          `fd ${descriptor}: byte ${socket.corruptAt} that was read is not the one that was sent`,
        );
    }
  }

  #makeHost(mptcp: boolean): TestedHost {
    const tested = new TestedHost(this.#configuration, mptcp);
    tested.onSettled = () => {
      this.#calls.drainClosed();
      this.#checkBlocked(false);
    };
    const addresses = new AddressTable(parseIpv4(this.#configuration.remoteAddress)!);
    this.#exchange = new PacketExchange(this.#configuration, tested, addresses);
    this.#tested = tested;
    return tested;
  }

  #runStatement(statement: Statement): void {
    const { action, time } = statement;
    if (action.kind === "packet" && action.packet.direction === "outbound") {
      this.#expectPacket(statement);
      return;
    }
    if (time.kind === "any")
      throw new ScriptUnsupported(statement.position, "any time (*) for something that the script does itself");
    const at = time.kind === "immediate" ? this.#previousTime : (time.relative ? this.#previousTime : 0) + time.from;
    if (at < this.#previousTime)
      throw new ScriptFailure(statement.position, `the time of the statement is before that of the one above`);
    const base = this.#previousTime;
    this.#previousTime = at;
    this.#waitUntil(at, statement);
    switch (action.kind) {
      case "packet":
        this.#requireExchange(statement).inject(action.packet);
        return;
      case "call":
        this.#runCall(action.call, statement, base);
        return;
      case "shell":
        this.#runCommand(action.command, statement);
        return;
      case "code":
        this.#runCode(action.text, statement);
    }
  }

  #waitUntil(at: number, statement: Statement): void {
    this.#tested?.advance(at);
    if (
      this.#blocked !== undefined &&
      (statement.action.kind === "call" || at > this.#blocked.endTime + this.#configuration.toleranceMicroseconds)
    ) {
      this.#checkBlocked(true);
    }
  }

  #requireExchange({ position }: Statement): PacketExchange {
    if (this.#exchange === undefined) throw new ScriptFailure(position, "a packet before the first socket");
    return this.#exchange;
  }

  #expectPacket(statement: Statement): void {
    const { action, time, position } = statement;
    if (action.kind !== "packet") return;
    const exchange = this.#requireExchange(statement);
    const base = time.kind === "at" && time.relative ? this.#previousTime : 0;
    const from = time.kind === "at" ? base + time.from : 0;
    const to = time.kind === "at" ? base + time.to : this.#tested!.now + longestWait;
    const tolerance = time.kind === "at" ? this.#configuration.toleranceMicroseconds : 0;
    const sentAt = exchange.expect(action.packet, to + tolerance);
    if (sentAt < from - tolerance || sentAt > to + tolerance) {
      const expected = from === to ? seconds(from) : `${seconds(from)}~${seconds(to)}`;
      throw new ScriptFailure(
        position,
        `the packet came at another time\n  expected: ${expected} s\n  actual:   ${seconds(sentAt)} s`,
      );
    }
    this.#previousTime = time.kind === "at" && time.from === time.to ? from : sentAt;
  }

  #runCall(call: CallSpec, statement: Statement, base: number): void {
    const { endTime } = statement;
    const pending = this.#calls.begin(call);
    if (endTime !== undefined) {
      if (this.#blocked !== undefined) throw new ScriptUnsupported(call.position, "two calls that block at once");
      const relative = statement.time.kind === "at" && statement.time.relative;
      this.#blocked = { call, pending, endTime: (relative ? base : 0) + endTime };
      this.#tested!.settle();
      return;
    }
    const outcome = pending();
    this.#tested?.settle();
    const socket =
      call.arguments[0]?.kind === "integer" ? this.#calls.sockets.get(Number(call.arguments[0].value)) : undefined;
    if (outcome !== wouldBlock) checkResult(call, outcome);
    else if (socket?.nonblocking ?? true) checkResult(call, { value: -1, errno: "EAGAIN" });
    else throw new ScriptFailure(call.position, `${call.name} would block`);
  }

  /** `due`: it must have returned by now. */
  #checkBlocked(due: boolean): void {
    const blocked = this.#blocked;
    if (blocked === undefined) return;
    const outcome = blocked.pending();
    if (outcome === wouldBlock) {
      if (due)
        throw new ScriptFailure(
          blocked.call.position,
          `${blocked.call.name} has not returned at ${seconds(this.#tested!.now)} s`,
        );
      return;
    }
    this.#blocked = undefined;
    checkResult(blocked.call, outcome);
    const { now } = this.#tested!;
    if (Math.abs(now - blocked.endTime) > this.#configuration.toleranceMicroseconds) {
      throw new ScriptFailure(
        blocked.call.position,
        `${blocked.call.name} returned at another time\n  expected: ${seconds(blocked.endTime)} s\n  actual:   ${seconds(now)} s`,
      );
    }
  }

  #runCommand(command: string, { position }: Statement): void {
    const link = /^\s*ip\s+link\s+set\s+(?:dev\s+)?(\w+)\s+(up|down)\s*$/.exec(command);
    if (link !== null && this.#tested !== undefined) {
      if (!this.#tested.setLinkUp(link[1]!, link[2] === "up"))
        throw new ScriptFailure(position, `no interface ${link[1]}`);
      return;
    }
    if (this.#tested !== undefined)
      throw new ScriptUnsupported(position, `the command "${command}" after the first socket`);
    applyCommand(this.#configuration, command, position);
  }

  #runCode(code: string, { position }: Statement): void {
    const connection = this.#calls.latestConnected?.connection;
    runAssertions(
      code,
      (name) => (connection === undefined ? undefined : connectionVariable(connection, name)),
      position,
    );
  }
}

function checkResult(call: CallSpec, result: CallResult): void {
  const { result: wanted, position } = call;
  if (wanted === undefined) return;
  const expected = integerOf(wanted, position, "a result");
  if (expected === result.value && (call.errno === undefined || call.errno === result.errno)) return;
  const actual = `${result.value}${result.errno === undefined ? "" : ` ${result.errno}`}`;
  throw new ScriptFailure(
    position,
    `${call.name} gave another result\n  expected: ${expected}${call.errno === undefined ? "" : ` ${call.errno}`}\n  actual:   ${actual}`,
  );
}

function seconds(microseconds: number): string {
  return (microseconds / 1e6).toFixed(6);
}
