/** Which of the script's connections a packet belongs to: by what it says of addresses, otherwise the one that was last spoken of. */

import type { AddressTable } from "./address-table.ts";
import type { Endpoint } from "./flow.ts";
import { Flow } from "./flow.ts";
import type { ScriptConfiguration } from "./script-configuration.ts";
import { ScriptFailure } from "./script-error.ts";
import { Session } from "./session.ts";
import type { AddressRef, PacketSpec, TcpSpec } from "./syntax.ts";
import { flagsFromLetters, type WireSegment } from "./wire-segment.ts";

const synFlag = 2;
const ackFlag = 16;
/** Nonces of the script's own joins: one for each connection, so that a mix-up shows. */
const firstNonce = 0x1000;

export class FlowTable {
  readonly flows: Flow[] = [];
  current: Flow | undefined;
  readonly #configuration: ScriptConfiguration;
  readonly #addresses: AddressTable;
  #session: Session | undefined;

  constructor(configuration: ScriptConfiguration, addresses: AddressTable) {
    this.#configuration = configuration;
    this.#addresses = addresses;
  }

  /** The flow of a packet that the script sends; a SYN may begin one. @throws ScriptFailure */
  forInbound(packet: PacketSpec, tcp: TcpSpec): Flow {
    const isOpening = (flagsFromLetters(tcp.flags) & (synFlag | ackFlag)) === synFlag;
    const isJoin = tcp.options?.some(({ kind }) => kind === "mp_join_syn") ?? false;
    const { source, destination } = packet;
    const known = this.#find(destination, source);
    const isNew = known === undefined || (isJoin && source === undefined);
    if (!isNew) return known;
    if (!isOpening && this.flows.length > 0) {
      throw new ScriptFailure(packet.position, "no connection with these addresses");
    }
    const local = destination === undefined ? undefined : this.#addresses.get(destination);
    const remote = source === undefined ? this.#remoteAddress : (this.#addresses.get(source) ?? this.#newRemote());
    const flow = this.#add(
      { address: local ?? this.#localAddress, port: destination?.port ?? this.#configuration.bindPort },
      { address: remote, port: source?.port ?? this.#addresses.allocatePort() },
      isJoin,
    );
    flow.remoteInitial = tcp.sequence;
    this.#learn(destination, source, flow);
    return flow;
  }

  /** The flow of a captured packet; the host's SYN begins one, and so does a reset that answers nothing. */
  forCaptured(segment: WireSegment): Flow {
    const { source, destination } = segment;
    const known = this.flows.findLast((flow) => same(flow.local, source) && same(flow.remote, destination));
    if (known !== undefined) return known;
    return this.#add(
      source,
      destination,
      segment.options.some(({ kind }) => kind === "mp_join_syn"),
    );
  }

  /** Whether a captured packet's flow is the one that a statement names; unknown names then mean what is seen. */
  matches(packet: PacketSpec, flow: Flow): boolean {
    const { source, destination } = packet;
    if (source === undefined && destination === undefined) return true;
    const named = this.#find(source, destination);
    if (named !== undefined) return named === flow;
    return this.#fits(source, flow.local) && this.#fits(destination, flow.remote);
  }

  learnOutbound(packet: PacketSpec, flow: Flow): void {
    this.#learn(packet.source, packet.destination, flow);
  }

  /** MP_CAPABLE begins a connection, MP_JOIN belongs to the one that was begun last. */
  assignSession(flow: Flow, tcp: TcpSpec): void {
    if (flow.session !== undefined) return;
    const kinds = new Set(tcp.options?.map(({ kind }) => kind));
    if (kinds.has("mpcapable")) {
      this.#session = new Session();
      flow.session = this.#session;
    } else if (flow.isJoin) flow.session = this.#session;
  }

  get #localAddress(): string {
    return this.#configuration.localAddress;
  }

  get #remoteAddress(): string {
    return this.#configuration.remoteAddress;
  }

  /** The first name that a script gives its own side means the usual address. */
  #newRemote(): string {
    return this.flows.length === 0 ? this.#remoteAddress : this.#addresses.allocateRemote();
  }

  #add(local: Endpoint, remote: Endpoint, isJoin: boolean): Flow {
    const flow = new Flow(local, remote, isJoin, firstNonce + this.flows.length);
    this.flows.push(flow);
    return flow;
  }

  /** Names stand for the connection with which they came up; without any, it is the current one. */
  #find(local: AddressRef | undefined, remote: AddressRef | undefined): Flow | undefined {
    if (local === undefined && remote === undefined) return this.current;
    const fits = (flow: Flow): boolean => this.#fitsKnown(local, flow.local) && this.#fitsKnown(remote, flow.remote);
    const candidates = this.flows.filter(fits);
    if (candidates.length > 0) return candidates.includes(this.current!) ? this.current : candidates.at(-1);
    return undefined;
  }

  #fitsKnown(reference: AddressRef | undefined, endpoint: Endpoint): boolean {
    if (reference === undefined) return true;
    const address = this.#addresses.get(reference);
    return address === endpoint.address && (reference.port === undefined || reference.port === endpoint.port);
  }

  #fits(reference: AddressRef | undefined, endpoint: Endpoint): boolean {
    if (reference === undefined || this.#addresses.get(reference) === undefined) return true;
    return this.#fitsKnown(reference, endpoint);
  }

  #learn(local: AddressRef | undefined, remote: AddressRef | undefined, flow: Flow): void {
    if (local !== undefined && this.#addresses.get(local) === undefined)
      this.#addresses.learn(local, flow.local.address);
    if (remote !== undefined && this.#addresses.get(remote) === undefined)
      this.#addresses.learn(remote, flow.remote.address);
  }
}

function same(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address && a.port === b.port;
}
