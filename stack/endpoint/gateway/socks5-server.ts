/** SOCKS5 as another way into the gateway: for applications that can be told of a proxy, on machines where nobody may make a TUN device. */
import { lookup } from "node:dns/promises";
import { createServer, type Server, type Socket } from "node:net";
import { type IpAddress, parseIpAddress, unmapped } from "../../wire/ip-address.ts";
import { type ConnectFailure, socks5CodeOf } from "./connect-failure.ts";
import type { TransportAddress } from "./convert-message.ts";
import {
  socks5Reply,
  Socks5Negotiation,
  type Socks5Credentials,
  type Socks5Destination,
  writeReply,
} from "./socks5-negotiation.ts";
import type { EntranceOptions } from "./tun-entrance.ts";

/** Who connects and says nothing is not waited for longer than this. */
const patienceMilliseconds = 60_000;

export interface Socks5ServerOptions extends EntranceOptions {
  readonly credentials: Socks5Credentials | undefined;
}

/** Not listening yet. */
export function createSocks5Server(options: Socks5ServerOptions): Server {
  return createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => void serve(socket, options));
}

async function serve(
  socket: Socket,
  { credentials, connect, onConnected, onFailed }: Socks5ServerOptions,
): Promise<void> {
  socket.on("error", () => undefined);
  // While it is certain to be there: who has gone has no address.
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy();
  const giveUp = (): void => void socket.destroy();
  socket.setTimeout(patienceMilliseconds, giveUp);
  const asked = await negotiate(socket, new Socks5Negotiation(credentials));
  socket.setTimeout(0, giveUp);
  if (asked === undefined) return;
  const remote = await resolve(asked);
  if (socket.destroyed) return;
  if (remote === undefined) {
    socket.end(writeReply(socks5Reply.hostUnreachable));
    return;
  }
  const application = { address: addressOf(remoteAddress), port: remotePort };
  try {
    const far = await connect(remote, application);
    if (socket.destroyed) {
      far.resetAndDestroy();
      return;
    }
    socket.write(writeReply(socks5Reply.succeeded));
    onConnected(socket, far, remote);
  } catch (error) {
    const failure = error as ConnectFailure;
    onFailed(remote, failure);
    socket.end(writeReply(socks5CodeOf(failure)));
    socket.resume();
  }
}

/** As `node:net` tells it: IPv4 mapped into IPv6, and of IPv6 with the zone where it is of a link (RFC 4007 §11). */
function addressOf(text: string): IpAddress {
  return unmapped(parseIpAddress(text.replace(/%.*$/, ""))!);
}

/** What the client wants; undefined: nothing that it gets, and it has been told. */
function negotiate(socket: Socket, negotiation: Socks5Negotiation): Promise<Socks5Destination | undefined> {
  return new Promise((resolve) => {
    const finish = (destination: Socks5Destination | undefined): void => {
      socket.off("readable", onReadable).off("close", onGone).off("end", onGone);
      resolve(destination);
    };
    const onGone = (): void => {
      socket.destroy();
      finish(undefined);
    };
    const onReadable = (): void => {
      for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
        for (const { reply, destination, failed } of negotiation.push(chunk)) {
          if (reply !== undefined) socket.write(reply);
          if (failed === true) {
            finish(undefined);
            socket.end();
            socket.resume();
            return;
          }
          if (destination === undefined) continue;
          if (negotiation.rest.length > 0) socket.unshift(negotiation.rest);
          finish(destination);
          return;
        }
      }
    };
    socket.on("readable", onReadable).on("close", onGone).on("end", onGone);
  });
}

/** Names are looked up on this side, by the machine's resolver: the Convert Protocol knows addresses only (RFC 8803 §6.2.5). */
async function resolve({ host, isName, port }: Socks5Destination): Promise<TransportAddress | undefined> {
  try {
    const text = isName ? (await lookup(host)).address : host;
    const address = parseIpAddress(text);
    return address === undefined ? undefined : { address: unmapped(address), port };
  } catch {
    return undefined;
  }
}
