/** Packets into the host, and packets of the host held against what the script says. */

import { streamByte } from "../pair.ts";
import type { AddressTable } from "./address-table.ts";
import type { BackEnd, CapturedSegment } from "./back-end.ts";
import type { Flow } from "./flow.ts";
import { FlowTable } from "./flow-table.ts";
import { formatOption, formatOutbound } from "./format-packet.ts";
import { mappedBytes, toWireOption, type TranslationContext } from "./option-translation.ts";
import {
  acknowledgementDelay,
  adaptOptions,
  differInPushOnly,
  isFourthPacket,
  isPureAcknowledgement,
  padCookie,
} from "./latitude.ts";
import type { ScriptConfiguration } from "./script-configuration.ts";
import { type Position, ScriptFailure, ScriptSyntaxError, ScriptUnsupported } from "./script-error.ts";
import { CookieTable, KeyTable } from "./session.ts";
import type { PacketSpec, TcpSpec } from "./syntax.ts";
import type { WireOption } from "./wire-option.ts";
import { encodeOptions } from "./wire-option.ts";
import { flagsFromLetters, lettersFromFlags, maximumOptionsLength, type WireSegment } from "./wire-segment.ts";

const synFlag = 2;
const ackFlag = 16;

export class PacketExchange {
  readonly #configuration: ScriptConfiguration;
  readonly #machine: BackEnd;
  readonly #addresses: AddressTable;
  readonly #flows: FlowTable;
  readonly #keys = new KeyTable();
  readonly #cookies = new CookieTable();

  constructor(configuration: ScriptConfiguration, machine: BackEnd, addresses: AddressTable) {
    this.#configuration = configuration;
    this.#machine = machine;
    this.#addresses = addresses;
    this.#flows = new FlowTable(configuration, addresses);
  }

