/** The Linux kernel as what a script runs on: a namespace of its own, TUN devices whose other end is the script, real time. */

import { monotonicMicroseconds } from "../../../io/clock.ts";
import { PacketMemory } from "../../../io/packet-socket.ts";
import { packetOffset, TunDevice } from "../../../io/tun-device.ts";
import type { VariableSource } from "../assertion.ts";
import { type BackEnd, type CallOutcome, type CapturedSegment, type PendingCall, wouldBlock } from "../back-end.ts";
import { stateNumbers } from "../connection-variables.ts";
import type { Latitude } from "../latitude.ts";
import type { ScriptConfiguration } from "../script-configuration.ts";
import type { CallSpec } from "../syntax.ts";
import { decodePacket, encodePacket, type WireSegment } from "../wire-segment.ts";
import { KernelCalls } from "./kernel-calls.ts";
import { NamespaceProcess } from "./namespace-process.ts";
import { setUpCommands, settingsOf } from "./namespace-setup.ts";
import { kernelVariable } from "./tcp-info.ts";

/** TCP_LISTEN. */
const listenState = 10;
const receiveSlots = 16;
/** The script sends what an IP packet holds, also where the device itself would not. */
const slotBytes = 66_048;
/** A machine that is busy with other things is so much late; */
const lateness = 50_000;
/** and the kernel's timers are by this part of what they wait (its timer wheel). */
const timerInaccuracy = 1 / 8;
/** How long a call that does not wait may take to come back: where one does not, somebody waits so long for the message that it blocks. */
const callTime = 5_000_000;

export class KernelBackEnd implements BackEnd {
  readonly latitudes = new Set<Latitude>();
  readonly captured: CapturedSegment[] = [];
  onSettled: (() => void) | undefined;
  readonly #process: NamespaceProcess;
  readonly #addresses: string[];
  readonly #devices: TunDevice[] = [];
  readonly #calls: KernelCalls;
  #start = 0;
  #problem: Error | undefined;
  /** Ends the wait of `advance`. */
  #wake: () => void = () => {};

  private constructor(process: NamespaceProcess, configuration: ScriptConfiguration) {
    this.#process = process;
    this.#addresses = [configuration.localAddress, ...configuration.endpoints.map(({ address }) => address)];
    this.#calls = new KernelCalls(
      configuration,
      (name, parameters) => process.call(name, parameters),
      () => this.#wake(),
    );
  }

  /** @throws Error when the machine does not let us: no python3, no /dev/net/tun, no permission */
  static async start(configuration: ScriptConfiguration): Promise<KernelBackEnd> {
    const process = await NamespaceProcess.start();
    const made = new KernelBackEnd(process, configuration);
    try {
      made.#addresses.forEach((_, i) => made.#devices.push(made.#openDevice(`tun${i}`)));
      await process.run(`set -e\n${settingsOf(configuration)}\n${setUpCommands(configuration)}`);
      made.captured.length = 0;
      made.#start = monotonicMicroseconds();
      return made;
    } catch (error) {
      await made.close();
      throw error;
    }
  }

  get now(): number {
    return monotonicMicroseconds() - this.#start;
  }

  tolerance(interval: number): number {
    return lateness + Math.max(0, interval) * timerInaccuracy;
  }

  async advance(time: number, until?: () => boolean): Promise<void> {
    // One turn of the event loop, also for a time that has passed: what the kernel has sent is then here.
    for (let turned = false; ; turned = true) {
      this.onSettled?.();
      if (this.#problem !== undefined) throw this.#problem;
      if (until?.() === true) return;
      const left = time - this.now;
      if (left <= 0 && turned) {
        // What we ourselves are late with is no time of the script's: its clock stands meanwhile.
        if (until === undefined) this.#forget(-left, time);
        return;
      }
      await this.#somethingOr(left);
    }
  }

  inject(segment: WireSegment): void {
    const device = this.#devices[Math.max(0, this.#addresses.indexOf(segment.destination.address))]!;
    const packet = encodePacket(segment);
    const start = receiveSlots * slotBytes + packetOffset;
    device.memory.bytes.set(packet, start);
    device.send(Int32Array.of(start, packet.length, 0, 0), 1);
    // A device that is down loses what is sent to it, as a cable that is pulled.
    if (device.sendError !== undefined && device.sendError !== "EIO")
      throw new Error(`the TUN device takes no packet: ${device.sendError}`);
  }

  begin(call: CallSpec): PendingCall {
    return this.#calls.begin(call);
  }

  async completion(pending: PendingCall): Promise<CallOutcome> {
    const start = this.now;
    await this.advance(start + callTime, () => pending() !== wouldBlock);
    // In a script calls take no time.
    this.#forget(this.now - start, start);
    return pending();
  }

  answersAgain(): boolean {
    return false;
  }

  async runCommand(command: string): Promise<boolean> {
    await this.#process.run(command);
    return true;
  }

  async variables(): Promise<VariableSource> {
    const { latest } = this.#calls;
    const answer = latest === undefined ? undefined : await this.#process.call("information", [latest]);
    if (answer !== undefined && answer.value < 0) return this.#stateWithoutDescriptor();
    const [tcp = "", mptcp = ""] = (answer?.data as string[] | undefined) ?? [];
    const [tcpInfo, mptcpInfo] = [Buffer.from(tcp, "hex"), Buffer.from(mptcp, "hex")];
    return (name) => stateNumbers[name] ?? kernelVariable(name, tcpInfo, mptcpInfo);
  }

  /** The application has closed: of the only connection the namespace's table still tells the state. */
  async #stateWithoutDescriptor(): Promise<VariableSource> {
    const { data } = await this.#process.call("states", []);
    const states = (data as number[]).filter((state) => state !== listenState);
    const state = states.length === 0 ? stateNumbers["TCP_CLOSE"] : states.length === 1 ? states[0] : undefined;
    return (name) => stateNumbers[name] ?? (name === "tcpi_state" ? state : undefined);
  }

  corruption(): { descriptor: number; offset: number } | undefined {
    return this.#calls.corruption;
  }

  async close(): Promise<void> {
    for (const device of this.#devices) device.close();
    await this.#process.close();
  }

  /** Takes `microseconds` that passed since `from` out of the script's time. */
  #forget(microseconds: number, from: number): void {
    this.#start += microseconds;
    for (const captured of this.captured)
      if (captured.time > from) captured.time = Math.max(from, captured.time - microseconds);
  }

  #openDevice(interfaceName: string): TunDevice {
    const memory = new PacketMemory(receiveSlots + 1, slotBytes);
    return new TunDevice({
      namespacePath: this.#process.namespacePath,
      interfaceName,
      memory,
      receiveSlots: Array.from({ length: receiveSlots }, (_, slot) => slot),
      vnetHeader: false,
      onBatch: (count, device) => {
        for (let i = 0; i < count; i++) this.#capture(device, i);
        this.#wake();
      },
      onError: (code) => {
        this.#problem = new Error(`the TUN device fails: ${code}`);
        this.#wake();
      },
    });
  }

  #capture(device: TunDevice, i: number): void {
    const start = device.packetStart(i);
    const packet = Buffer.from(device.memory.bytes.subarray(start, start + device.length(i)));
    const segment = decodePacket(packet);
    if (segment !== undefined) this.captured.push({ segment, time: device.monotonicMicroseconds(i) - this.#start });
  }

  #somethingOr(microseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, Math.ceil(microseconds / 1000)));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
