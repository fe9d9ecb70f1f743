/** What a gateway writes: samples and events of its connections are the run's, the rest is its log. */
import type { EndpointRecord } from "../../../stack/endpoint/protocol.ts";

const observed = /^\{"type":"(?:metrics|event)",/;

export class GatewayRecords {
  readonly #onRecord: (record: EndpointRecord) => void;
  #rest = "";

  constructor(onRecord: (record: EndpointRecord) => void) {
    this.#onRecord = onRecord;
  }

  /** The lines of its standard output that `text` completes and that are not the run's. */
  takeFrom(text: string): string {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!;
    let log = "";
    for (const line of lines) {
      if (observed.test(line)) this.#onRecord(JSON.parse(line) as EndpointRecord);
      else log += `${line}\n`;
    }
    return log;
  }
}
