/** The functions of a mutation's author, called so that what they throw, or a promise where none is meant, breaks nothing. */
import type { SyncErrorCode } from '../base/errors'
import { SyncError, usageError } from '../base/errors'
import { guard } from '../base/guard'
import { canonical } from '../base/key'
import type { Op } from '../data/recipes'
import { record as recordOps } from '../data/recipes'
import type { QueueDeps } from './context'
import type { AnyMutation, RowRef } from './definition'
import type { WriteRecord } from './stored'
import type { Write } from './write'

interface Reporter {
  readonly deps: Pick<QueueDeps, 'cache' | 'report'>
}
type Subject = Pick<WriteRecord, 'mutationKey' | 'variables'>

/** What the mutation shows for these variables; nothing, and a report, if `optimistic` throws. */
export function optimisticOps(queue: Reporter, mutation: AnyMutation | undefined, of: Subject): readonly Op[] {
  const optimistic = mutation?.optimistic
  if (optimistic === undefined) return []
  return recorded(queue, of, 'optimistic', (view) => optimistic(view, of.variables as never))
}

/** What the answer says; nothing, and a report, if `apply` throws. */
export function answerOps(queue: Reporter, { mutation, record }: Write, data: unknown): readonly Op[] {
  const apply = mutation?.apply
  if (apply === undefined || data === undefined) return []
  return recorded(queue, record, 'apply', (base) => apply(base, data as never, record.variables as never))
}

/** What becomes of a write whose function throws. */
const FATES = {
  optimistic: 'threw: it is sent, but not shown before the server answers.',
  apply: 'threw; its queries are read again instead.',
}

function recorded(
  queue: Reporter,
  of: Subject,
  name: keyof typeof FATES,
  run: Parameters<typeof recordOps>[0],
): readonly Op[] {
  // What was recorded before the first `await` counts; what comes after it would come too late.
  const promised =
    'returned a promise: what it records after its first "await" is lost. Record at once, and put asynchronous work into "mutationFn".'
  try {
    return recordOps(run, queue.deps.cache.core.hashKey, () => report(queue, of, 'recipe', name, promised))
  } catch (cause) {
    report(queue, of, 'recipe', name, FATES[name], cause)
    return []
  }
}

/** The rows that `after` names; none, and a report, if it throws. */
export function rowsBefore(queue: Reporter, { mutation, record }: Write): readonly RowRef[] {
  try {
    return mutation?.after?.(record.variables as never) ?? []
  } catch (cause) {
    report(queue, record, 'usage', 'after', 'threw: it waits for no row that is created before it.', cause)
    return []
  }
}

/** What `invalidates` names; `undefined` where the mutation has none. */
export function keysToRead(
  queue: Reporter,
  write: Write,
  data: unknown,
): ReadonlyArray<readonly unknown[]> | undefined {
  const { mutation, record } = write
  const invalidates = mutation?.invalidates
  if (invalidates === undefined) return undefined
  const keys: Array<readonly unknown[]> = []
  tell(queue, write, () => keys.push(...checkKeys(invalidates(record.variables as never, data as never))))
  return keys
}

/** One key where a list of keys is meant would match nothing, or everything. */
function checkKeys(keys: ReadonlyArray<readonly unknown[]> | undefined): ReadonlyArray<readonly unknown[]> {
  if (keys === undefined || (Array.isArray(keys) && keys.every(Array.isArray))) return keys ?? []
  throw usageError(`"invalidates" returned ${JSON.stringify(keys)}, which is no list of keys: return [['todos']].`)
}

/** Calls a callback of the mutation. */
export function tell({ deps }: Reporter, { mutationKey }: Write, run: () => unknown): void {
  const said = `A callback of mutation ${canonical(mutationKey)} threw; the mutation itself is not affected.`
  void guard(run, (cause) => deps.report(new SyncError('usage', said, { cause, mutationKey })))
}

function report(
  { deps }: Reporter,
  { mutationKey }: Subject,
  ...[code, name, fate, cause]: [code: SyncErrorCode, name: string, fate: string, cause?: unknown]
): void {
  const said = `"${name}" of mutation ${canonical(mutationKey)} ${fate}`
  deps.report(new SyncError(code, said, { cause, mutationKey }))
}
