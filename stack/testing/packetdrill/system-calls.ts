/** The calls that scripts make, with the results and errors of POSIX. */

import { NetworkError } from "../../host.ts";
import { type CallOutcome, type CallResult, type PendingCall, wouldBlock } from "./back-end.ts";
import { fastOpenBit, type ScriptConfiguration } from "./script-configuration.ts";
import { type Position, ScriptFailure, ScriptUnsupported } from "./script-error.ts";
import { ScriptSocket } from "./script-socket.ts";
import type { CallSpec, Expression } from "./syntax.ts";
import type { TestedHost } from "./tested-host.ts";

const nonblockFlag = 0x800;
const readWriteFlag = 2;
const firstDescriptor = 3;
const pollFlag = { POLLIN: 1, POLLOUT: 4, POLLERR: 8, POLLHUP: 16, POLLRDHUP: 0x2000 } as const;

export class SystemCalls {
  readonly sockets = new Map<number, ScriptSocket>();
  /** The socket of the last call that named one with a connection. */
  latestConnected: ScriptSocket | undefined;
  readonly #configuration: ScriptConfiguration;
  readonly #tested: TestedHost;

  constructor(configuration: ScriptConfiguration, tested: TestedHost) {
    this.#configuration = configuration;
    this.#tested = tested;
  }

  /** Begins the call. What it returns is asked once, or, for a call that blocks, after everything that happens. */
  begin(call: CallSpec): PendingCall {
    switch (call.name) {
      case "socket":
        return this.#once(() => this.#socket(call));
      case "bind":
        return this.#once(() => this.#bind(call));
      case "listen":
        return this.#once(() => this.#listen(call));
      case "accept":
      case "accept4":
        return () => this.#accept(call);
      case "connect":
        return this.#connect(call);
      case "read":
      case "recv":
      case "recvfrom":
        return () => this.#socketOf(call).read(this.#length(call), this.#now);
      case "sendto":
        if (wordsIn(call.arguments[3]).includes("MSG_FASTOPEN")) return this.#sendFast(call);
        return () => this.#socketOf(call).write(this.#length(call), this.#now);
      case "write":
      case "send":
        return () => this.#socketOf(call).write(this.#length(call), this.#now);
      case "close":
        return this.#once(() => this.#close(call));
      case "shutdown":
        return this.#once(() => this.#shutdown(call));
      case "setsockopt":
        return this.#once(() => this.#setOption(call));
      case "getsockopt":
        return this.#once(() => this.#getOption(call));
      case "fcntl":
        return this.#once(() => this.#fileControl(call));
      case "ioctl":
        return this.#once(() => this.#ioControl(call));
      case "poll":
        return () => this.#poll(call);
      default:
        throw new ScriptUnsupported(call.position, `the call ${call.name}`);
    }
  }

  /** Descriptors that applications have closed still take what comes, and throw it away. */
  drainClosed(): void {
    for (const socket of this.sockets.values()) {
      if (socket.closed && socket.connection !== undefined && !socket.ended)
        socket.read(Number.MAX_SAFE_INTEGER, this.#now);
    }
  }

  get #now(): number {
    return this.#tested.hostTime;
  }

