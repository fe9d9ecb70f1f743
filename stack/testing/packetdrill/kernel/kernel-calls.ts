/** A script's calls as the kernel gets them: names to numbers, `...` to what is meant, and what the kernel gives held against the script. */

import { streamByte } from "../../pair.ts";
import { type CallOutcome, type PendingCall, wouldBlock } from "../back-end.ts";
import type { ScriptConfiguration } from "../script-configuration.ts";
import { ScriptFailure, ScriptUnsupported } from "../script-error.ts";
import type { CallSpec, Expression } from "../syntax.ts";
import { integerOf, pollBits, socketAddress, wordsIn } from "../system-calls.ts";
import type { CallAnswer } from "./namespace-process.ts";

/** Numbers of Linux on the architectures of Node's own builds (asm-generic). */
const numbers: Readonly<Record<string, number>> = {
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM: 1,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  IPPROTO_IP: 0,
  IPPROTO_TCP: 6,
  IPPROTO_IPV6: 41,
  IPPROTO_MPTCP: 262,
  SOL_IP: 0,
  SOL_SOCKET: 1,
  SOL_TCP: 6,
  SOL_IPV6: 41,
  SO_REUSEADDR: 2,
  SO_ERROR: 4,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_KEEPALIVE: 9,
  SO_LINGER: 13,
  SO_RCVTIMEO: 20,
  SO_SNDTIMEO: 21,
  IP_TOS: 1,
  IP_TTL: 2,
  IP_MTU_DISCOVER: 10,
  IP_MTU: 14,
  TCP_NODELAY: 1,
  TCP_MAXSEG: 2,
  TCP_CORK: 3,
  TCP_KEEPIDLE: 4,
  TCP_KEEPINTVL: 5,
  TCP_KEEPCNT: 6,
  TCP_SYNCNT: 7,
  TCP_LINGER2: 8,
  TCP_DEFER_ACCEPT: 9,
  TCP_WINDOW_CLAMP: 10,
  TCP_QUICKACK: 12,
  TCP_CONGESTION: 13,
  TCP_USER_TIMEOUT: 18,
  TCP_FASTOPEN: 23,
  TCP_NOTSENT_LOWAT: 25,
  TCP_FASTOPEN_CONNECT: 30,
  TCP_FASTOPEN_NO_COOKIE: 34,
  TCP_INQ: 36,
  MSG_PEEK: 2,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  MSG_MORE: 0x8000,
  MSG_FASTOPEN: 0x2000_0000,
  SHUT_RD: 0,
  SHUT_WR: 1,
  SHUT_RDWR: 2,
};
const nonblockFlag = 0x800;
const readWriteFlag = 2;

/** What a call sends to the process, and what is made of its answer. */
interface Marshalled {
  name: string;
  parameters: unknown[];
  /** @throws ScriptFailure when what the kernel gave beside the number is not what the script says */
  check?: (answer: CallAnswer) => void;
}

export class KernelCalls {
  readonly #configuration: ScriptConfiguration;
  readonly #call: (name: string, parameters: readonly unknown[]) => Promise<CallAnswer>;
  readonly #onAnswer: () => void;
  /** Bytes of the test stream so far, of each descriptor. */
  readonly #sent = new Map<number, number>();
  readonly #received = new Map<number, number>();
  corruption: { descriptor: number; offset: number } | undefined;
  /** The descriptor that the last call on a connection named. */
  latest: number | undefined;

  constructor(
    configuration: ScriptConfiguration,
    call: (name: string, parameters: readonly unknown[]) => Promise<CallAnswer>,
    onAnswer: () => void,
  ) {
    this.#configuration = configuration;
    this.#call = call;
    this.#onAnswer = onAnswer;
  }