  /** Sends the script's packet to the host. @throws ScriptFailure, ScriptUnsupported, ScriptSyntaxError */
  inject(packet: PacketSpec): void {
    const tcp = runnable(packet);
    const flow = this.#flows.forInbound(packet, tcp);
    this.#flows.current = flow;
    this.#flows.assignSession(flow, tcp);
    if (tcp.options === undefined)
      throw new ScriptUnsupported(packet.position, "<...> in a packet that the script sends");
    const context = this.#context("inbound", flow, tcp, this.#machine.now);
    if (tcp.flags.includes("S")) {
      flow.remoteInitial = tcp.sequence;
      if (tcp.acknowledgement !== undefined) flow.synData.outbound = tcp.acknowledgement - flow.localInitial - 1;
    }
    const options = tcp.options.map((option) => toWireOption(option, context, undefined));
    if (this.#machine.latitudes !== undefined) padCookie(options);
    checkLength(options, packet.position);
    this.#machine.inject({
      source: flow.remote,
      destination: flow.local,
      congestionMark: packet.congestionMark ?? 0,
      flags: flagsFromLetters(tcp.flags),
      sequence: tcp.sequence,
      acknowledgement: tcp.acknowledgement === undefined ? 0 : flow.toWire(tcp.acknowledgement),
      window: tcp.window ?? 0,
      urgentPointer: tcp.urgentPointer ?? 0,
      options,
      payload: this.#payload(flow, tcp),
    });
  }

  /** Waits until `deadline` for the packet, compares it and returns when it was sent; undefined: it did not come and need not. @throws ScriptFailure, ScriptUnsupported */
  async expect(packet: PacketSpec, deadline: number): Promise<number | undefined> {
    const tcp = runnable(packet);
    const { latitudes } = this.#machine;
    if (latitudes !== undefined && isFourthPacket(packet) && this.#flows.current?.isJoin !== true) {
      const answer = await this.#find(packet, deadline);
      if (answer === undefined || this.#machine.captured[answer]!.segment.payload.length > 0) {
        latitudes.add("fourth-packet");
        return undefined;
      }
    }
    const captured = await this.#await(packet, deadline);
    const { segment, time } = captured;
    const flow = this.#flows.forCaptured(segment);
    this.#flows.learnOutbound(packet, flow);
    this.#flows.current = flow;
    this.#flows.assignSession(flow, tcp);
    if ((segment.flags & synFlag) !== 0) {
      flow.sequenceOffset = segment.sequence - tcp.sequence;
      flow.localInitial = tcp.sequence;
      if (tcp.acknowledgement !== undefined) flow.synData.inbound = tcp.acknowledgement - flow.remoteInitial - 1;
    }
    this.#compare(packet, tcp, flow, captured);
    return time;
  }

  /** Whether a packet that came so many microseconds after its time is one that may. */
  mayBeLate({ tcp }: PacketSpec, delay: number): boolean {
    const { latitudes } = this.#machine;
    if (latitudes === undefined || delay < 0 || delay > acknowledgementDelay || !isPureAcknowledgement(tcp!))
      return false;
    latitudes.add("delayed-acknowledgement");
    return true;
  }

  /** At the end of the script the host has sent nothing that the script does not speak of. */
  checkNothingLeft(position: Position): void {
    const [left] = this.#machine.captured;
    if (left === undefined) return;
    const flow = this.#flows.forCaptured(left.segment);
    throw new ScriptFailure(
      position,
      `the host has sent what the script does not expect, at ${left.time / 1e6} s\n  actual:   ${formatOutbound(left.segment, flow, this.#keys)}`,
    );
  }

  #context(direction: "inbound" | "outbound", flow: Flow, tcp: TcpSpec, time: number): TranslationContext {
    return {
      direction,
      flow,
      keys: this.#keys,
      cookies: this.#cookies,
      addresses: this.#addresses,
      tcp,
      time,
      timestampTick: this.#configuration.timestampTickMicroseconds,
    };
  }

  async #await(packet: PacketSpec, deadline: number): Promise<CapturedSegment> {
    const { captured, latitudes } = this.#machine;
    const mayWait = latitudes !== undefined && isPureAcknowledgement(packet.tcp!);
    const index = await this.#find(packet, deadline + (mayWait ? acknowledgementDelay : 0));
    if (index === undefined) {
      const others =
        captured.length === 0
          ? "nothing"
          : formatOutbound(captured[0]!.segment, this.#flows.forCaptured(captured[0]!.segment), this.#keys);
      throw new ScriptFailure(
        packet.position,
        `the packet did not come by ${deadline / 1e6} s\n  expected: ${packet.text}\n  actual:   ${others}`,
      );
    }
    return captured.splice(index, 1)[0]!;
  }

  /** Where in `captured` the first packet of the same flow is, when one comes by `deadline`. */
  async #find(packet: PacketSpec, deadline: number): Promise<number | undefined> {
    const { captured } = this.#machine;
    const matching = (): number =>
      captured.findIndex(({ segment }) => this.#flows.matches(packet, this.#flows.forCaptured(segment)));
    await this.#machine.advance(Math.max(deadline, this.#machine.now), () => matching() >= 0);
    const index = matching();
    return index < 0 ? undefined : index;
  }

  /** The bytes of the test stream at the packet's place. */
  #payload(flow: Flow, tcp: TcpSpec): Uint8Array {
    const first = (tcp.sequence - flow.remoteInitial - (tcp.flags.includes("S") ? 0 : 1)) | 0;
    return Uint8Array.from({ length: tcp.length }, (_, i) => {
      const offset = flow.dataOffset("inbound", first + i);
      return offset < 0 ? 0 : streamByte(offset);
    });
  }

  #compare(packet: PacketSpec, tcp: TcpSpec, flow: Flow, { segment, time }: CapturedSegment): void {
    const differences: string[] = [];
    const check = (what: string, expected: string | number, actual: string | number): void => {
      if (expected !== actual) differences.push(`${what}: expected ${expected}, actual ${actual}`);
    };
    const { latitudes } = this.#machine;
    const wantedFlags = flagsFromLetters(tcp.flags);
    if (latitudes !== undefined && differInPushOnly(wantedFlags, segment.flags)) latitudes.add("push");
    else check("flags", lettersFromFlags(wantedFlags), lettersFromFlags(segment.flags));
    const sequence = flow.toScript(segment.sequence);
    check("sequence", `${tcp.sequence}(${tcp.length})`, `${sequence}(${segment.payload.length})`);
    if (tcp.acknowledgement !== undefined) check("ack", tcp.acknowledgement, segment.acknowledgement);
    else if ((segment.flags & ackFlag) !== 0 && tcp.flags.includes(".")) check("ack", "none", segment.acknowledgement);
    if (tcp.window !== undefined && tcp.window !== segment.window) {
      if (latitudes !== undefined && tcp.window > 0 && segment.window > 0) latitudes.add("window");
      else check("win", tcp.window, segment.window);
    }
    if (packet.congestionMark !== undefined) check("mark of congestion", packet.congestionMark, segment.congestionMark);
    check("urg", tcp.urgentPointer ?? 0, segment.urgentPointer);
    if (tcp.options !== undefined) this.#compareOptions(tcp, flow, segment, time, check);
    if (differences.length === 0) this.#comparePayload(flow, segment, check);
    if (differences.length === 0) return;
    throw new ScriptFailure(
      packet.position,
      [
        "the host sent another packet",
        `  expected: ${packet.text}`,
        `  actual:   ${formatOutbound(segment, flow, this.#keys)}`,
        ...differences.map((difference) => `  ${difference}`),
      ].join("\n"),
    );
  }

  #compareOptions(
    tcp: TcpSpec,
    flow: Flow,
    segment: WireSegment,
    time: number,
    check: (what: string, expected: string, actual: string) => void,
  ): void {
    const context = this.#context("outbound", flow, tcp, time);
    const { latitudes } = this.#machine;
    const written = tcp.options ?? [];
    const wanted =
      latitudes === undefined ? written : adaptOptions(written, segment.options, (latitude) => latitudes.add(latitude));
    check("options", `<${kinds(wanted)}>`, `<${kinds(segment.options)}>`);
    if (kinds(wanted) !== kinds(segment.options)) return;
    const expected = wanted.map((option, i) =>
      formatOption(toWireOption(option, context, segment.options[i]), flow, this.#keys),
    );
    const actual = segment.options.map((option) => formatOption(option, flow, this.#keys));
    check("options", `<${expected.join(", ")}>`, `<${actual.join(", ")}>`);
  }

  /** The bytes are those that the application wrote, at the place that sequence number or mapping give them. */
  #comparePayload(
    flow: Flow,
    segment: WireSegment,
    check: (what: string, expected: number, actual: number) => void,
  ): void {
    const first = (flow.toScript(segment.sequence) - flow.localInitial - ((segment.flags & synFlag) === 0 ? 1 : 0)) | 0;
    for (let i = 0; i < segment.payload.length; i++) {
      const [wanted] = mappedBytes(flow.dataOffset("outbound", first + i), 1);
      if (segment.payload[i] === wanted) continue;
      check(`payload byte ${i}`, wanted!, segment.payload[i]!);
      return;
    }
  }
}

function runnable(packet: PacketSpec): TcpSpec {
  if (packet.unsupported !== undefined) throw new ScriptUnsupported(packet.position, packet.unsupported);
  return packet.tcp!;
}

function checkLength(options: readonly WireOption[], position: Position): void {
  const { length } = encodeOptions(options);
  if (length % 4 !== 0) throw new ScriptSyntaxError(position, "options of a length that 4 divides", `${length} bytes`);
  if (length > maximumOptionsLength)
    throw new ScriptSyntaxError(position, `at most ${maximumOptionsLength} bytes of options`, `${length} bytes`);
}

function kinds(options: readonly { kind: string }[]): string {
  return options.map(({ kind }) => kind).join(", ");
}
