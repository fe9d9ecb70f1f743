/** Bulk transfer straight on the stack, without sockets: what stack/net costs is the difference. */

import type { Connection } from "../host.ts";
import type { Driver } from "../io/driver.ts";
import { type Application, say, type Tally } from "./application.ts";
import type { EndTask, Service } from "./end-protocol.ts";

const nothing = (): void => undefined;
const chunk = new Uint8Array(1 << 20);
/** As the kernel's end, the application reads into one memory again and again. */
const received = new Uint8Array(1 << 17);

export class HostApplication implements Application {
  readonly #driver: Driver;
  readonly #address: string;
  readonly #port: number;
  readonly #tally: Tally;

  constructor(driver: Driver, address: string, port: number, tally: Tally) {
    this.#driver = driver;
    this.#address = address;
    this.#port = port;
    this.#tally = tally;
  }

  serve(service: Service): void {
    if (service !== "discard") throw new Error(`straight on the stack there is no service "${service}"`);
    const listener = this.#driver.host.listen({ port: this.#port }, this.#driver.now());
    listener.onConnection = () => {
      for (let connection = listener.accept(); connection !== undefined; connection = listener.accept())
        this.#observe(connection, { onReadable: read(connection) });
    };
    const read = (connection: Connection) => (): void => {
      const now = this.#driver.now();
      for (let bytes = -1; bytes !== 0; this.#tally.bytes += bytes) bytes = connection.readInto(received, now);
      connection.offer(received);
      this.#driver.wake();
    };
  }

  run(task: Exclude<EndTask, { mode: "serve" }>): void {
    if (task.mode !== "stream") throw new Error(`straight on the stack there is no "${task.mode}"`);
    const now = this.#driver.now();
    const connection = this.#driver.host.connect({ remoteAddress: this.#address, remotePort: this.#port }, now);
    const write = (): void => {
      let taken;
      do {
        taken = connection.write(chunk, this.#driver.now());
        this.#tally.bytes += taken;
      } while (taken === chunk.length);
      this.#driver.wake();
    };
    this.#observe(connection, {
      onEstablished: () => {
        say({ connected: true });
        write();
      },
      onWritable: write,
    });
    this.#driver.wake();
  }

  #observe(
    connection: Connection,
    told: { onReadable?: () => void; onEstablished?: () => void; onWritable?: () => void },
  ) {
    connection.observer = {
      onEstablished: nothing,
      onReadable: nothing,
      onWritable: nothing,
      onRemoteEnd: nothing,
      onClosed: nothing,
      ...told,
    };
  }
}
