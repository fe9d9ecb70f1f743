/** The moment that a reader looks at, shared by all charts and the timeline: shown while pointed at, kept when clicked. Seconds since the run's zero. */
export interface Moment {
  readonly pointed: number | undefined;
  readonly pinned: number | undefined;
}

type Listener = (moment: Moment) => void;

let current: Moment = { pointed: undefined, pinned: undefined };
const listeners: Listener[] = [];

export function onMoment(listener: Listener): void {
  listeners.push(listener);
}

export function point(seconds: number | undefined): void {
  if (seconds === current.pointed) return;
  current = { ...current, pointed: seconds };
  for (const listener of listeners) listener(current);
}

/** The same moment again lets go of it. */
export function pin(seconds: number): void {
  current = { ...current, pinned: seconds === current.pinned ? undefined : seconds };
  for (const listener of listeners) listener(current);
}

export function currentMoment(): Moment {
  return current;
}
