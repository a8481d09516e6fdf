/** From a call of a mutation to an entry in memory: its place, its scope, what it builds on, what it shows. */
import { createBackoff } from '../base/backoff'
import { createDeferred } from '../base/deferred'
import { usageError } from '../base/errors'
import { canonical } from '../base/key'
import { rowName } from '../base/rows'
import { find } from '../data/entities'
import type { Op } from '../data/recipes'
import type { Layer } from '../evidence/evidence'
import type { AnyMutation, RowRef } from './definition'
import type { Item, QueueState } from './log'
import { targetOf } from './outcome'
import type { Entry } from './stored'

export function newEntry(
  state: QueueState,
  mutation: AnyMutation,
  variables: unknown,
  replaces: string | undefined,
): Entry {
  const { clock, random } = state.deps
  const now = clock.now()
  const scope = typeof mutation.scope === 'function' ? mutation.scope(variables as never) : mutation.scope
  return {
    id: random.id(now),
    pos: state.meta.nextPos++,
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

export function layerOf(entry: Entry, ops: readonly Op[]): Layer {
  return {
    id: entry.id,
    pos: entry.pos,
    scope: entry.scope,
    mutationKey: entry.mutationKey,
    ops,
    sent: entry.sent,
    outcome: entry.status === 'confirmed' ? 'confirmed' : entry.status === 'conflicted' ? 'conflict' : undefined,
    confirmedAt: entry.confirmedAt,
    confirmedTick: 0,
    firstSendTick: 0,
    resent: entry.sent || entry.rounds > 0,
    live: true,
  }
}

export function createItem(state: QueueState, entry: Entry, mutation: AnyMutation | undefined, layer: Layer): Item {
  const creates = new Set(layer.ops.flatMap((op) => (op.kind === 'insert' ? [rowName(op.entity.type, op.id)] : [])))
  const item: Item = {
    entry,
    layer,
    mutation,
    durable: createDeferred(),
    confirmed: createDeferred(),
    reflected: createDeferred(),
    appended: false,
    isVolatile: false,
    backoff: createBackoff({ base: 1000, cap: 60_000 }, state.deps.random.next),
    failures: 0,
    vague: 0,
    heard: undefined,
    cancelRetry: undefined,
    isHeldBack: false,
    abort: undefined,
    outcome: undefined,
    hasRefreshed: false,
    creates,
  }
  if (entry.deps.length === 0) entry.deps = dependencies(state, item)
  noteBefore(state, item)
  return item
}

/** Unsettled creates of rows that this one names, by what it records or by `after`: it builds on them. */
function dependencies(state: QueueState, item: Item): string[] {
  if (state.creators.size === 0) return []
  const used = new Set(item.layer.ops.flatMap((op) => ('entity' in op ? [rowName(op.entity.type, op.id)] : [])))
  for (const [kind, id] of rowsBefore(state, item)) used.add(rowName(kind.type, id))
  const found = new Set<Item>()
  for (const id of used) {
    const creator = state.creators.get(id)
    if (creator === undefined || creator.layer.outcome === 'confirmed') continue
    if (creator.entry.pos < item.entry.pos) found.add(creator) // made before the log was read, it comes after this one
  }
  return [...found].map((creator) => creator.entry.id)
}

/** What `after` says; nothing, and a report, if it throws. */
function rowsBefore({ deps }: QueueState, { entry, mutation }: Item): readonly RowRef[] {
  const { mutationKey } = entry
  try {
    return mutation?.after?.(entry.variables as never) ?? []
  } catch (cause) {
    const said = `"after" of mutation ${canonical(mutationKey)} threw: it waits for no row that is created before it.`
    deps.report(usageError(said, { cause, mutationKey }))
    return []
  }
}

/** The row that the change is based on, as the server knows it, for conflicts and preconditions. */
function noteBefore(state: QueueState, item: Item): void {
  const target = targetOf(item)
  if (target === undefined || item.entry.before !== undefined) return
  for (const { baseLocated } of state.deps.cache.core.holders(target.entity.type, target.id)) {
    const place = find(baseLocated, target.entity.type, target.id)[0]
    const list = place === undefined ? undefined : baseLocated.lists[place.list]
    if (place === undefined || list === undefined) continue
    const row = list.rows[place.at]
    item.entry.before = row
    item.entry.baseVersion = list.entity.versionOf(row)
    return
  }
}
