/**
 * What `optimistic` and `apply` write is recorded here as data: which query or row, which recipe. Recipes run later and
 * often, on whatever base there is, so they must be pure: the same input gives the same output.
 */
import type { InferDataFromTag, Query, QueryFilters, QueryKey } from '@tanstack/query-core'
import { matchQuery } from '@tanstack/query-core'
import type { Draft } from 'immer'
import { usageError } from '../base/errors'
import { ignoreRejection, isThenable } from '../base/kinds'
import type { RowId } from '../base/messages'
import type { Entity, Shape } from './entities'

/** Where an inserted row goes. In an infinite query `'start'` is the first page's start, `'end'` the last page's end. */
export type InsertPosition = 'start' | 'end' | number | { before: RowId } | { after: RowId }

/** What is known of a recipe beforehand, so that it need not be tried. */
export interface RecipeOptions {
  /**
   * Whether running the recipe on its own result changes nothing (set, insert by id: yes; count, push: no).
   * @defaultValue tried on each base
   */
  repeatable?: boolean | undefined
}

/** The data type of a tagged query key; `unknown` for a plain one. */
export type DataOfKey<TKey extends QueryKey> = InferDataFromTag<unknown, TKey>

/** A recipe changes the draft, or returns the new value. */
export type Recipe<T> = (draft: Draft<T>) => Draft<T> | T | void

/** What `optimistic` is given. Each call is recorded; nothing is changed before the function returns. */
export interface View {
  /** Changes the data of one query (a key) or of all queries that match (a filter). Skipped on a query without data. */
  update<TKey extends QueryKey>(target: TKey, recipe: Recipe<DataOfKey<TKey>>, options?: RecipeOptions): void
  update<T = unknown>(target: QueryFilters, recipe: Recipe<T>, options?: RecipeOptions): void
  /** Changes one row, wherever it is cached. */
  row<TRow>(entity: Entity<TRow>, id: RowId): RowView<TRow>
  /**
   * Puts a row into every declared list that takes it; with a key, into the list of that query. `at` is for lists without an
   * order, and is their end by default. Does nothing where the row is already.
   */
  insert<TRow>(entity: Entity<TRow>, row: NoInfer<TRow>, at?: InsertPosition): void
  insert<TRow>(target: QueryKey, entity: Entity<TRow>, row: NoInfer<TRow>, at?: InsertPosition): void
  /** {@link insert}, and replaces the row wherever it is cached. */
  upsert<TRow>(entity: Entity<TRow>, row: NoInfer<TRow>, at?: InsertPosition): void
  upsert<TRow>(target: QueryKey, entity: Entity<TRow>, row: NoInfer<TRow>, at?: InsertPosition): void
  /** Puts a row elsewhere in the lists that have it and no order by a rule. */
  move<TRow>(entity: Entity<TRow>, id: RowId, at: InsertPosition): void
  /** Takes a row out of every list; a detail query of that row has no data until the base says so. */
  remove<TRow>(entity: Entity<TRow>, id: RowId): void
  /** The whole data of one query; creates its view if it was never fetched. */
  set<TKey extends QueryKey>(target: TKey, data: DataOfKey<TKey>): void
}

/** One row, wherever it is cached. */
export interface RowView<TRow> {
  update(recipe: Recipe<TRow>, options?: RecipeOptions): void
}

type AnyRecipe = (draft: never) => unknown

/** One recorded change. `hash` names one query; `filters` several; neither: every query with rows of `entity`. */
export type Op = { readonly repeatable?: boolean | undefined; readonly hash?: string | undefined } & (
  | { readonly kind: 'update'; readonly recipe: AnyRecipe; readonly filters?: QueryFilters | undefined }
  | { readonly kind: 'set'; readonly data: unknown }
  | RowOp
)

export type RowOp = { readonly entity: Entity; readonly id: RowId } & (
  | { readonly kind: 'row'; readonly recipe: AnyRecipe; readonly results: WeakMap<object, unknown> }
  | { readonly kind: 'insert' | 'upsert'; readonly row: unknown; readonly at?: InsertPosition | undefined }
  | { readonly kind: 'move'; readonly at: InsertPosition }
  | { readonly kind: 'remove' }
)

/** Names a query by its key, as the QueryClient does it (`queryKeyHashFn`). */
export type HashKey = (queryKey: QueryKey) => string

/**
 * Runs `write` once and returns what it recorded. Throws what `write` throws. Of a function that returns a promise only what
 * it recorded by then counts, and `onPromise` is called.
 */
export function record(write: (view: View) => void, hashKey: HashKey, onPromise?: () => void): readonly Op[] {
  const ops: Op[] = []
  let open = true
  const add = (op: Op) => {
    if (!open)
      throw usageError('The view was used after the function that it was given to had returned: record in its body.')
    ops.push(op)
  }
  const result: unknown = write(createRecorder(add, hashKey)) as unknown
  open = false
  if (isThenable(result)) {
    ignoreRejection(result)
    onPromise?.()
  }
  return ops
}

/** The recorded changes that concern one query. */
export function opsFor(ops: readonly Op[], query: Query, shape: Shape | undefined): readonly Op[] {
  return ops.filter((op) => {
    if (op.hash !== undefined) return op.hash === query.queryHash
    if (op.kind === 'update') return op.filters !== undefined && matchQuery(op.filters, query)
    return op.kind !== 'set' && shape !== undefined && shape.pairs.some(([kind]) => kind.type === op.entity.type)
  })
}

function createRecorder(add: (op: Op) => void, hashKey: HashKey): View {
  const insertion = (kind: 'insert' | 'upsert', args: unknown[]): void => {
    const [key, entity, row, at] = (Array.isArray(args[0]) ? args : [undefined, ...args]) as [
      QueryKey?,
      Entity?,
      unknown?,
      InsertPosition?,
    ]
    if (entity === undefined) throw usageError(`view.${kind} needs an entity and a row.`)
    const hash = key === undefined ? undefined : hashKey(key)
    add({ kind, entity, id: entity.idOf(row), row, at, hash })
  }
  return {
    update(target: QueryKey | QueryFilters, recipe: AnyRecipe, options?: RecipeOptions) {
      const where = Array.isArray(target) ? { hash: hashKey(target as QueryKey) } : { filters: target as QueryFilters }
      add({ kind: 'update', recipe, repeatable: options?.repeatable, ...where })
    },
    row: (entity, id) => ({
      update: (recipe, options) =>
        add({
          kind: 'row',
          entity: entity as Entity,
          id,
          recipe: recipe as AnyRecipe,
          results: new WeakMap(),
          repeatable: options?.repeatable,
        }),
    }),
    insert: (...args: unknown[]) => insertion('insert', args),
    upsert: (...args: unknown[]) => insertion('upsert', args),
    move: (entity, id, at) => add({ kind: 'move', entity: entity as Entity, id, at }),
    remove: (entity, id) => add({ kind: 'remove', entity: entity as Entity, id }),
    set: (target, data) => add({ kind: 'set', data, hash: hashKey(target) }),
  }
}
