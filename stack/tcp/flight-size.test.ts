import { expect } from "chai";
import { FlightSize } from "./flight-size.ts";

describe("FlightSize (RFC 5681 §3.1, equation 4)", () => {
  it("is what was outstanding before a burst of acknowledgements, not what they left of it", () => {
    const flight = new FlightSize();
    flight.onSent(80_000);
    flight.onAcknowledged(20_000, 100_000);
    flight.onSent(80_000);
    // The sender was kept from running; all but the last segments are acknowledged at once.
    for (let acknowledged = 30_000; acknowledged <= 99_000; acknowledged += 1000)
      flight.onAcknowledged(acknowledged, 100_000);
    expect(flight.bytes).to.equal(80_000);
  });

  it("forgets what was outstanding more than a round trip ago", () => {
    const flight = new FlightSize();
    flight.onSent(80_000);
    flight.onAcknowledged(80_000, 80_000);
    flight.onSent(3000);
    flight.onAcknowledged(83_000, 83_000);
    flight.onSent(3000);
    flight.onAcknowledged(86_000, 86_000);
    expect(flight.bytes).to.equal(3000);
  });
});
