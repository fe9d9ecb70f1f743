/** What keeps a slow or a silent path from holding up the others, each with its switch: among them the mechanisms of Raiciu et al., NSDI'12 §4.2. All are on by default. */

export interface MultipathMechanisms {
  /** Mechanism 1: a subflow that may send nothing new sends again what a slower one holds. */
  readonly opportunisticRetransmission: boolean;
  /** Mechanism 2: the window of a subflow that holds up the others is halved, at most once in a round trip. Without mechanism 1 it has no occasion. */
  readonly penalisation: boolean;
  /** Mechanism 4: a subflow stops filling a deep buffer once its RTT has doubled. */
  readonly windowCapping: boolean;
  /** What a silent subflow holds is sent again on the others (RFC 8684 §3.3.6). Without it the stream waits until that subflow is heard of again, or has ended. */
  readonly reinjection: boolean;
}

export function chosenMechanisms(options: Partial<MultipathMechanisms>): MultipathMechanisms {
  const { opportunisticRetransmission = true, penalisation = true, windowCapping = true, reinjection = true } = options;
  return { opportunisticRetransmission, penalisation, windowCapping, reinjection };
}
