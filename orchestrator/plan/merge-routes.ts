/**
 * Routes of a large network in as few prefixes as possible: the optimal routing table constructor (Draves, King, Venkatachary, Zill, Infocom 1999). A switch of a
 * fat tree with 128 hosts then needs a handful of routes in place of one for each of its 384 links.
 */
import { addressOfWords, wordsOf, type Subnet } from "../model/ip-address.ts";

/** `hops`: whatever says where packets go; equal ones are the same object. */
export interface PrefixRoute<Hops> extends Subnet {
  readonly hops: Hops;
}

interface TrieNode<Hops> {
  children?: [TrieNode<Hops>, TrieNode<Hops>];
  /** Of a leaf: what it was given. Undefined: nobody asks for these addresses, and any route may cover them. */
  hops?: Hops | undefined;
  /** Which of the hops a route here could have without costing a prefix more below; undefined: any. */
  candidates?: readonly Hops[] | undefined;
}

/** The same hops for each address of the given routes, which are of one family and are not to overlap; addresses in none of them may get any. The shortest prefix first. */
export function mergeRoutes<Hops>(routes: readonly PrefixRoute<Hops>[]): PrefixRoute<Hops>[] {
  const root: TrieNode<Hops> = {};
  for (const route of routes) insert(root, route);
  collect(root);
  const merged: PrefixRoute<Hops>[] = [];
  // One child after the other, and the word of the second is the larger: routes come in the order of their networks.
  const [first] = routes;
  if (first !== undefined) emit(root, wordsOf(first.network).fill(0), 0, undefined, merged);
  return merged.sort((a, b) => a.prefixLength - b.prefixLength);
}

function insert<Hops>(root: TrieNode<Hops>, { network, prefixLength, hops }: PrefixRoute<Hops>): void {
  const words = wordsOf(network);
  let node = root;
  for (let depth = 0; depth < prefixLength; depth++) {
    node.children ??= [{}, {}];
    node = node.children[(words[depth >> 5]! >>> (31 - (depth & 31))) & 1 ? 1 : 0];
  }
  node.hops = hops;
}

/** From the leaves up: what both halves could have, or else what either could. */
function collect<Hops>(node: TrieNode<Hops>): void {
  if (node.children === undefined) {
    node.candidates = node.hops === undefined ? undefined : [node.hops];
    return;
  }
  const [zero, one] = node.children;
  collect(zero);
  collect(one);
  if (zero.candidates === undefined || one.candidates === undefined) {
    node.candidates = zero.candidates ?? one.candidates;
    return;
  }
  const other = new Set(one.candidates);
  const common = zero.candidates.filter((hops) => other.has(hops));
  node.candidates = common.length > 0 ? common : [...new Set([...zero.candidates, ...one.candidates])];
}

/** `words`: of the network so far, as it was again when this returns. */
function emit<Hops>(
  node: TrieNode<Hops>,
  words: number[],
  prefixLength: number,
  inherited: Hops | undefined,
  into: PrefixRoute<Hops>[],
): void {
  const { candidates, children } = node;
  let hops = inherited;
  if (candidates !== undefined && (inherited === undefined || !candidates.includes(inherited))) {
    hops = candidates[0]!;
    into.push({ network: addressOfWords(words), prefixLength, hops });
  }
  if (children === undefined) return;
  const word = prefixLength >> 5;
  const bit = 2 ** (31 - (prefixLength & 31));
  emit(children[0], words, prefixLength + 1, hops, into);
  words[word]! += bit;
  emit(children[1], words, prefixLength + 1, hops, into);
  words[word]! -= bit;
}
