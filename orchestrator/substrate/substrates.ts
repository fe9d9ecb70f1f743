import type { Substrate } from "./substrate.ts";

/** Loaded when asked for: who runs on namespaces need not wait for Docker's client. */
export async function substrateNamed(name: "namespaces" | "containers"): Promise<Substrate> {
  if (name === "namespaces") return (await import("./namespaces/namespaces.ts")).namespaces;
  return (await import("./containers/containers.ts")).containers;
}
