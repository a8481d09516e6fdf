// Rows in lists of every kind: filtered, ordered, in columns, by hand, undeclared, in pages; and one write that does with them
// what it is told.
import type { DefinedMutation, InsertPosition, MutationDefinition, View } from 'tidemark'
import { defineMutation, entity, infiniteQueryOptions, queryOptions } from 'tidemark'
import type { Answer } from './network'
import type { Watch, World } from './world'

export interface Item {
  id: string
  group: string
  done: boolean
  rank: number
  n: number
  version: number
}

export const itemRow = entity<Item>('item')

export const item = (id: string, more: Partial<Item> = {}): Item => ({
  ...{ id, group: 'x', done: false, rank: 1, n: 0, version: 1 },
  ...more,
})

export const byRank = (a: Item, b: Item): number => a.rank - b.rank
export const byRankAndId = (a: Item, b: Item): number => byRank(a, b) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

export interface Column {
  id: string
  items: Item[]
}

type Read = { fetch: (url: string) => Promise<Response> }
const read =
  <T>(url: string) =>
  ({ fetch }: Read): Promise<T> =>
    fetch(url).then((answer): Promise<T> => answer.json())

export const isOpen = ({ done }: Item): boolean => !done

/** Those that are not done, by rank. */
export const openItems = queryOptions({
  queryKey: ['items', 'open'],
  queryFn: read<Item[]>('/open'),
  rows: [itemRow, (items) => items, { where: (row) => !row.done, orderBy: byRankAndId }],
})

/** All, by rank: many are equal. */
export const rankedItems = queryOptions({
  queryKey: ['items', 'ranked'],
  queryFn: read<Item[]>('/ranked'),
  rows: [itemRow, (items) => items, { orderBy: byRank }],
})

/** Two columns, by the group of a row. */
export const board = queryOptions({
  queryKey: ['items', 'board'],
  queryFn: read<{ columns: Column[] }>('/board'),
  rows: [
    itemRow,
    ({ columns }) => columns.map(({ items }) => items),
    { where: (row, column) => row.group === column.id, orderBy: byRankAndId },
  ],
})

/** Those that are not done, in an order that no edit changes. */
export const orderedItems = queryOptions({
  queryKey: ['items', 'ordered'],
  queryFn: read<Item[]>('/ordered'),
  rows: [itemRow, (items) => items, { where: isOpen }],
})

/** Those that are done; only the server knows how it makes the list. */
export const doneItems = queryOptions({
  queryKey: ['items', 'done'],
  queryFn: read<Item[]>('/done'),
  rows: [itemRow, (items) => items],
})

export interface Page {
  items: Item[]
  next: string | null
}

/** Those that are not done, by rank, in pages. */
export const pagedItems = infiniteQueryOptions({
  queryKey: ['items', 'paged'],
  queryFn: ({ fetch, pageParam }) => fetch(`/pages?after=${pageParam}`).then((answer): Promise<Page> => answer.json()),
  initialPageParam: '',
  getNextPageParam: ({ next }: Page) => next,
  rows: [itemRow, (page) => page.items, { where: isOpen, orderBy: byRankAndId }],
})

export const oneItem = (id: string) =>
  queryOptions({
    queryKey: ['item', id],
    queryFn: read<Item>(`/items/${id}`),
    rows: [itemRow, (row) => row],
  })

/** One change of a row. */
export type Change =
  | { op: 'set'; id: string; to: Partial<Item> }
  | { op: 'count'; id: string }
  | { op: 'insert' | 'upsert'; row: Item; at?: InsertPosition; key?: readonly unknown[] }
  | { op: 'move'; id: string; at: InsertPosition }
  | { op: 'remove'; id: string }

function show(view: View, changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.op === 'remove') view.remove(itemRow, change.id)
    else if (change.op === 'move') view.move(itemRow, change.id, change.at)
    else if (change.op === 'count') view.row(itemRow, change.id).update((row) => void row.n++)
    else if (change.op === 'set') view.row(itemRow, change.id).update((row) => void Object.assign(row, change.to))
    else if (change.key === undefined) view[change.op](itemRow, change.row, change.at)
    else view[change.op](change.key, itemRow, change.row, change.at)
  }
}

/** Rows that an answer brings; `null`: the row is gone. */
export interface Changed {
  rows: Record<string, Item | null>
}

export type ChangeMutation = DefinedMutation<Change[], Changed | undefined>

export const changing = (more: Partial<MutationDefinition<Change[], Changed | undefined>> = {}): ChangeMutation =>
  defineMutation<Change[], Changed | undefined>({
    mutationKey: ['items', 'change'],
    mutationFn: async (changes, { fetch }) => {
      const text = await (await fetch('/change', { body: JSON.stringify(changes) })).text()
      return text === '' ? undefined : (JSON.parse(text) as Changed)
    },
    optimistic: show,
    apply: (base, answer) => {
      for (const [id, row] of Object.entries(answer?.rows ?? {}))
        if (row === null) base.remove(itemRow, id)
        else base.upsert(itemRow, row)
    },
    ...more,
  })

/** `a b c`; what is not as `item` makes it stands behind the id: `a✓2#1y`. */
export const shown = (rows: readonly Item[] | undefined): string => rows?.map(textOf).join(' ') ?? '-'

const textOf = ({ id, done, rank, n, group }: Item): string =>
  `${id}${done ? '✓' : ''}${rank === 1 ? '' : rank}${n === 0 ? '' : `#${n}`}${group === 'x' ? '' : group}`

/** What was shown, neighbours that are equal once. */
export const allShown = <T>({ values }: Watch<T>, text: (data: T | undefined) => string): string[] =>
  values.map(text).filter((each, i, all) => i === 0 || each !== all[i - 1])

/** Watches a query and answers its first read. */
export async function load<T>(
  world: World,
  query: { queryKey: readonly unknown[] },
  url: string,
  data: T,
  answer?: Answer,
): Promise<Watch<T>> {
  const watched = world.watch<T>(query)
  await world.settle()
  await world.net.take('GET', url).answer(data, answer)
  return watched
}
