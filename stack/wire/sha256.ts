/**
 * SHA-256 (FIPS 180-4) and HMAC (RFC 2104), as MPTCP uses them (RFC 8684 §3.1, §3.2). In JavaScript because the stack imports nothing from the
 * platform, and because for messages this short it is faster than a call into a native library.
 */

/* The round constants and the initial state are the first 32 bits of the fractional parts of cube and square roots of the first primes (§4.2.2, §5.3.3). */
const firstPrimes = (count: number): number[] => {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes;
};
/** floor(2³² · frac(root)), by integer bisection: floating-point roots differ in the last bits. */
const fractionalRootBits = (prime: number, degree: bigint): number => {
  const target = BigInt(prime) << (32n * degree);
  let low = 0n;
  let high = BigInt(prime) << 32n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** degree <= target) low = middle;
    else high = middle;
  }
  return Number(low & 0xffff_ffffn);
};
const roundConstants = Int32Array.from(firstPrimes(64), (prime) => fractionalRootBits(prime, 3n) | 0);
const initialState = Int32Array.from(firstPrimes(8), (prime) => fractionalRootBits(prime, 2n) | 0);

/* Of the message that is hashed now: one function runs at a time, and a connection's set-up hashes four times. */
const state = new Int32Array(8);
const schedule = new Int32Array(64);
const keyBlock = new Uint8Array(64);
const lastBlocks = new Uint8Array(128);

function compress(block: Uint8Array, offset: number): void {
  for (let i = 0; i < 16; i++) schedule[i] = wordAt(block, offset + i * 4);
  for (let i = 16; i < 64; i++) {
    const x = schedule[i - 15]!;
    const y = schedule[i - 2]!;
    const sigma0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const sigma1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    schedule[i] = (schedule[i - 16]! + sigma0 + schedule[i - 7]! + sigma1) | 0;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let i = 0; i < 64; i++) {
    const sum1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const choice = (e & f) ^ (~e & g);
    const t1 = (h + sum1 + choice + roundConstants[i]! + schedule[i]!) | 0;
    const sum0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + sum0 + majority) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
}

/** The 32-byte digest of `message`. */
export function sha256(message: Uint8Array): Uint8Array {
  state.set(initialState);
  return finish(message, 0);
}

/** HMAC-SHA256 of `message` under `key`. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  const shortKey = key.length > 64 ? sha256(key) : key;
  beginWithKey(shortKey, 0x36);
  const inner = finish(message, 64);
  beginWithKey(shortKey, 0x5c);
  return finish(inner, 64);
}

function beginWithKey(key: Uint8Array, pattern: number): void {
  for (let i = 0; i < 64; i++) keyBlock[i] = (i < key.length ? key[i]! : 0) ^ pattern;
  state.set(initialState);
  compress(keyBlock, 0);
}

/** The digest when `message` is the last of it, after so many bytes, whole blocks, that the state knows of. */
function finish(message: Uint8Array, lengthBefore: number): Uint8Array {
  const whole = message.length & ~63;
  for (let offset = 0; offset < whole; offset += 64) compress(message, offset);
  const rest = message.length - whole;
  const end = rest < 56 ? 64 : 128;
  lastBlocks.fill(0);
  for (let i = 0; i < rest; i++) lastBlocks[i] = message[whole + i]!;
  lastBlocks[rest] = 0x80;
  const length = lengthBefore + message.length;
  putWord(lastBlocks, end - 8, Math.floor(length / 0x2000_0000));
  putWord(lastBlocks, end - 4, length << 3);
  for (let offset = 0; offset < end; offset += 64) compress(lastBlocks, offset);
  const digest = new Uint8Array(32);
  for (let i = 0; i < 8; i++) putWord(digest, i * 4, state[i]!);
  return digest;
}

/**
 * Four bytes, the highest first, as a signed number. No DataView: its buffer would be memory of its own for an array that V8 otherwise keeps within itself, four
 * of them for each key.
 */
export function wordAt(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
}

export function putWord(bytes: Uint8Array, offset: number, word: number): void {
  bytes[offset] = word >>> 24;
  bytes[offset + 1] = word >>> 16;
  bytes[offset + 2] = word >>> 8;
  bytes[offset + 3] = word;
}
