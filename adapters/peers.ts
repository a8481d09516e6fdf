/** What an entry says of a framework that is too old: what it needs, what it found, and the command that mends it. */
export interface Peer {
  /** The entry that needs it, and its name as its users write it: `tidemark/react`, `React`. */
  readonly entry: string
  readonly name: string
  /** The oldest version that will do: `3.4`. */
  readonly least: string
  /** The version that is there; `undefined`: an older one that does not tell. */
  readonly found: string | undefined
  readonly command: string
}

/** What to say of the first that is too old; `undefined` where each is as new as it must be. */
export function faultOf(...peers: readonly Peer[]): string | undefined {
  for (const { entry, name, least, found, command } of peers) {
    if (found !== undefined && isAtLeast(found, least)) continue
    const there = found === undefined ? 'an older one' : found
    return `${entry} needs ${name} ${least} or newer and found ${there}: run ${command}.`
  }
  return undefined
}

function isAtLeast(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number)
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
}
