/** Runs a script: its packets go in, the machine's come out and are compared, calls are made, time passes. */

import { AddressTable } from "./address-table.ts";
import { runAssertions } from "./assertion.ts";
import { type BackEnd, type BackEndFactory, type CallResult, type PendingCall, wouldBlock } from "./back-end.ts";
import { PacketExchange } from "./packet-exchange.ts";
import { parseScript } from "./parse-script.ts";
import { PureBackEnd } from "./pure-back-end.ts";
import { applyCommand, applyOptions, defaultConfiguration, type ScriptConfiguration } from "./script-configuration.ts";
import { type Position, ScriptFailure, ScriptUnsupported } from "./script-error.ts";
import type { CallSpec, Script, Statement } from "./syntax.ts";
import { integerOf, wordsIn } from "./system-calls.ts";

/** How long "*" waits. */
const longestWait = 3_600_000_000;

interface BlockedCall {
  call: CallSpec;
  pending: PendingCall;
  startTime: number;
  /** When it must return. */
  endTime: number;
}

/**
 * Parses and runs a script; `file` is what messages call it.
 * @throws ScriptSyntaxError, ScriptFailure, ScriptUnsupported
 */
export async function runScript(
  text: string,
  file: string,
  makeMachine: BackEndFactory = (configuration, mptcp) => new PureBackEnd(configuration, mptcp),
): Promise<void> {
  await new Interpreter(parseScript(text, file), makeMachine).run();
}

class Interpreter {
  readonly #script: Script;
  readonly #configuration: ScriptConfiguration = defaultConfiguration();
  readonly #makeMachine: BackEndFactory;
  #machine: BackEnd | undefined;
  #exchange: PacketExchange | undefined;
  #blocked: BlockedCall | undefined;
  /** From where relative times count. */
  #previousTime = 0;

