/** Versions of rows whose data does not carry one, and of whole states: the server's word, whatever a field says. */
import type { Version } from '../base/messages'
import type { Entity } from './entities'

export type Versions = WeakMap<object, Version>

/** A pushed row's version is the event's, whatever a field of the row says: a merge may have left the field alone. */
export function knownVersion(kind: Entity, row: unknown, versions: Versions): Version | undefined {
  const pushed = typeof row === 'object' && row !== null ? versions.get(row) : undefined
  return pushed ?? kind.versionOf(row)
}

/** Whether a row is at the version already. Integers are ordered; etags are only equal or not. */
export function isAtLeast(current: Version | undefined, version: Version): boolean {
  if (typeof current === 'number' && typeof version === 'number') return current >= version
  return current !== undefined && current === version
}
