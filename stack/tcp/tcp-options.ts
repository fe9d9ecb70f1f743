/** How the subflows of a host behave where TCP leaves a choice. */

export interface KeepAliveOptions {
  /** Silence before the first probe; where there is no reason for another, two hours (RFC 9293 §3.8.4, MUST-28). */
  idleMicroseconds: number;
  /** Between probes that nobody answers. */
  intervalMicroseconds: number;
  /** So many unanswered probes end the subflow. */
  probes: number;
}

export interface UserTimeoutOption {
  /** L_LIMIT: a peer that asks for less is not followed below this; default 100 s. */
  readonly lowerLimitMicroseconds?: number;
  /** U_LIMIT: the longest that a peer may ask for; default an hour. */
  readonly upperLimitMicroseconds?: number;
}

export type SynCookiePolicy = "never" | "when-full" | "always";

export interface TcpOptions {
  /** undefined: off, as it has to be by default (RFC 9293 §3.8.4, MUST-25). */
  readonly keepAlive?: KeepAliveOptions;
  /** How long data may stay unacknowledged before the subflow is given up (RFC 5482 §3.1); default 120 s (RFC 9293 §3.8.3, R2: at least 100 s). Where it is given, no peer changes it. */
  readonly userTimeoutMicroseconds?: number;
  /** Tell peers the user timeout, and adopt theirs within limits (RFC 5482); undefined: off, as it has to be by default (§3.1). */
  readonly userTimeoutOption?: UserTimeoutOption;
  /** When listeners answer SYNs without remembering them (RFC 4987 §3.6); default "when-full", when the backlog is. */
  readonly synCookies?: SynCookiePolicy;
  /** How many connections are kept in TIME-WAIT; beyond that the oldest is forgotten. Default 16384. */
  readonly timeWaitLimit?: number;
  /** Spread data over the round trip instead of sending bursts (RFC 9002 §7.7); default true. */
  readonly pacing?: boolean;
  /** Ask for and grant explicit congestion notification (RFC 3168); default false. */
  readonly explicitCongestionNotification?: boolean;
}
