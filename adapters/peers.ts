/** What an entry says of a framework that is too old: what it needs, what it found, and the command that mends it. */
import { SyncError } from 'tidemark'

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

/** Throws a `usage` error unless the version that is there is as new as it must be. */
export function checkPeer({ entry, name, least, found, command }: Peer): void {
  if (found !== undefined && isAtLeast(found, least)) return
  const there = found === undefined ? 'an older one' : found
  throw new SyncError('usage', `${entry} needs ${name} ${least} or newer and found ${there}: run ${command}.`)
}

function isAtLeast(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number)
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
}
