/** `GET /metrics`: the endpoint in Prometheus's exposition format. Loaded with the first scrape. */
import { Counter, Gauge, Registry } from "prom-client";
import type { Connection } from "../../host.ts";
import { linuxInfo, type SocketSubflowInfo } from "../../net/linux-info.ts";
import { formatEndpoint } from "../../wire/ip-address.ts";
import { type StatusSource, toldConnections } from "./status-source.ts";

type Labels = Readonly<Record<string, string>>;
type Report = (value: number, labels?: Labels) => void;

/** Seconds, as Prometheus has times. */
const seconds = (microseconds: number): number => microseconds / 1e6;

/** One registry, filled anew with each scrape: series of what has ended are gone from the next one. */
export class EndpointMetrics {
  readonly #source: StatusSource;
  #registry = new Registry();

  constructor(source: StatusSource) {
    this.#source = source;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    this.#registry = new Registry();
    this.#program();
    this.#hosts();
    this.#interfaces();
    this.#connections();
    this.#gateway();
    return this.#registry.metrics();
  }

  #program(): void {
    const { role, startedAt } = this.#source;
    const info = this.#gauge("pathlab_endpoint_info", "What runs; always 1.", ["role", "node"]);
    info(1, { role, node: process.version });
    this.#gauge(
      "pathlab_endpoint_start_time_seconds",
      "When the program began, in seconds since the epoch.",
    )(startedAt);
    const memory = this.#gauge("pathlab_endpoint_memory_bytes", "Memory of the process.", ["kind"]);
    const { rss, heapUsed, external } = process.memoryUsage();
    for (const [kind, bytes] of Object.entries({ resident: rss, heap: heapUsed, external })) memory(bytes, { kind });
    const { user, system } = process.cpuUsage();
    const cpu = this.#counter("pathlab_endpoint_cpu_seconds_total", "Processor time of the process.", ["mode"]);
    cpu(seconds(user), { mode: "user" });
    cpu(seconds(system), { mode: "system" });
  }

  #hosts(): void {
    const labels = ["host"];
    const connections = this.#gauge("pathlab_host_connections", "Connections, half-open and ending ones too.", labels);
    const subflows = this.#gauge("pathlab_host_subflows", "Subflows, those in TIME-WAIT too.", labels);
    const tokens = this.#gauge("pathlab_host_tokens", "Connections that peers may join (RFC 8684 §3.2).", labels);
    const waiting = this.#gauge("pathlab_host_waiting_frames", "Frames that wait for a hardware address.", labels);
    for (const { host } of this.#source.hosts) {
      const { name, holdings } = host;
      connections(holdings.connections, { host: name });
      subflows(holdings.subflows, { host: name });
      tokens(holdings.tokens, { host: name });
      waiting(holdings.waitingFrames, { host: name });
    }
  }

  #interfaces(): void {
    const labels = ["host", "interface"];
    const drops = this.#counter(
      "pathlab_interface_receive_dropped_frames_total",
      "Frames that the kernel could not store for us, and frames longer than a slot.",
      labels,
    );
    const overruns = this.#counter(
      "pathlab_interface_transmit_overruns_total",
      "Frames that the transmit queue had no room for.",
      labels,
    );
    const failures = this.#counter(
      "pathlab_interface_transmit_failures_total",
      "Frames that the device did not take, by error.",
      [...labels, "error"],
    );
    for (const { host, counters } of this.#source.hosts.map((each) => ({
      host: each.host.name,
      counters: each.counters(),
    })))
      for (const { interfaceName, receiveDrops, transmitOverruns, transmitFailures } of counters) {
        const labels = { host, interface: interfaceName };
        drops(receiveDrops, labels);
        overruns(transmitOverruns, labels);
        for (const [error, count] of Object.entries(transmitFailures)) failures(count, { ...labels, error });
      }
  }

  #connections(): void {
    const report = { connection: this.#connectionMetrics(), subflow: this.#subflowMetrics() };
    const untold = this.#gauge(
      "pathlab_host_connections_not_told",
      `Connections beyond the first ${toldConnections}, which have no series of their own.`,
      ["host"],
    );
    for (const observed of this.#source.hosts) {
      const { host } = observed;
      const { connections } = host;
      untold(Math.max(0, connections.length - toldConnections), { host: host.name });
      for (const connection of connections.slice(0, toldConnections)) report.connection(host.name, connection);
      for (const connection of connections.slice(0, toldConnections))
        for (const subflow of linuxInfo(connection, observed.now()).subflows)
          report.subflow(host.name, connection.id, subflow);
    }
  }

  #connectionMetrics(): (host: string, connection: Connection) => void {
    const labels = ["host", "connection", "peer"];
    const counter = (name: string, help: string): Report => this.#counter(`pathlab_connection_${name}`, help, labels);
    const gauge = (name: string, help: string): Report => this.#gauge(`pathlab_connection_${name}`, help, labels);
    const mptcp = gauge("mptcp", "1: the connection speaks MPTCP; 0: plain TCP, from the start or after a fallback.");
    const established = gauge("established", "1: the handshake is done.");
    const sent = counter("sent_bytes_total", "Bytes of data sent, each once (mptcpi_bytes_sent).");
    const acknowledged = counter("acknowledged_bytes_total", "Bytes that DATA_ACKs cover (mptcpi_bytes_acked).");
    const received = counter("received_bytes_total", "Bytes received in order (mptcpi_bytes_received).");
    const reassembly = gauge("reassembly_queue_bytes", "Bytes that wait for earlier ones.");
    const receiveQueue = gauge("receive_queue_bytes", "Bytes in order that the application has not read.");
    const sendWindow = gauge("send_window_bytes", "What the peer's window still allows.");
    const receiveWindow = gauge("receive_window_bytes", "The window that we tell.");
    const subflows = gauge("subflows", "Subflows of the connection.");
    return (host, connection) => {
      const info = connection.info();
      const peer = formatEndpoint(connection.remoteAddress, connection.remotePort);
      const of = { host, connection: String(info.id), peer };
      mptcp(info.mptcp ? 1 : 0, of);
      established(connection.established ? 1 : 0, of);
      sent(info.bytesSent, of);
      acknowledged(info.bytesAcked, of);
      received(info.bytesReceived, of);
      reassembly(info.reassemblyQueueBytes, of);
      receiveQueue(info.receiveQueueBytes, of);
      sendWindow(info.sendWindow, of);
      receiveWindow(info.receiveWindow, of);
      subflows(info.subflows.length, of);
    };
  }

  #subflowMetrics(): (host: string, connection: number, subflow: SocketSubflowInfo) => void {
    const labels = ["host", "connection", "subflow", "local", "remote", "interface"];
    const counter = (name: string, help: string): Report => this.#counter(`pathlab_subflow_${name}`, help, labels);
    const gauge = (name: string, help: string): Report => this.#gauge(`pathlab_subflow_${name}`, help, labels);
    const state = gauge("state", "TCP state, as numbered in tcpi_state: 1 ESTABLISHED, 2 SYN_SENT, 6 TIME_WAIT …");
    const backup = gauge("backup", "1: carries data only when no other can (RFC 8684 §3.3.8).");
    const stale = gauge("stale", "1: timeouts without an answer; carries no new data while others live.");
    const window = gauge("congestion_window_bytes", "Congestion window.");
    const threshold = gauge("slow_start_threshold_bytes", "Slow start threshold; +Inf before the first loss.");
    const rtt = gauge("smoothed_rtt_seconds", "Smoothed round-trip time (RFC 6298; tcpi_rtt).");
    const variation = gauge("rtt_variation_seconds", "Variation of the round-trip time (tcpi_rttvar).");
    const timeout = gauge("retransmission_timeout_seconds", "Retransmission timeout (tcpi_rto).");
    const inFlight = gauge("in_flight_bytes", "Bytes sent and not acknowledged.");
    const segmentSize = gauge("segment_size_bytes", "Payload of a full segment (tcpi_snd_mss).");
    const acknowledged = counter(
      "acknowledged_bytes_total",
      "Bytes that the peer has acknowledged (tcpi_bytes_acked).",
    );
    const received = counter("received_bytes_total", "Bytes received (tcpi_bytes_received).");
    const retransmitted = counter("retransmitted_segments_total", "Segments sent again (tcpi_total_retrans).");
    const sent = counter("sent_segments_total", "Segments sent, acknowledgements too (tcpi_segs_out).");
    const arrived = counter("received_segments_total", "Segments received (tcpi_segs_in).");
    const reinjections = counter("reinjections_total", "Times that data of another subflow was sent on this one.");
    const timeouts = counter("retransmission_timeouts_total", "Expirations of the retransmission timer.");
    return (host, connection, info) => {
      const of = {
        host,
        connection: String(connection),
        subflow: String(info.id),
        local: formatEndpoint(info.localAddress, info.localPort),
        remote: formatEndpoint(info.remoteAddress, info.remotePort),
        interface: info.interfaceName,
      };
      state(info.tcpi_state, of);
      backup(info.backup ? 1 : 0, of);
      stale(info.stale ? 1 : 0, of);
      window(info.congestionWindow, of);
      threshold(info.slowStartThreshold, of);
      rtt(seconds(info.smoothedRttMicroseconds), of);
      variation(seconds(info.rttVarMicroseconds), of);
      timeout(seconds(info.tcpi_rto), of);
      inFlight(info.bytesInFlight, of);
      segmentSize(info.tcpi_snd_mss, of);
      acknowledged(info.bytesAcked, of);
      received(info.bytesReceived, of);
      retransmitted(info.retransmissions, of);
      sent(info.tcpi_segs_out, of);
      arrived(info.tcpi_segs_in, of);
      reinjections(info.reinjections, of);
      timeouts(info.rtoCount, of);
    };
  }

  #gateway(): void {
    const counters = this.#source.gateway?.();
    if (counters === undefined) return;
    const connections = this.#counter(
      "pathlab_gateway_connections_total",
      "Connections of applications that have ended, by how: carried well, broken, or refused before they began.",
      ["outcome"],
    );
    for (const outcome of ["carried", "broken", "refused"] as const) connections(counters[outcome], { outcome });
    const bytes = this.#counter(
      "pathlab_gateway_carried_bytes_total",
      "Bytes of ended connections: up from the application to the server, down from the server.",
      ["direction"],
    );
    bytes(counters.bytesUp, { direction: "up" });
    bytes(counters.bytesDown, { direction: "down" });
  }

  #gauge(name: string, help: string, labelNames: readonly string[] = []): Report {
    const gauge = new Gauge({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
    return (value, labels = {}) => gauge.set({ ...labels }, value);
  }

  #counter(name: string, help: string, labelNames: readonly string[] = []): Report {
    const counter = new Counter({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
    return (value, labels = {}) => counter.inc({ ...labels }, value);
  }
}