  begin(call: CallSpec): PendingCall {
    const { name, parameters, check } = this.#marshal(call);
    let outcome: CallOutcome = wouldBlock;
    let failed: unknown;
    void this.#call(name, parameters).then((answer) => {
      try {
        check?.(answer);
      } catch (error) {
        failed = error;
      }
      outcome = { value: answer.value, ...(answer.errno !== undefined && { errno: answer.errno }) };
      this.#onAnswer();
    });
    return () => {
      if (failed !== undefined) throw failed;
      return outcome;
    };
  }

  #marshal(call: CallSpec): Marshalled {
    const { name, position, arguments: parameters } = call;
    if (name === "socket") return this.#socket(call);
    if (name === "poll") return this.#poll(call);
    const descriptor = integerOf(parameters[0], position, "a file descriptor");
    const number = (at: number, what: string): number => this.#number(parameters[at], call, what);
    switch (name) {
      case "bind": {
        const given = socketAddress(parameters[1]);
        const address = given?.address ?? (this.#configuration.localAddress.includes(":") ? "::" : "0.0.0.0");
        return { name, parameters: [descriptor, address, given?.port ?? this.#configuration.bindPort] };
      }
      case "listen":
        return { name, parameters: [descriptor, number(1, "a backlog")] };
      case "accept":
      case "accept4":
        return {
          name: "accept",
          parameters: [descriptor, name === "accept4" ? number(3, "flags") : 0],
          check: ({ value }) => {
            if (value >= 0) this.latest = value;
          },
        };
      case "connect":
        this.latest = descriptor;
        return { name, parameters: [descriptor, ...this.#destination(parameters[1])] };
      case "read":
      case "recv":
      case "recvfrom":
        this.latest = descriptor;
        return {
          name: "read",
          parameters: [descriptor, number(2, "a length"), name === "read" ? 0 : number(3, "flags")],
          check: (answer) => this.#checkRead(descriptor, answer),
        };
      case "sendto":
        if (wordsIn(parameters[3]).includes("MSG_FASTOPEN")) return this.#sendFast(descriptor, call);
        this.latest = descriptor;
        return this.#write(descriptor, number(2, "a length"), number(3, "flags"));
      case "write":
      case "send":
        this.latest = descriptor;
        return this.#write(descriptor, number(2, "a length"), name === "write" ? 0 : number(3, "flags"));
      case "close":
        // The number is given out again, and the next socket's stream begins anew.
        this.#sent.delete(descriptor);
        this.#received.delete(descriptor);
        return { name, parameters: [descriptor] };
      case "shutdown":
        return { name, parameters: [descriptor, number(1, "SHUT_WR and so on")] };
      case "setsockopt":
        return {
          name: "setOption",
          parameters: [
            descriptor,
            number(1, "a level"),
            number(2, "an option"),
            this.#optionBytes(parameters[3], call),
          ],
        };
      case "getsockopt":
        return this.#getOption(descriptor, number(1, "a level"), number(2, "an option"), call);
      case "fcntl":
        return fileControl(descriptor, call);
      case "ioctl":
        return this.#ioControl(descriptor, call);
      default:
        throw new ScriptUnsupported(position, `the call ${name}`);
    }
  }

  #number(expression: Expression | undefined, call: CallSpec, what: string): number {
    if (expression?.kind === "integer") return Number(expression.value);
    const words = wordsIn(expression);
    const unknown = words.find((word) => !Object.hasOwn(numbers, word));
    if (words.length === 0 || unknown !== undefined)
      throw new ScriptUnsupported(call.position, `${unknown ?? "..."} for ${what}`);
    return words.reduce((bits, word) => bits | numbers[word]!, 0);
  }

  #socket(call: CallSpec): Marshalled {
    const [family, kind, protocol] = call.arguments;
    const usual = this.#configuration.localAddress.includes(":") ? numbers["AF_INET6"]! : numbers["AF_INET"]!;
    const chosen = family?.kind === "ellipsis" ? usual : this.#number(family, call, "a family");
    const parameters = [chosen, this.#number(kind, call, "a type"), this.#number(protocol, call, "a protocol")];
    return { name: "socket", parameters };
  }

  #checkRead(descriptor: number, { value, data }: CallAnswer): void {
    if (value <= 0) return;
    const start = this.#received.get(descriptor) ?? 0;
    Buffer.from(String(data), "hex").forEach((byte, i) => {
      if (byte !== streamByte(start + i)) this.corruption ??= { descriptor, offset: start + i };
    });
    this.#received.set(descriptor, start + value);
  }

  #write(descriptor: number, length: number, flags: number): Marshalled {
    const start = this.#sent.get(descriptor) ?? 0;
    const bytes = Buffer.from(Uint8Array.from({ length }, (_, i) => streamByte(start + i)));
    return {
      name: "write",
      parameters: [descriptor, bytes.toString("hex"), flags],
      check: ({ value }) => {
        if (value > 0) this.#sent.set(descriptor, start + value);
      },
    };
  }

  /** With the address: it connects, too. */
  #sendFast(descriptor: number, call: CallSpec): Marshalled {
    this.latest = descriptor;
    const { parameters, check } = this.#write(
      descriptor,
      integerOf(call.arguments[2], call.position, "a length"),
      this.#number(call.arguments[3], call, "flags"),
    );
    return {
      name: "writeTo",
      parameters: [...parameters, ...this.#destination(call.arguments[4])],
      ...(check !== undefined && { check }),
    };
  }

  #destination(expression: Expression | undefined): [address: string, port: number] {
    const given = socketAddress(expression);
    const { remoteAddress, connectPort } = this.#configuration;
    return [given?.address ?? remoteAddress, given?.port ?? connectPort];
  }

  /** `[1]` is an int; `{onoff=1, linger=0}` two of them. In hexadecimal digits. */
  #optionBytes(value: Expression | undefined, call: CallSpec): string {
    if (value?.kind === "string") return Buffer.from(value.text).toString("hex");
    const items =
      value?.kind === "list" ? value.items : value?.kind === "structure" ? [...value.fields.values()] : undefined;
    if (items === undefined || items.length === 0) throw new ScriptUnsupported(call.position, "the value of an option");
    return Buffer.from(Int32Array.from(items, (item) => this.#number(item, call, "a value")).buffer).toString("hex");
  }

  #getOption(descriptor: number, level: number, option: number, call: CallSpec): Marshalled {
    const [wanted] = call.arguments[3]?.kind === "list" ? call.arguments[3].items : [];
    if (wanted === undefined) throw new ScriptUnsupported(call.position, "the value of an option");
    return {
      name: "getOption",
      parameters: [descriptor, level, option, 4],
      check: ({ value, data }) => {
        if (value < 0) return;
        const actual = Buffer.from(String(data), "hex").readInt32LE(0);
        const expected =
          wanted.kind === "word" ? errorNumbers[wanted.name] : integerOf(wanted, call.position, "a value");
        if (actual !== expected)
          throw new ScriptFailure(call.position, `getsockopt: expected ${textOf(wanted)}, actual ${actual}`);
      },
    };
  }

  #ioControl(descriptor: number, call: CallSpec): Marshalled {
    const command = wordsIn(call.arguments[1])[0];
    const expected = call.arguments[2];
    if ((command !== "SIOCINQ" && command !== "FIONREAD") || expected?.kind !== "list")
      throw new ScriptUnsupported(call.position, `ioctl ${command}`);
    const wanted = integerOf(expected.items[0], call.position, "a number of bytes");
    return {
      name: "readableBytes",
      parameters: [descriptor],
      check: ({ data }) => {
        if (data !== wanted)
          throw new ScriptFailure(call.position, `${command}: expected ${wanted}, actual ${String(data)}`);
      },
    };
  }

  #poll(call: CallSpec): Marshalled {
    const [list] = call.arguments;
    if (list?.kind !== "list") throw new ScriptUnsupported(call.position, "poll without a list of descriptors");
    const entries = list.items.map((item) => {
      if (item.kind !== "structure")
        throw new ScriptUnsupported(item.position, "poll of something other than {fd, events, revents}");
      const { fields } = item;
      return {
        descriptor: integerOf(fields.get("fd"), item.position, "a file descriptor"),
        events: pollBits(fields.get("events")),
        expected: fields.has("revents") ? pollBits(fields.get("revents")) : undefined,
      };
    });
    return {
      name: "poll",
      parameters: [
        entries.map(({ descriptor, events }) => [descriptor, events]),
        integerOf(call.arguments[2], call.position, "a timeout"),
      ],
      check: ({ data }) => {
        entries.forEach(({ descriptor, expected }, i) => {
          const actual = (data as number[])[i];
          if (expected !== undefined && expected !== actual)
            throw new ScriptFailure(
              call.position,
              `poll: fd ${descriptor}: expected revents ${expected}, actual ${actual}`,
            );
        });
      },
    };
  }
}

function fileControl(descriptor: number, call: CallSpec): Marshalled {
  const command = wordsIn(call.arguments[1])[0];
  if (command === "F_SETFL") {
    const blocking = !wordsIn(call.arguments[2]).includes("O_NONBLOCK");
    return { name: "setBlocking", parameters: [descriptor, blocking] };
  }
  if (command !== "F_GETFL") throw new ScriptUnsupported(call.position, `fcntl ${command}`);
  return {
    name: "getFlags",
    parameters: [descriptor],
    // Other flags, such as O_LARGEFILE, are not the socket's.
    check: (answer) => {
      answer.value &= readWriteFlag | nonblockFlag;
    },
  };
}

const errorNumbers: Readonly<Record<string, number>> = {
  EPIPE: 32,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
};

function textOf(expression: Expression): string {
  return expression.kind === "word" ? expression.name : expression.kind === "integer" ? `${expression.value}` : "...";
}
