/** What the status hooks of both frameworks share. */
import type { PendingFilter } from 'tidemark'
import { hashKey } from 'tidemark'

export const identity = <T>(value: T): T => value

/** Equal filters have equal names. */
export function nameOfFilter({ mutationKey, entity, id, entryId, queryKey, exact }: PendingFilter): string {
  return hashKey([mutationKey, entity?.type, id, entryId, queryKey, exact])
}
