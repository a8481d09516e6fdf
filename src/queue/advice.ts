/**
 * What a developer is told of a mutation, in development, once each: recipes and scopes that replaying cannot be right
 * with, or that cost something. Nothing is refused here.
 */
import { fold } from '../cache/fold'
import type { Op } from '../cache/recipes'
import type { Attached, QueryRecord } from '../cache/record'
import { isRepeatable } from '../cache/record'
import { isEqual } from '../cache/share'
import type { Item, QueueDeps } from './state'

/** Looks at an entry that was just made, and at those that are pending beside it. */
export type Advice = (item: Item, pending: Iterable<Item>) => void

export function createAdvice({ cache, warn }: Pick<QueueDeps, 'cache' | 'warn'>): Advice {
  const said = new Set<string>()
  const { core } = cache
  const say = (item: Item, what: string, message: string): void => {
    const name = JSON.stringify(item.entry.mutationKey)
    if (said.has(`${what} ${name}`)) return
    said.add(`${what} ${name}`)
    warn(`Mutation ${name} ${message}`)
  }

  function ofRecipes(item: Item, record: QueryRecord, attached: Attached): void {
    const shown = JSON.stringify(record.query.queryKey)
    if (record.base === undefined) return
    if (!isDeterministic(record, attached)) {
      const message = `has a recipe that is not deterministic on query ${shown}: it is replayed often, so make ids, dates and random values in the variables.`
      say(item, 'deterministic', message)
    } else if (record.mode !== 'exact' && !isRepeatable(record, attached, record.base.data, core.drafts)) {
      const message = `has a recipe on query ${shown} that is not repeatable (it counts or pushes): while it is on its way that query gets no news, because the server does not say which mutations a read contains. Set by id, or let the server answer Sync-Reflects.`
      say(item, 'repeatable', message)
    }
  }

  function isDeterministic(record: QueryRecord, { ops }: Attached): boolean {
    try {
      const run = () => fold(record.baseLocated, ops.map(forgetful), core.drafts).data
      return isEqual(run(), run())
    } catch {
      return true // it is reported as one that throws
    }
  }

  return (item, pending) => {
    const { ops } = item.layer
    if (ops.length === 0) return
    let touched = 0
    for (const record of core.records.values()) {
      const attached = record.attached.find(({ layer }) => layer === item.layer)
      if (attached === undefined) continue
      touched++
      ofRecipes(item, record, attached)
    }
    if (touched === 0)
      say(item, 'unknown', 'touches no query that is cached: nothing is shown of it before one is fetched.')
    const other = otherScope(item, pending)
    if (other !== undefined)
      say(
        item,
        'scopes',
        `and ${JSON.stringify(other.entry.mutationKey)} change the same row in two scopes (${JSON.stringify(other.entry.scope)}, ${JSON.stringify(item.entry.scope)}), so the server may see them in either order. Give changes of one row the same scope.`,
      )
  }
}

/** The recorded change without the memory of its results. */
function forgetful(op: Op): Op {
  return op.kind === 'row' ? { ...op, results: new WeakMap() } : op
}

/** A pending entry of another scope that changes a row which this one changes. */
function otherScope(item: Item, pending: Iterable<Item>): Item | undefined {
  const rows = rowsOf(item)
  for (const other of pending) {
    if (other.entry.scope === item.entry.scope || other.layer.outcome !== undefined) continue
    if (item.entry.deps.includes(other.entry.id)) continue // in order all the same
    for (const row of rowsOf(other)) if (rows.has(row)) return other
  }
  return undefined
}

function rowsOf({ layer }: Item): Set<string> {
  return new Set(layer.ops.flatMap((op) => ('entity' in op ? [`${op.entity.type} ${op.id}`] : [])))
}
