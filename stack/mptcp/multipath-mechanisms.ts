/** What keeps a slow path from holding up a fast one: the mechanisms of Raiciu et al., NSDI'12 §4.2, each with its switch. All are on by default. */

export interface MultipathMechanisms {
  /** Mechanism 1: a subflow that may send nothing new sends again what a slower one holds. */
  readonly opportunisticRetransmission: boolean;
  /** Mechanism 2: the window of a subflow that holds up the others is halved, at most once in a round trip. Without mechanism 1 it has no occasion. */
  readonly penalisation: boolean;
  /** Mechanism 4: a subflow stops filling a deep buffer once its RTT has doubled. */
  readonly windowCapping: boolean;
}

export function chosenMechanisms(options: Partial<MultipathMechanisms>): MultipathMechanisms {
  const { opportunisticRetransmission = true, penalisation = true, windowCapping = true } = options;
  return { opportunisticRetransmission, penalisation, windowCapping };
}
