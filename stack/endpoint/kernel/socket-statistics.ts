/** The sockets of a network namespace as `ss -tMinOH` (iproute2) prints them, one line each. */

export interface TcpSocketLine {
  readonly protocol: "tcp";
  readonly state: string;
  readonly local: string;
  readonly remote: string;
  /** Bound device, where the kernel's path manager bound one. */
  readonly device?: string;
  readonly congestionWindowBytes: number;
  readonly slowStartThresholdBytes?: number;
  readonly smoothedRttMicroseconds: number;
  readonly bytesInFlight: number;
  readonly bytesAcked: number;
  readonly bytesReceived: number;
  readonly retransmissions: number;
  /** A subflow of an MPTCP connection: its upper-layer information. */
  readonly subflow?: { readonly localToken: string; readonly backup: boolean };
}

export interface MptcpSocketLine {
  readonly protocol: "mptcp";
  readonly state: string;
  readonly local: string;
  readonly remote: string;
  /** Hexadecimal; its subflows carry it as their local token. */
  readonly token?: string;
  readonly fallback: boolean;
}

export type SocketLine = TcpSocketLine | MptcpSocketLine;

/** Lines of other protocols are left out; a line that has not the expected columns is a SyntaxError, for then this `ss` is not the one that was read. */
export function parseSocketStatistics(output: string): SocketLine[] {
  const sockets: SocketLine[] = [];
  for (const line of output.split("\n")) {
    const words = line.trim().split(/\s+/);
    const [protocol, state, receiveQueue, sendQueue, localWord, remoteWord] = words;
    if (protocol !== "tcp" && protocol !== "mptcp") continue;
    if (!state || !/^\d+$/.test(`${receiveQueue}${sendQueue}`) || !localWord || !remoteWord) {
      throw new SyntaxError(`not a line of ss -tMinOH: ${line.trim()}`);
    }
    const { address: local, device } = parseEndpoint(localWord);
    const base = { state: stateName(state), local, remote: parseEndpoint(remoteWord).address };
    const fields = parseFields(words.slice(6));
    sockets.push(protocol === "tcp" ? { ...base, ...tcpFields(fields, device) } : { ...base, ...mptcpFields(fields) });
  }
  return sockets;
}

/** Keys with their values; a word without a colon is a key with an empty value. */
function parseFields(words: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const word of words) {
    const colon = word.indexOf(":");
    fields.set(colon < 0 ? word : word.slice(0, colon), colon < 0 ? "" : word.slice(colon + 1));
  }
  return fields;
}

function tcpFields(
  fields: ReadonlyMap<string, string>,
  device: string | undefined,
): Omit<TcpSocketLine, "state" | "local" | "remote"> {
  const number = (key: string): number => Number.parseFloat(fields.get(key) ?? "0");
  const segment = number("mss");
  const token = fields.get("token");
  const flags = fields.get("flags") ?? "";
  return {
    protocol: "tcp",
    ...(device !== undefined && { device }),
    congestionWindowBytes: number("cwnd") * segment,
    ...(fields.has("ssthresh") && { slowStartThresholdBytes: number("ssthresh") * segment }),
    smoothedRttMicroseconds: Math.round(number("rtt") * 1000),
    bytesInFlight: number("unacked") * segment,
    bytesAcked: number("bytes_acked"),
    bytesReceived: number("bytes_received"),
    // `retrans:in flight/total`
    retransmissions: Number(fields.get("retrans")?.split("/")[1] ?? 0),
    // `token:remote(id:n)/local(id:n)`; flags B and b: backup asked for by the peer, by us.
    ...(token !== undefined && { subflow: { localToken: localToken(token), backup: /b/i.test(flags) } }),
  };
}

function localToken(field: string): string {
  return field.slice(field.indexOf("/") + 1).replace(/\(.*$/, "");
}

function mptcpFields(fields: ReadonlyMap<string, string>): Omit<MptcpSocketLine, "state" | "local" | "remote"> {
  const token = fields.get("token");
  return { protocol: "mptcp", ...(token !== undefined && { token }), fallback: fields.has("fallback") };
}

function stateName(state: string): string {
  return state === "ESTAB" ? "established" : state === "UNCONN" ? "closed" : state.toLowerCase();
}

/** `10.0.2.1%wlan0:40000` ⇒ address `10.0.2.1:40000`, device `wlan0`. */
function parseEndpoint(word: string): { readonly address: string; readonly device?: string } {
  const match = /^(.*?)(?:%(\S+))?:(\d+|\*)$/.exec(word.replace("[::ffff:", "[").replace(/^\[([\d.]+)\]/, "$1"));
  if (!match) throw new SyntaxError(`not an address with a port: ${word}`);
  const [, address, device, port] = match;
  return { address: `${address}:${port}`, ...(device !== undefined && { device }) };
}