  #once(run: () => CallResult): PendingCall {
    return run;
  }

  #newDescriptor(socket: ScriptSocket): number {
    let descriptor = firstDescriptor;
    while (this.sockets.has(descriptor) && !this.sockets.get(descriptor)!.closed) descriptor++;
    // A closed socket may have connections left: it keeps them under a number of its own.
    const old = this.sockets.get(descriptor);
    if (old !== undefined) this.sockets.set(-1 - this.sockets.size, old);
    this.sockets.set(descriptor, socket);
    return descriptor;
  }

  #socket(call: CallSpec): CallResult {
    const names = wordsIn(call.arguments[1]);
    const protocol = wordsIn(call.arguments[2])[0];
    if (!names.includes("SOCK_STREAM") || (protocol !== "IPPROTO_TCP" && protocol !== "IPPROTO_MPTCP")) {
      throw new ScriptUnsupported(call.position, `a socket of ${names.join("|")}, ${protocol}`);
    }
    const mptcp = protocol === "IPPROTO_MPTCP" && this.#configuration.mptcpEnabled;
    return { value: this.#newDescriptor(new ScriptSocket(mptcp, names.includes("SOCK_NONBLOCK"))) };
  }

  #socketOf(call: CallSpec): ScriptSocket {
    const descriptor = integerOf(call.arguments[0], call.position, "a file descriptor");
    const socket = this.sockets.get(descriptor);
    if (socket === undefined || socket.closed)
      throw new ScriptFailure(call.position, `${call.name}: ${descriptor} is no open socket`);
    if (socket.connection !== undefined) this.latestConnected = socket;
    return socket;
  }

  #bind(call: CallSpec): CallResult {
    const socket = this.#socketOf(call);
    const given = socketAddress(call.arguments[1]);
    socket.port = given?.port ?? this.#configuration.bindPort;
    socket.address = given?.address;
    return { value: 0 };
  }

  #listen(call: CallSpec): CallResult {
    const socket = this.#socketOf(call);
    const port = socket.port ?? this.#configuration.bindPort;
    const { address } = socket;
    const backlog = integerOf(call.arguments[1], call.position, "a backlog");
    return this.#withNetworkErrors(() => {
      socket.listener = this.#tested.host.listen(
        {
          port,
          backlog: Math.max(1, backlog),
          fastOpen: this.#listensForData(socket),
          ...(address !== undefined && { address }),
        },
        this.#now,
      );
    });
  }

  #accept(call: CallSpec): CallOutcome {
    const listening = this.#socketOf(call);
    if (listening.listener === undefined) return { value: -1, errno: "EINVAL" };
    const connection = listening.listener.accept();
    if (connection === undefined) return wouldBlock;
    const socket = new ScriptSocket(listening.mptcp, listening.nonblocking && call.name === "accept4");
    socket.attach(connection);
    this.latestConnected = socket;
    return { value: this.#newDescriptor(socket) };
  }

  #listensForData(socket: ScriptSocket): boolean {
    const { fastOpen } = this.#configuration;
    if ((fastOpen & fastOpenBit.server) === 0) return false;
    return socket.fastOpen || (fastOpen & fastOpenBit.everyListener) !== 0;
  }

  #connect(call: CallSpec): PendingCall {
    const socket = this.#socketOf(call);
    const failed = socket.connection === undefined ? this.#open(socket, call.arguments[1], false) : undefined;
    return () => {
      if (failed !== undefined) return failed;
      const outcome = socket.connectOutcome();
      return outcome === wouldBlock && socket.nonblocking ? { value: -1, errno: "EINPROGRESS" } : outcome;
    };
  }

  /** MSG_FASTOPEN: with a cookie the data go with the SYN, and the call is over; without one it asks for one, and waits or has done nothing but that. */
  #sendFast(call: CallSpec): PendingCall {
    const socket = this.#socketOf(call);
    if ((this.#configuration.fastOpen & fastOpenBit.client) === 0) return () => ({ value: -1, errno: "EOPNOTSUPP" });
    if (socket.connection !== undefined) return () => socket.write(this.#length(call), this.#now);
    const failed = this.#open(socket, call.arguments[4], true);
    if (failed !== undefined) return () => failed;
    const { environment, subflows } = socket.connection!;
    const plan = environment.hostTcp.fastOpenCache.plan(subflows[0]!.endpoint.remoteAddress, this.#now);
    if (plan !== undefined && plan.cookie.length > 0) {
      const outcome = socket.write(this.#length(call), this.#now);
      return () => outcome;
    }
    return () => {
      const outcome = socket.connectOutcome();
      if (outcome === wouldBlock) return socket.nonblocking ? { value: -1, errno: "EINPROGRESS" } : outcome;
      return outcome.value === 0 ? socket.write(this.#length(call), this.#now) : outcome;
    };
  }

  /** undefined: the SYN is on its way. */
  #open(socket: ScriptSocket, address: Expression | undefined, fastOpen: boolean): CallResult | undefined {
    const given = socketAddress(address);
    const outcome = this.#withNetworkErrors(() => {
      const connection = this.#tested.host.connect(
        {
          remoteAddress: given?.address ?? this.#configuration.remoteAddress,
          remotePort: given?.port ?? this.#configuration.connectPort,
          mptcp: socket.mptcp,
          fastOpen,
          ...(socket.address !== undefined && { localAddress: socket.address }),
        },
        this.#now,
      );
      socket.attach(connection);
      this.latestConnected = socket;
    });
    return outcome.value < 0 ? outcome : undefined;
  }

  #withNetworkErrors(run: () => void): CallResult {
    try {
      run();
      return { value: 0 };
    } catch (error) {
      if (error instanceof NetworkError) return { value: -1, errno: error.code };
      throw error;
    }
  }

  #length(call: CallSpec): number {
    return integerOf(call.arguments[2], call.position, "a length");
  }

  #close(call: CallSpec): CallResult {
    return this.#socketOf(call).close(this.#now);
  }

  #shutdown(call: CallSpec): CallResult {
    const socket = this.#socketOf(call);
    const how = wordsIn(call.arguments[1])[0];
    if (socket.connection === undefined) return { value: -1, errno: "ENOTCONN" };
    if (how !== "SHUT_WR" && how !== "SHUT_RDWR") throw new ScriptUnsupported(call.position, `shutdown ${how}`);
    socket.connection.closeWrite(this.#now);
    return { value: 0 };
  }

  #setOption(call: CallSpec): CallResult {
    const socket = this.#socketOf(call);
    const name = wordsIn(call.arguments[2])[0] ?? "";
    const value = call.arguments[3];
    if (name === "SO_REUSEADDR") return { value: 0 };
    if (name === "SO_LINGER" && value?.kind === "structure") {
      const onoff = value.fields.get("onoff") ?? value.fields.get("l_onoff");
      const linger = value.fields.get("linger") ?? value.fields.get("l_linger");
      socket.lingerReset =
        integerOf(onoff, call.position, "onoff") === 1 && integerOf(linger, call.position, "linger") === 0;
      return { value: 0 };
    }
    if (name === "TCP_NODELAY" && value?.kind === "list" && socket.connection !== undefined) {
      socket.connection.noDelay = integerOf(value.items[0], call.position, "0 or 1") === 1;
      return { value: 0 };
    }
    if (name === "TCP_FASTOPEN" && value?.kind === "list" && socket.listener === undefined) {
      socket.fastOpen = integerOf(value.items[0], call.position, "how many may wait") > 0;
      return { value: 0 };
    }
    if (name === "TCP_USER_TIMEOUT" && value?.kind === "list" && socket.connection !== undefined) {
      socket.connection.setUserTimeout(integerOf(value.items[0], call.position, "milliseconds") * 1_000);
      return { value: 0 };
    }
    throw new ScriptUnsupported(call.position, `setsockopt ${name}`);
  }

  #getOption(call: CallSpec): CallResult {
    const socket = this.#socketOf(call);
    const name = wordsIn(call.arguments[2])[0] ?? "";
    const expected = call.arguments[3];
    if (name !== "SO_ERROR" || expected?.kind !== "list")
      throw new ScriptUnsupported(call.position, `getsockopt ${name}`);
    const actual = socket.takeError();
    const [wanted] = expected.items;
    const text = wanted?.kind === "word" ? wanted.name : `${integerOf(wanted, call.position, "an error")}`;
    if (text !== (actual ?? "0"))
      throw new ScriptFailure(call.position, `SO_ERROR: expected ${text}, actual ${actual ?? "0"}`);
    return { value: 0 };
  }

  #fileControl(call: CallSpec): CallResult {
    const socket = this.#socketOf(call);
    const command = wordsIn(call.arguments[1])[0];
    if (command === "F_GETFL") return { value: readWriteFlag | (socket.nonblocking ? nonblockFlag : 0) };
    if (command !== "F_SETFL") throw new ScriptUnsupported(call.position, `fcntl ${command}`);
    socket.nonblocking = wordsIn(call.arguments[2]).includes("O_NONBLOCK");
    return { value: 0 };
  }

  /** SIOCINQ: bytes that wait to be read. */
  #ioControl(call: CallSpec): CallResult {
    const socket = this.#socketOf(call);
    const command = wordsIn(call.arguments[1])[0];
    const expected = call.arguments[2];
    if ((command !== "SIOCINQ" && command !== "FIONREAD") || expected?.kind !== "list")
      throw new ScriptUnsupported(call.position, `ioctl ${command}`);
    const wanted = integerOf(expected.items[0], call.position, "a number of bytes");
    const actual = socket.connection?.readableBytes ?? 0;
    if (wanted !== actual) throw new ScriptFailure(call.position, `${command}: expected ${wanted}, actual ${actual}`);
    return { value: 0 };
  }

  #poll(call: CallSpec): CallOutcome {
    const [list] = call.arguments;
    if (list?.kind !== "list") throw new ScriptUnsupported(call.position, "poll without a list of descriptors");
    let ready = 0;
    const differences: string[] = [];
    for (const item of list.items) {
      if (item.kind !== "structure")
        throw new ScriptUnsupported(item.position, "poll of something other than {fd, events, revents}");
      const descriptor = integerOf(item.fields.get("fd"), item.position, "a file descriptor");
      const socket = this.sockets.get(descriptor);
      if (socket === undefined) throw new ScriptFailure(item.position, `${descriptor} is no open socket`);
      const events = pollEvents(socket) & (pollBits(item.fields.get("events")) | pollFlag.POLLERR | pollFlag.POLLHUP);
      if (events !== 0) ready++;
      const expected = item.fields.get("revents");
      if (expected !== undefined && pollBits(expected) !== events)
        differences.push(`fd ${descriptor}: expected revents ${pollBits(expected)}, actual ${events}`);
    }
    const timeout = integerOf(call.arguments[2], call.position, "a timeout");
    if (ready === 0 && timeout !== 0) return wouldBlock;
    if (differences.length > 0) throw new ScriptFailure(call.position, `poll: ${differences.join("; ")}`);
    return { value: ready };
  }
}

