/** What the status hooks of both frameworks share. */
import type { PendingFilter } from 'tidemark'
import { canonical } from '../src/base/key'

export const identity = <T>(value: T): T => value

/** Equal filters have equal names. */
export function nameOfFilter({ mutationKey, entity, id, entryId, queryKey, exact }: PendingFilter): string {
  return canonical([mutationKey, entity?.type, id, entryId, queryKey, exact])
}
