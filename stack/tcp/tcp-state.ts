/** States of RFC 9293 §3.3.2. LISTEN is the listener's, which makes an endpoint for each SYN. */
export type TcpState =
  | "closed"
  | "syn-sent"
  | "syn-received"
  | "established"
  | "fin-wait-1"
  | "fin-wait-2"
  | "close-wait"
  | "closing"
  | "last-ack"
  | "time-wait";

/** Of an endpoint that has sent a FIN. */
export function finIsAcknowledged(state: TcpState): boolean {
  return state === "fin-wait-2" || state === "time-wait" || state === "closed";
}