function pollEvents(socket: ScriptSocket): number {
  let events = 0;
  if (socket.readable) events |= pollFlag.POLLIN;
  if (socket.writable) events |= pollFlag.POLLOUT;
  if (socket.remoteEnded || socket.ended) events |= pollFlag.POLLRDHUP;
  if (socket.error !== undefined) events |= pollFlag.POLLERR;
  if (socket.ended) events |= pollFlag.POLLHUP;
  return events;
}

export function pollBits(expression: Expression | undefined): number {
  return wordsIn(expression).reduce(
    (bits, word) => bits | (Object.hasOwn(pollFlag, word) ? pollFlag[word as keyof typeof pollFlag] : 0),
    0,
  );
}

/** The names in `A`, `A|B`; none for anything else. */
export function wordsIn(expression: Expression | undefined): string[] {
  if (expression?.kind === "word") return [expression.name];
  return expression?.kind === "or" ? expression.operands.flatMap(wordsIn) : [];
}

export function integerOf(expression: Expression | undefined, position: Position, what: string): number {
  if (expression?.kind !== "integer")
    throw new ScriptUnsupported(expression?.position ?? position, `anything but a number for ${what}`);
  return Number(expression.value);
}

/** `{sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr("192.0.2.1")}`; undefined for `...`. */
export function socketAddress(
  expression: Expression | undefined,
): { address: string | undefined; port: number | undefined } | undefined {
  if (expression?.kind !== "structure") return undefined;
  const port = expression.fields.get("sin_port");
  const address = expression.fields.get("sin_addr");
  const portNumber = port?.kind === "application" ? port.arguments[0] : port;
  const addressText = address?.kind === "application" ? address.arguments[0] : address;
  return {
    port: portNumber?.kind === "integer" ? Number(portNumber.value) : undefined,
    address: addressText?.kind === "string" ? addressText.text : undefined,
  };
}
