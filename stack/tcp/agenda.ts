/** What each of the endpoints that belong together has to do, side by side in memory: with eight subflows, to look at those that a segment has not touched would take longer than all that is done for it. */

const fewPlaces = 2;
/** Numbers of each place, and which they are. */
const stride = 4;
const timeout = 0;
const check = 1;
const held = 2;
const stirred = 3;

export class Agenda {
  #numbers = new Float64Array(stride * fewPlaces);

  /** For a new endpoint: nothing is set to any time, and it has something to do. */
  open(place: number): void {
    const at = stride * place;
    if (at >= this.#numbers.length) {
      const larger = new Float64Array(2 * at);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers.fill(Number.POSITIVE_INFINITY, at, at + stirred);
    this.#numbers[at + stirred] = 1;
  }

  /** When the earliest timer is due; NaN: the endpoint's timers have to be asked. Times are microseconds, Infinity for never. */
  timeoutAt(place: number): number {
    return this.#numbers[stride * place + timeout]!;
  }

  setTimeout(place: number, time: number): void {
    this.#numbers[stride * place + timeout] = time;
  }

  /** When the user looks after what TCP does not see. */
  checkAt(place: number): number {
    return this.#numbers[stride * place + check]!;
  }

  setCheck(place: number, time: number): void {
    this.#numbers[stride * place + check] = time;
  }

  /** When payload that the user holds back has waited for long enough. */
  heldUntil(place: number): number {
    return this.#numbers[stride * place + held]!;
  }

  setHeldUntil(place: number, time: number): void {
    this.#numbers[stride * place + held] = time;
  }

  /** Something has happened to the endpoint since it had nothing to send. */
  isStirred(place: number): boolean {
    return this.#numbers[stride * place + stirred] === 1;
  }

  setStirred(place: number, isStirred: boolean): void {
    this.#numbers[stride * place + stirred] = isStirred ? 1 : 0;
  }

  /** What stands at `from` of `other` stands at `place`, too. */
  copy(place: number, other: Agenda, from: number): void {
    this.open(place);
    for (let i = 0; i < stride; i++) this.#numbers[stride * place + i] = other.#numbers[stride * from + i]!;
  }
}

/** An endpoint's place in an agenda; it may move to another. */
export class AgendaEntry {
  #agenda: Agenda;
  #place: number;

  constructor(agenda: Agenda = new Agenda(), place = 0) {
    this.#agenda = agenda;
    this.#place = place;
    agenda.open(place);
  }

  /** With all that stands there. The place that it leaves is free. */
  move(agenda: Agenda, place: number): void {
    if (agenda === this.#agenda && place === this.#place) return;
    agenda.copy(place, this.#agenda, this.#place);
    this.#agenda = agenda;
    this.#place = place;
  }

  get timeout(): number {
    return this.#agenda.timeoutAt(this.#place);
  }

  set timeout(time: number) {
    this.#agenda.setTimeout(this.#place, time);
  }

  get heldUntil(): number {
    return this.#agenda.heldUntil(this.#place);
  }

  set heldUntil(time: number) {
    this.#agenda.setHeldUntil(this.#place, time);
  }

  set checkAt(time: number) {
    this.#agenda.setCheck(this.#place, time);
  }

  get stirred(): boolean {
    return this.#agenda.isStirred(this.#place);
  }

  set stirred(isStirred: boolean) {
    this.#agenda.setStirred(this.#place, isStirred);
  }
}
