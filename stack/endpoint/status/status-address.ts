/** Where the status is served: a file of the file system, or a port of an address of this machine. */
import { isIP } from "node:net";

export type StatusAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** `/run/endpoint.sock`, `9100` (on 127.0.0.1), `127.0.0.1:9100`, `[::1]:9100`; undefined: none of these. */
export function parseStatusAddress(text: string): StatusAddress | undefined {
  if (text.includes("/")) return { kind: "unix", path: text };
  const [, host = "127.0.0.1", digits = ""] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  const bare = /^\[(.+)\]$/.exec(host)?.[1] ?? host;
  const port = Number(digits);
  if (digits === "" || port > 65_535 || isIP(bare) === 0) return undefined;
  return { kind: "tcp", host: bare, port };
}
