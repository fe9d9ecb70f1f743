/**
 * A subset of `parts` of which none can be left out: with any single one fewer the test says no. Takes large shares away first, so that a long list of which few
 * matter is short after a number of tests that grows with its logarithm (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002: ddmin).
 *
 * @param holds whether what is looked for is still there with these parts alone; it is taken for granted of all of them, and never asked twice about the same
 */
export async function minimise<Part>(
  parts: readonly Part[],
  holds: (kept: readonly Part[]) => Promise<boolean>,
): Promise<readonly Part[]> {
  if (parts.length > 0 && (await holds([]))) return [];
  let kept = parts;
  for (let chunks = 2; kept.length > 1;) {
    const size = Math.ceil(kept.length / chunks);
    const smaller = await firstThatHolds(withoutOneChunk(kept, size), holds);
    if (smaller !== undefined) {
      kept = smaller;
      chunks = Math.max(2, chunks - 1);
    } else if (size === 1) {
      break;
    } else {
      chunks = Math.min(kept.length, chunks * 2);
    }
  }
  return kept;
}

function withoutOneChunk<Part>(parts: readonly Part[], size: number): Part[][] {
  const starts = Array.from({ length: Math.ceil(parts.length / size) }, (_, chunk) => chunk * size);
  return starts.map((start) => [...parts.slice(0, start), ...parts.slice(start + size)]);
}

async function firstThatHolds<Part>(
  candidates: readonly (readonly Part[])[],
  holds: (kept: readonly Part[]) => Promise<boolean>,
): Promise<readonly Part[] | undefined> {
  for (const candidate of candidates) if (await holds(candidate)) return candidate;
  return undefined;
}
