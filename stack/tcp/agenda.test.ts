import { expect } from "chai";
import fc from "fast-check";
import { Agenda, AgendaEntry } from "./agenda.ts";

interface Numbers {
  timeout: number;
  heldUntil: number;
  checkAt: number;
  stirred: boolean;
}

const numbers: fc.Arbitrary<Numbers> = fc.record({
  timeout: fc.oneof(fc.nat(), fc.constant(Number.NaN)),
  heldUntil: fc.nat(),
  checkAt: fc.nat(),
  stirred: fc.boolean(),
});

function standing(agenda: Agenda, place: number): Numbers {
  return {
    timeout: agenda.timeoutAt(place),
    heldUntil: agenda.heldUntil(place),
    checkAt: agenda.checkAt(place),
    stirred: agenda.isStirred(place),
  };
}

describe("Agenda", () => {
  it("has a new endpoint stirred, with nothing set to any time, also at a place that another has left", () => {
    const agenda = new Agenda();
    const left = new AgendaEntry(agenda, 0);
    left.timeout = 1;
    left.heldUntil = 2;
    left.checkAt = 3;
    left.stirred = false;
    left.move(new Agenda(), 0);
    const entry = new AgendaEntry(agenda, 0);
    const never = Number.POSITIVE_INFINITY;
    expect(standing(agenda, 0)).to.deep.equal({ timeout: never, heldUntil: never, checkAt: never, stirred: true });
    left.timeout = 4;
    expect(entry.timeout).to.equal(never);
  });

  it("keeps what each entry was given, however many there are and whichever leave", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(numbers, fc.boolean()), { maxLength: 40 }), (given) => {
        const agenda = new Agenda();
        const entries = given.map(([values], place) => Object.assign(new AgendaEntry(agenda, place), values));
        const leaving = entries.filter((_entry, place) => given[place]![1]);
        for (const entry of leaving) entry.move(new Agenda(), 0);
        const staying = entries.filter((entry) => !leaving.includes(entry));
        for (const [place, entry] of staying.entries()) entry.move(agenda, place);
        // Those that have left write elsewhere.
        for (const entry of leaving) entry.stirred = !entry.stirred;
        const expected = given.filter(([, leaves]) => !leaves).map(([values]) => values);
        expect(expected.map((_values, place) => standing(agenda, place))).to.deep.equal(expected);
      }),
    );
  });
});
