/** `serve`: the small services that tests of a network have had since 1983: echo (RFC 862), discard (RFC 863), character generator (RFC 864). */
import { once } from "node:events";
import type { MptcpSocket } from "../../net/net.ts";
import { ends } from "./byte-pipe.ts";
import type { Endpoint } from "./endpoint.ts";

export const serviceNames = ["echo", "discard", "chargen"] as const;
export type ServiceName = (typeof serviceNames)[number];

const services: Readonly<Record<ServiceName, (socket: MptcpSocket) => void>> = {
  echo: (socket) => void socket.pipe(socket),
  discard: (socket) => void socket.resume().once("end", () => socket.end()),
  chargen: (socket) => {
    const more = (): void => {
      while (!socket.writableEnded && socket.write(characters));
    };
    socket
      .on("drain", more)
      .resume()
      .once("end", () => socket.end());
    more();
  },
};

/** RFC 864 §: 95 printing characters, lines of 72, each begins one further. Sixty-four kilobytes of it, over and over. */
const characters: Buffer = characterLines(880);

/** Listens for each of `ports`; ends with the signal. */
export async function serve(
  endpoint: Endpoint,
  ports: Readonly<Partial<Record<ServiceName, number>>>,
  signal: AbortSignal,
): Promise<never> {
  const { fastOpen = false } = endpoint.options;
  for (const [name, port] of Object.entries(ports) as [ServiceName, number][]) {
    const server = endpoint.net.createServer(endpoint.socketOptions, (socket) => {
      endpoint.log.debug("accepted", { service: name, ...ends(socket) });
      signal.addEventListener("abort", () => socket.destroy(), { once: true });
      socket.on("error", ({ message }) => endpoint.log.warning(message, { service: name }));
      services[name](socket);
    });
    server.listen({ port, fastOpen, signal });
    await once(server, "listening");
    endpoint.log.info("listening", { service: name, port });
  }
  return new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

function characterLines(count: number): Buffer {
  const printing = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");
  const line = (start: number): string => `${(printing + printing).slice(start, start + 72)}\r\n`;
  return Buffer.from(Array.from({ length: count }, (_, i) => line(i % 95)).join(""), "latin1");
}
