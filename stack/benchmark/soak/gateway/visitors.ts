/**
 * `visitors.ts ADDRESS PORT SOCKSPORT`: applications of every kind, well-behaved and not, by the machine's routes and by SOCKS5 on the loopback. Each line on the standard
 * input, a number of connections and how many of them at a time, is answered by one with what became of them.
 */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** By what they did: how many came to the end that they were to have, and what went wrong with the others. */
export interface VisitReport {
  readonly visits: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

const [address = "", port = "", socksPort = ""] = process.argv.slice(2);
const patienceMilliseconds = 120_000;
const refusedPort = 9;
const piece = Buffer.alloc(16_384, "an upload ");

/** An end that was not the one to be had. */
const wrong = (what: string): never => {
  throw new Error(what);
};

type End = { readonly bytes: number; readonly text: string; readonly error: string | undefined };

/** All that comes until the socket is closed. */
function ended(socket: Socket): Promise<End> {
  return new Promise((resolve) => {
    let bytes = 0;
    let text = "";
    let error: string | undefined;
    socket
      .setTimeout(patienceMilliseconds, () => socket.destroy(new Error("silent for too long")))
      .on("data", (data: Buffer) => {
        bytes += data.length;
        text = data.toString("latin1", 0, 32);
      })
      .on("error", (reason: NodeJS.ErrnoException) => (error = reason.code ?? reason.message))
      .on("close", () => resolve({ bytes, text, error }));
  });
}

const requestTo = (to: number): Buffer =>
  Buffer.from([5, 1, 0, 1, ...address.split(".").map(Number), to >> 8, to & 255]);

/** An open connection: by the machine's routes, or through the proxy. Rejects with what the connect, or the proxy, says. */
async function open(way: Way, to = Number(port)): Promise<Socket> {
  const socket = connect({
    ...(way === "route" ? { host: address, port: to } : { host: "127.0.0.1", port: Number(socksPort) }),
    allowHalfOpen: true,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve).once("error", reject);
  });
  if (way === "route") return socket;
  socket.write(Buffer.concat([Buffer.from([5, 1, 0]), requestTo(to)]));
  const answer = await read(socket, 12);
  if (answer[3] !== 0) {
    socket.destroy();
    throw Object.assign(new Error(`the proxy says ${answer[3]}`), {
      code: answer[3] === 5 ? "ECONNREFUSED" : "ESOCKS",
    });
  }
  return socket;
}

/** So many bytes: of the choice of a method, and of the reply. */
function read(socket: Socket, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const onReadable = (): void => {
      const got = socket.read(length) as Buffer | null;
      if (got === null) return;
      socket.off("readable", onReadable).off("error", reject).off("end", onEnd);
      resolve(got);
    };
    const onEnd = (): void => reject(new Error("the proxy ended the connection"));
    socket.on("readable", onReadable).once("error", reject).once("end", onEnd);
  });
}

type Way = "route" | "proxy";
type Visit = (way: Way) => Promise<unknown>;

async function asked(way: Way, order: string): Promise<Socket> {
  const socket = await open(way);
  socket.write(`${order}\n`);
  return socket;
}

/** Each resolves when its connection is gone, and rejects when it ended as it should not have. */
const kinds: Readonly<Record<string, Visit>> = {
  async "reads to the end"(way) {
    const socket = await asked(way, "send 20000");
    socket.on("end", () => socket.end());
    const { bytes, error } = await ended(socket);
    if (bytes !== 20_000 || error !== undefined) wrong(`${bytes} bytes, ${error}`);
  },
  async "closes first"(way) {
    const socket = await asked(way, "keep 5000");
    let left = 5_000;
    socket.on("data", (data: Buffer) => (left -= data.length) === 0 && socket.end());
    const { bytes, error } = await ended(socket);
    if (bytes !== 5_000 || error !== undefined) wrong(`${bytes} bytes, ${error}`);
  },
  async "sends, and then hears how much came"(way) {
    const socket = await asked(way, "count");
    for (let i = 0; i < 4; i++) socket.write(piece);
    socket.end();
    const { text, error } = await ended(socket);
    if (text !== "65536" || error !== undefined) wrong(`"${text}", ${error}`);
  },
  async "reads slowly"(way) {
    const socket = await asked(way, "send 1000000");
    socket.on("data", () => {
      socket.pause();
      setTimeout(() => socket.resume(), 10);
    });
    socket.on("end", () => socket.end());
    const { bytes, error } = await ended(socket);
    if (bytes !== 1_000_000 || error !== undefined) wrong(`${bytes} bytes, ${error}`);
  },
  async "reads nothing, and resets"(way) {
    const socket = await asked(way, "send 3000000");
    socket.pause();
    setTimeout(() => socket.resetAndDestroy(), 200);
    await new Promise((resolve) => socket.on("error", () => undefined).on("close", resolve));
  },
  async "resets in the middle of a download"(way) {
    const socket = await asked(way, "send 3000000");
    socket.once("data", () => socket.resetAndDestroy());
    await ended(socket);
  },
  async "is reset in the middle of a download"(way) {
    const socket = await asked(way, "reset 300000");
    const { error } = await ended(socket);
    if (error !== "ECONNRESET") wrong(`${error}, for a reset`);
  },
  async "sends what nobody reads, and resets"(way) {
    const socket = await asked(way, "ignore");
    for (let i = 0; i < 100; i++) socket.write(piece);
    setTimeout(() => socket.resetAndDestroy(), 200);
    await ended(socket);
  },
  async "is refused"(way) {
    const refusal = await open(way, refusedPort).then(
      (socket) => void socket.destroy(),
      ({ code }: NodeJS.ErrnoException) => code,
    );
    if (refusal !== "ECONNREFUSED") wrong(`${refusal}, for a refusal`);
  },
  async "goes before it is answered"(way) {
    const socket = way === "route" ? connect(Number(port), address) : connect(Number(socksPort), "127.0.0.1");
    if (way === "proxy") socket.write(Buffer.concat([Buffer.from([5, 1, 0]), requestTo(Number(port))]));
    setTimeout(() => socket.destroy(), Math.random() * 20);
    await ended(socket);
  },
  async "says nothing, and goes"(way) {
    const socket =
      way === "route" ? await open(way) : connect({ port: Number(socksPort), host: "127.0.0.1", allowHalfOpen: true });
    socket.end();
    await ended(socket);
  },
};

async function visit(count: number, atATime: number): Promise<VisitReport> {
  const visits: Record<string, number> = {};
  const problems: string[] = [];
  const names = Object.keys(kinds);
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) {
      const turn = next++;
      const name = names[turn % names.length]!;
      const way: Way = Math.floor(turn / names.length) % 2 === 0 ? "route" : "proxy";
      try {
        await kinds[name]!(way);
        visits[name] = (visits[name] ?? 0) + 1;
      } catch (error) {
        problems.push(`${name} (${way}): ${(error as Error).message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: atATime }, one));
  return { visits, problems: problems.slice(0, 20) };
}

for await (const line of createInterface(process.stdin)) {
  const [count, atATime] = line.split(" ").map(Number);
  process.stdout.write(`${JSON.stringify(await visit(count!, atATime!))}\n`);
}
