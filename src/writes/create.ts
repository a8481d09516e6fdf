/** From a call of a mutation to a write in the log: its place, its scope, what it builds on, what it shows. */
import { rowName } from '../base/rows'
import { bringsRow, isOfRow, rowNameOf, rowsNamedBy } from '../data/verbs'
import { isCovered } from '../evidence/evidence'
import { newestRow, rowOf } from '../queries/rows'
import { createAttempts } from './attempts'
import type { Movement, QueueContext } from './context'
import type { AnyMutation } from './definition'
import { optimisticOps, rowsBefore } from './functions'
import type { WriteRecord } from './stored'
import type { Write } from './write'
import { createWrite, noteCopies, revise, targetOf } from './write'

export function newRecord(
  { deps, log }: QueueContext,
  mutation: AnyMutation,
  variables: unknown,
  replaces: string | undefined,
): WriteRecord {
  const now = deps.clock.now()
  const scope = typeof mutation.scope === 'function' ? mutation.scope(variables as never) : mutation.scope
  return {
    id: deps.random.id(now),
    pos: log.takePlace(),
    scope: scope?.id ?? '',
    deps: [],
    sequence: undefined,
    sent: false,
    mutationKey: mutation.mutationKey,
    variables,
    version: mutation.version ?? 1,
    status: 'queued',
    attempt: 0,
    confirmedAt: undefined,
    replaces,
    failure: undefined,
    before: undefined,
    baseVersion: undefined,
    rounds: 0,
    conflict: undefined,
    createdAt: now,
  }
}

/** Puts a write into the log, and shows it. */
export function addWrite(
  queue: QueueContext,
  record: WriteRecord,
  mutation: AnyMutation | undefined,
  how: Movement,
): Write {
  const { deps, log } = queue
  const ops = optimisticOps(queue, mutation, record)
  const write = createWrite(record, mutation, ops, createAttempts(deps.random.next))
  const creators = record.deps.length === 0 ? creatorsOf(queue, write) : NOBODY
  if (creators.length > 0) revise(write, { deps: creators })
  noteBefore(queue, write)
  deps.cache.core.transition(() => {
    takeCopies(queue, write)
    log.add(write)
    deps.cache.add(write)
    deps.changed(write, how)
  })
  return write
}

/** Unsettled creates of rows that this one names, by what it records or by `after`: it builds on them. */
function creatorsOf(queue: QueueContext, write: Write): readonly string[] {
  if (!queue.log.hasCreators) return NOBODY
  const before = rowsBefore(queue, write).map(([kind, id]) => rowName(kind.type, id))
  const creators = [...rowsNamedBy(write.ops), ...before].flatMap((row) => queue.log.creatorOf(row) ?? [])
  // Made before the log was read, a creator comes after this one.
  return [...new Set(creators)]
    .filter(({ outcome, pos }) => outcome !== 'confirmed' && pos < write.pos)
    .map(({ id }) => id)
}

const NOBODY: readonly string[] = []

/** The row that the change is based on, as the server knows it, for conflicts and preconditions. */
function noteBefore({ deps }: QueueContext, write: Write): void {
  const target = targetOf(write)
  if (target === undefined || write.record.before !== undefined) return
  const row = rowOf(deps.cache.core, target.entity.type, target.id)
  if (row !== undefined) revise(write, { before: row, baseVersion: target.entity.versionOf(row) })
}

/** The rows that it changes, as the server knows them: views that lack a row may have to show it. */
function takeCopies({ deps }: QueueContext, write: Write): void {
  if (write.record.copies !== undefined) return
  const { core } = deps.cache
  const copies = write.ops.filter(isOfRow).flatMap((op) => {
    const name = rowNameOf(op)
    const newest = newestRow(core, op.entity.type, op.id)
    const row = newest === undefined ? core.copyOf(name) : newest.row
    if (row === undefined) return []
    const copy = { row, isAnew: false }
    // Those that were made before anybody had the row are made on this one, too.
    for (const earlier of core.chainOf(name)) {
      if (earlier.ops.some(bringsRow)) break
      if (!earlier.copies.has(name) && !isCovered(earlier, newest?.cell.base)) core.startFrom(earlier, name, copy)
    }
    return [[name, copy] as const]
  })
  if (copies.length > 0) noteCopies(write, copies)
}
