/** How the program ends: 0 done, 1 the transfer failed, 2 usage, 3 the machine lacks something, 4 internal; 129, 130 and 143 after a signal. */

export const exitCode = { done: 0, failed: 1, usage: 2, machine: 3, internal: 4 } as const;

/** A call that cannot be: what was found, and what would do. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Codes by which the machine says that it lacks something (a device, a right, a program, memory), as opposed to a mistake of ours. */
export const machineErrors: ReadonlySet<string> = new Set([
  "EPERM",
  "EACCES",
  "ENODEV",
  "ENOENT",
  "ENXIO",
  "EBUSY",
  "ENOMEM",
  "ENOBUFS",
  "EMFILE",
  "EAFNOSUPPORT",
  "ERR_DLOPEN_FAILED",
]);

/** What a person can do about it. */
const remedies: Readonly<Record<string, string>> = {
  EPERM: "packet sockets need root, or CAP_NET_RAW (setcap cap_net_raw+ep on a node of your own)",
  EACCES: "packet sockets need root, or CAP_NET_RAW (setcap cap_net_raw+ep on a node of your own)",
  ENODEV: "`ip link` lists the interfaces of this machine",
  ERR_DLOPEN_FAILED: "the native addon is for another kind of processor: build it there, and name it in PATHLAB_NATIVE",
};

export function remedyOf(code: string | undefined): string {
  const remedy = code === undefined ? undefined : remedies[code];
  return remedy === undefined ? "" : `: ${remedy}`;
}
