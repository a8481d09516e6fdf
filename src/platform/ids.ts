/** Chance. Ids and jitter come through here, so that a run can be replayed from a seed. */

/** Chance, for whoever drives it. The default is the platform's cryptographic source. */
export interface Random {
  /** A number in [0, 1), for jitter. Not for secrets. */
  next(): number
  /** A unique id: a UUID of version 7 (RFC 9562) by default. `now` is milliseconds since the epoch. */
  id(now: number): string
}

/** The platform's cryptographic source, where there is one; needs no secure context. */
export function systemRandom(): Random {
  // Random bytes are got for many ids at once: a call of the source costs as much as a thousand bytes of it.
  const pool = new Uint8Array(10 * 256)
  let used = pool.length
  return {
    next: () => Math.random(),
    id(now) {
      if (used === pool.length) {
        fill(pool)
        used = 0
      }
      used += 10
      return uuidV7(now, pool.subarray(used - 10, used))
    },
  }
}

/** Some platforms (older React Native) have no cryptographic source. Ids must be unique there too, not secret. */
function fill(pool: Uint8Array<ArrayBuffer>): void {
  if (typeof crypto === 'undefined') for (let at = 0; at < pool.length; at++) pool[at] = Math.random() * 256
  else crypto.getRandomValues(pool)
}

/** A repeatable source (mulberry32) for tests and simulations. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    next,
    id: (now) =>
      uuidV7(
        now,
        Uint8Array.from({ length: 10 }, () => Math.floor(next() * 256)),
      ),
  }
}

const HEX = '0123456789abcdef'

/** RFC 9562 section 5.7: 48 bits of milliseconds, then version, variant and 74 random bits. */
function uuidV7(now: number, random: Uint8Array): string {
  const time = Math.max(0, Math.floor(now)).toString(16).padStart(12, '0').slice(-12)
  let hex = ''
  for (const byte of random) hex += HEX.charAt(byte >> 4) + HEX.charAt(byte & 15)
  const variant = ((Number.parseInt(hex.slice(4, 5), 16) & 0x3) | 0x8).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(1, 4)}-${variant}${hex.slice(5, 8)}-${hex.slice(8, 20)}`
}
