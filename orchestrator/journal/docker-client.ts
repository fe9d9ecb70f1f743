import type Docker from "dockerode";

export type { Container, Exec, ExecInspectInfo } from "dockerode";
export type DockerClient = Docker;

/** Labels of every container that we make. */
export const labLabel = "pathlab.lab";
export const nodeLabel = "pathlab.node";
/** Label of every image that we make: the hash of its recipe. */
export const recipeLabel = "pathlab.recipe";

let client: Promise<Docker> | undefined;

/** The daemon of `$DOCKER_HOST` or of the default socket. Loaded when first asked for: the library takes 0.3 s. */
export function dockerClient(): Promise<Docker> {
  client ??= import("dockerode").then(({ default: Client }) => new Client());
  return client;
}

/** The HTTP status that the daemon answered with, or undefined when the error is of another kind. */
export function dockerStatus(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown }).statusCode;
  return typeof status === "number" ? status : undefined;
}
