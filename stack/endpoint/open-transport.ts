import { KernelTransport } from "./kernel/kernel-transport.ts";
import type { StartCommand } from "./protocol.ts";
import type { Transport, TransportObserver } from "./transport.ts";

export async function openTransport(transport: StartCommand["transport"], observer: TransportObserver): Promise<Transport> {
  switch (transport.kind) {
    case "kernel":
      return new KernelTransport();
    case "stack":
      throw new Error("not yet");
  }
}
