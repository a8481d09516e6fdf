/** What an earlier page left, back into the queue: in its order, behind nothing of this page, and never overwritten. */
import { SyncError } from '../base/errors'
import { canonical } from '../base/key'
import type { AnyMutation } from './definition'
import type { Item, QueueDeps, QueueState } from './log'
import { leaveScope } from './log'
import { drop } from './outcome'
import type { Entry } from './stored'

/** What an earlier page left: back into the log, in order; what cannot be understood is set aside, never dropped. */
export async function load(
  state: QueueState,
  add: (entry: Entry, mutation: AnyMutation | undefined) => Item,
): Promise<void> {
  const { deps, options } = state
  try {
    const found = await deps.outbox.load()
    if (state.closed) return
    const early = [...state.items.values()]
    if (found.meta !== undefined) adoptMeta(state, found.meta, early)
    state.ready = true // places are known: rows may go
    if (found.damaged.length > 0) reportDamaged(deps, found.damaged)
    const aside = new Set<string>()
    for (const entry of found.entries) {
      const mutation = options.mutations.get(canonical(entry.mutationKey))
      const brought = mutation === undefined ? undefined : bringUpToDate(entry, mutation)
      // What builds on something that is set aside is set aside with it: alone it would be refused.
      if (brought !== undefined && !entry.deps.some((id) => aside.has(id))) restore(state, add, brought, mutation)
      else {
        aside.add(entry.id)
        state.quarantined.push(entry)
      }
    }
    // One that is sent again under its key may stand in both lists, if the page ended in between.
    state.failed = [...found.failed.filter(({ id }) => !state.items.has(id)), ...state.failed]
  } catch (cause) {
    deps.report(
      new SyncError(
        'storage',
        'The outbox of an earlier page could not be read; it is left as it is, and changes are kept in memory only.',
        { cause },
      ),
    )
  }
  state.ready = true
  deps.changed()
}

function reportDamaged(deps: QueueDeps, keys: readonly string[]): void {
  deps.report(
    new SyncError(
      'storage',
      `Rows of the outbox of an earlier page could not be understood and are left as they are: ${keys.join(', ')}.`,
    ),
  )
}

function adoptMeta(state: QueueState, meta: QueueState['meta'], early: readonly Item[]): void {
  // Changes made before the log was read come after everything in it.
  const first = Math.min(...early.map((item) => item.entry.pos), state.meta.nextPos)
  const shift = Math.max(0, meta.nextPos - first)
  for (const item of early) {
    item.entry.pos += shift
    ;(item.layer as { pos: number }).pos = item.entry.pos
  }
  const sequences = new Map(meta.sequences)
  for (const [scope, sequence] of state.meta.sequences)
    sequences.set(scope, Math.max(sequences.get(scope) ?? 0, sequence))
  state.meta = { ...meta, sequences, nextPos: state.meta.nextPos + shift }
  state.deps.cache.core.sawOwn(meta.ownAt)
}

function restore(
  state: QueueState,
  add: (entry: Entry, mutation: AnyMutation | undefined) => Item,
  entry: Entry,
  mutation: AnyMutation | undefined,
): void {
  // A page that was closed in mid-flight does not know; one that lacked credentials may have them now.
  if (entry.status === 'sending') entry.status = mutation?.idempotent === false ? 'blocked' : 'uncertain'
  if (entry.status === 'paused') entry.status = 'uncertain'
  const item = add(entry, mutation)
  item.appended = true
  item.durable.resolve()
  if (entry.status !== 'confirmed') return
  item.confirmed.resolve(undefined)
  leaveScope(state, item)
  state.confirmed.add(item)
  const { core } = state.deps.cache
  if (core.layers.includes(item.layer)) core.checkLayers()
  else drop(state, item)
}

function bringUpToDate(entry: Entry, mutation: AnyMutation): Entry | undefined {
  const version = mutation.version ?? 1
  if (entry.version === version) return entry
  const migrate = mutation.migrate as ((variables: unknown, version: number) => unknown) | undefined
  if (migrate === undefined) return undefined
  try {
    return { ...entry, variables: migrate(entry.variables, entry.version), version }
  } catch {
    return undefined
  }
}
