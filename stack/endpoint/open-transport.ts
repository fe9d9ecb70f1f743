import { KernelTransport } from "./kernel/kernel-transport.ts";
import type { StartCommand } from "./protocol.ts";
import type { Transport, TransportObserver } from "./transport.ts";

/** Rejects with the machine's code (ENODEV, EPERM …), or with ConfigurationError. */
export async function openTransport(
  transport: StartCommand["transport"],
  observer: TransportObserver,
): Promise<Transport> {
  if (transport.kind === "kernel") return new KernelTransport();
  // A kernel endpoint has no use for the stack, nor for its native code.
  const { rehearse } = await import("./stack/rehearsal.ts");
  const { StackTransport } = await import("./stack/stack-transport.ts");
  await rehearse(transport.options.interfaces[0]!);
  if (transport.modules === undefined) return new StackTransport(transport, observer);
  const { importAlgorithms } = await import("./stack/import-algorithms.ts");
  return new StackTransport(transport, observer, await importAlgorithms(transport.modules));
}
