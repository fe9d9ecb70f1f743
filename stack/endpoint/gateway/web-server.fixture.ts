/** nginx on a machine of the gateway's lab, with files of its own. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GatewayLab } from "./gateway-lab.fixture.ts";

export class WebServer {
  /** Where its files lie. */
  readonly root: string = mkdtempSync(join(tmpdir(), "gateway-web-"));
  readonly #lab: GatewayLab;

  constructor(lab: GatewayLab) {
    this.#lab = lab;
    mkdirSync(join(this.root, "tmp"));
  }

  /** Resolves when it listens. `location`: what it does, in nginx's language. */
  async start(listen: readonly string[], location: string): Promise<void> {
    const { root } = this;
    const scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((of) => `${of}_temp_path ${root}/tmp;`);
    writeFileSync(
      join(root, "nginx.conf"),
      `user root; worker_processes 1; pid ${root}/pid; error_log ${root}/error.log;
      events { worker_connections 4096; }
      http {
        access_log off; keepalive_requests 100000; client_max_body_size 0; ${scratch.join(" ")}
        server { ${listen.map((each) => `listen ${each};`).join(" ")} root ${root}; location / { ${location} } }
      }`,
    );
    // The one that was started ends when another, in the background, has its sockets.
    await this.#lab.output("server", `nginx -c ${root}/nginx.conf -e ${root}/error.log`);
  }

  /** Resolves when it has ended: it takes files of its own away, and who does so at the same time may leave the others. */
  async close(): Promise<void> {
    const pid = readFileSync(join(this.root, "pid"), "utf8").trim();
    await this.#lab.output("server", `kill ${pid} && tail --pid=${pid} -f /dev/null`);
    rmSync(this.root, { recursive: true });
  }
}
