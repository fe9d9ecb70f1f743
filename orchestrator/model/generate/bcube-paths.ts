/**
 * The k + 1 disjoint paths of BCube (Guo et al., SIGCOMM 2009, BuildPathSet) by addresses. The paper's servers write the whole path into each packet; here a server has an address for each level, and packets to that of level
 * `i` correct the digits i − 1, i − 2 … 0, k … i + 1 and at last i, so that they come in by the server's port of level i. Where digit i is right from the
 * beginning they leave by a neighbour of that level, whose digit is wrong until the last hop: the paper's AltDCRouting. Only the source's own packets meet a server at which
 * digit i is right and another is not, so that the destination alone decides at each node.
 */

export interface BCubeSize {
  /** Ports of a switch: n of the paper. */
  readonly ports: number;
  /** Ports of a server: k + 1 of the paper. */
  readonly levels: number;
}

/** The link by which a node sends what is for an address on another link; undefined where any shortest way will do. */
export type NextLink = (node: string, destinationLink: string) => string | undefined;

export const insideLink = (server: number, level: number): string => `inside-${server}-${level}`;
export const portLink = (server: number, level: number): string => `port-${server}-${level}`;

export function bcubeNextLink({ ports, levels }: BCubeSize): NextLink {
  const digit = (server: number, level: number): number => Math.floor(server / ports ** level) % ports;
  const withDigit = (server: number, level: number, value: number): number =>
    server + (value - digit(server, level)) * ports ** level;
  return (node, destinationLink) => {
    const [kind, destination, last] = numbersOf(destinationLink);
    if (kind !== "inside" || destination === undefined || last === undefined) return undefined;
    const [role, first, second] = numbersOf(node);
    if (role === "forwarder" && first !== undefined) {
      if (first === destination) return undefined;
      if (digit(first, last) === digit(destination, last)) return portLink(first, last);
      for (let step = 1; step <= levels; step++) {
        const level = (last - step + levels) % levels;
        if (digit(first, level) !== digit(destination, level)) return portLink(first, level);
      }
    }
    if (role !== "switch" || first === undefined || second === undefined) return undefined;
    const level = first;
    const wanted = digit(destination, level);
    const isDetour = level === last && second !== withoutDigit(destination, level, ports);
    const low = second % ports ** level;
    const anyServer = Math.floor(second / ports ** level) * ports ** (level + 1) + low;
    return portLink(withDigit(anyServer, level, isDetour ? (wanted + 1) % ports : wanted), level);
  };
}

/** The number that is left when a digit is taken out: that of the switch which joins all servers that differ in that digit. */
export function withoutDigit(server: number, digit: number, base: number): number {
  const low = server % base ** digit;
  return Math.floor(server / base ** (digit + 1)) * base ** digit + low;
}

/** `switch-1-3` ⇒ switch, 1, 3; undefined for what a name does not have. */
function numbersOf(name: string): [string, number?, number?] {
  const match = /^([a-z]+)-(\d+)(?:-(\d+))?$/.exec(name);
  if (match === null) return [name];
  return [match[1]!, Number(match[2]), ...(match[3] === undefined ? [] : [Number(match[3])])] as [
    string,
    number,
    number?,
  ];
}