  constructor(script: Script, makeMachine: BackEndFactory) {
    this.#script = script;
    this.#makeMachine = makeMachine;
    applyOptions(this.#configuration, script);
  }

  async run(): Promise<void> {
    try {
      for (const statement of this.#script.statements) await this.#runStatement(statement);
      await this.#finish(this.#script.statements.at(-1)!.position);
    } finally {
      await this.#machine?.close();
    }
  }

  async #finish(end: Position): Promise<void> {
    const machine = this.#machine;
    if (machine === undefined) return;
    if (this.#blocked === undefined) await machine.advance(machine.now);
    else await machine.advance(machine.now + this.#tolerance(0), () => this.#blocked === undefined);
    if (this.#blocked !== undefined)
      throw new ScriptFailure(
        this.#blocked.call.position,
        `${this.#blocked.call.name} has not returned at the end of the script`,
      );
    this.#exchange!.checkNothingLeft(end);
    const corruption = machine.corruption();
    if (corruption === undefined) return;
    const { descriptor, offset } = corruption;
    throw new ScriptFailure(end, `fd ${descriptor}: byte ${offset} that was read is not the one that was sent`);
  }

  /** The machine comes into being with the first socket: by then the script has said how it is to be. */
  async #machineFor(call: CallSpec): Promise<BackEnd> {
    if (this.#machine !== undefined) return this.#machine;
    if (call.name !== "socket") throw new ScriptFailure(call.position, `${call.name} before the first socket`);
    const mptcp = this.#configuration.mptcpEnabled && wordsIn(call.arguments[2])[0] === "IPPROTO_MPTCP";
    const machine = await this.#makeMachine(this.#configuration, mptcp);
    machine.onSettled = () => this.#checkBlocked(false);
    const addresses = new AddressTable(this.#configuration.remoteAddress);
    this.#exchange = new PacketExchange(this.#configuration, machine, addresses);
    this.#machine = machine;
    return machine;
  }

  #tolerance(interval: number): number {
    return this.#machine?.tolerance(interval) ?? this.#configuration.toleranceMicroseconds;
  }

  async #runStatement(statement: Statement): Promise<void> {
    const { action, time } = statement;
    if (action.kind === "packet" && action.packet.direction === "outbound") {
      await this.#expectPacket(statement);
      return;
    }
    if (time.kind === "any")
      throw new ScriptUnsupported(statement.position, "any time (*) for something that the script does itself");
    const at = time.kind === "immediate" ? this.#previousTime : (time.relative ? this.#previousTime : 0) + time.from;
    if (at < this.#previousTime)
      throw new ScriptFailure(statement.position, `the time of the statement is before that of the one above`);
    const base = this.#previousTime;
    this.#previousTime = at;
    await this.#waitUntil(at, statement);
    switch (action.kind) {
      case "packet":
        this.#requireExchange(statement).inject(action.packet);
        return;
      case "call":
        await this.#runCall(action.call, statement, base);
        return;
      case "shell":
        await this.#runCommand(action.command, statement);
        return;
      case "code":
        await this.#runCode(action.text, statement);
    }
  }

  async #waitUntil(at: number, statement: Statement): Promise<void> {
    await this.#machine?.advance(at);
    if (
      this.#blocked !== undefined &&
      (statement.action.kind === "call" || at > this.#blocked.endTime + this.#tolerance(0))
    ) {
      this.#checkBlocked(true);
    }
  }

  #requireExchange({ position }: Statement): PacketExchange {
    if (this.#exchange === undefined) throw new ScriptFailure(position, "a packet before the first socket");
    return this.#exchange;
  }

  async #expectPacket(statement: Statement): Promise<void> {
    const { action, time, position } = statement;
    if (action.kind !== "packet") return;
    const exchange = this.#requireExchange(statement);
    const base = time.kind === "at" && time.relative ? this.#previousTime : 0;
    const from = time.kind === "at" ? base + time.from : 0;
    const to = time.kind === "at" ? base + time.to : this.#machine!.now + longestWait;
    const tolerance = time.kind === "at" ? this.#tolerance(to - this.#previousTime) : 0;
    const sentAt = await exchange.expect(action.packet, to + tolerance);
    // What a machine is free not to send comes at its time.
    if (sentAt === undefined) {
      this.#previousTime = from;
      return;
    }
    const isInTime = sentAt >= from - tolerance && sentAt <= to + tolerance;
    if (!isInTime && !exchange.mayBeLate(action.packet, sentAt - to)) {
      const expected = from === to ? seconds(from) : `${seconds(from)}~${seconds(to)}`;
      throw new ScriptFailure(
        position,
        `the packet came at another time\n  expected: ${expected} s\n  actual:   ${seconds(sentAt)} s`,
      );
    }
    this.#previousTime = time.kind === "at" && time.from === time.to ? from : sentAt;
  }

  async #runCall(call: CallSpec, statement: Statement, base: number): Promise<void> {
    const { endTime } = statement;
    const machine = await this.#machineFor(call);
    const pending = machine.begin(call);
    if (endTime !== undefined) {
      if (this.#blocked !== undefined) throw new ScriptUnsupported(call.position, "two calls that block at once");
      const relative = statement.time.kind === "at" && statement.time.relative;
      this.#blocked = { call, pending, startTime: machine.now, endTime: (relative ? base : 0) + endTime };
      await machine.advance(machine.now);
      return;
    }
    const outcome = await machine.completion(pending);
    if (outcome !== wouldBlock) checkResult(call, outcome);
    else if (machine.answersAgain(call)) checkResult(call, { value: -1, errno: "EAGAIN" });
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
          `${blocked.call.name} has not returned at ${seconds(this.#machine!.now)} s`,
        );
      return;
    }
    this.#blocked = undefined;
    checkResult(blocked.call, outcome);
    const { now } = this.#machine!;
    if (Math.abs(now - blocked.endTime) > this.#tolerance(blocked.endTime - blocked.startTime)) {
      throw new ScriptFailure(
        blocked.call.position,
        `${blocked.call.name} returned at another time\n  expected: ${seconds(blocked.endTime)} s\n  actual:   ${seconds(now)} s`,
      );
    }
  }

  async #runCommand(command: string, { position }: Statement): Promise<void> {
    if (this.#machine === undefined) applyCommand(this.#configuration, command, position);
    else if (!(await this.#machine.runCommand(command)))
      throw new ScriptUnsupported(position, `the command "${command}" after the first socket`);
  }

  async #runCode(code: string, { position }: Statement): Promise<void> {
    runAssertions(code, (await this.#machine?.variables()) ?? (() => undefined), position);
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
