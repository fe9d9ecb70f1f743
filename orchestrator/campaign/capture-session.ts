/** The capture process of a run: every interface of every host into one file. */
import type { CaptureConfig, CaptureLine } from "../capture/protocol.ts";
import { programFile } from "../substrate/prerequisites/programs.ts";
import type { Lab } from "../substrate/substrate.ts";
import { LineClient } from "./line-client.ts";
import type { LineProcessError } from "./line-client.ts";

export class CaptureSession {
  /** Resolves with what stopped it before its time (a disk that is full, an interface that vanished). */
  readonly failed: Promise<LineProcessError>;
  readonly #client: LineClient<CaptureLine>;

  private constructor(client: LineClient<CaptureLine>) {
    this.#client = client;
    this.failed = client.failed;
  }

  /** Resolves when every interface is being captured. */
  static async start(lab: Lab, file: string, signal: AbortSignal): Promise<CaptureSession> {
    const client = new LineClient<CaptureLine>(
      await lab.spawnBeside({ name: "capture", argv: [process.execPath, programFile("capture")] }),
    );
    const hosts = lab.plan.nodes.filter(({ kind }) => kind === "host");
    const config: CaptureConfig = {
      interfaces: hosts.flatMap(({ name: host, interfaces }) =>
        interfaces.map(({ name }) => ({
          namespacePath: lab.networkNamespace(host),
          interfaceName: name,
          displayName: `${host}/${name}`,
        })),
      ),
      file,
      snapLength: lab.plan.capture.snapLength,
    };
    client.say(config);
    await client.next("ready", signal);
    return new CaptureSession(client);
  }

  get stderrTail(): string {
    return this.#client.stderrTail;
  }

  /** Writes what is still on its way and closes the file. */
  async stop(): Promise<void> {
    await this.#client.finish();
  }
}
