// A list in pages of two, by rank: the next page begins behind a row, or after so many rows.
import { createQueryStore, infiniteQueryOptions } from 'tidemark'
import type { Item, Page } from '../kit/lists'
import { changing, isOpen, item, itemRow, shown } from '../kit/lists'
import type { Scripted } from './scripted'
import { at, scripted } from './scripted'

const SIZE = 2
const byRank = (a: Item, b: Item): number => a.rank - b.rank

const pagesBy = (name: string, nextOf: (last: Page, pages: Page[]) => string | null, rule: object | undefined) =>
  infiniteQueryOptions({
    queryKey: ['items', name],
    queryFn: ({ fetch, pageParam }) =>
      fetch(`/${name}?after=${pageParam}`).then((answer): Promise<Page> => answer.json()),
    initialPageParam: '',
    getNextPageParam: nextOf,
    rows: [itemRow, (page) => page.items, rule],
  })

const RULE = { where: isOpen, orderBy: byRank }
const behind = ({ next }: Page): string | null => next
const afterAll = ({ next }: Page, pages: Page[]): string | null =>
  next === null ? null : String(pages.flatMap(({ items }) => items).length)

/** The kinds of list in pages. */
export const KINDS = {
  'by cursor': pagesBy('cursor', behind, RULE),
  'by offset': pagesBy('offset', afterAll, RULE),
  'by cursor, undeclared': pagesBy('cursor', behind, undefined),
  'by offset, undeclared': pagesBy('offset', afterAll, undefined),
} as const
export type Kind = keyof typeof KINDS
export const DECLARED: Kind[] = ['by cursor', 'by offset']
export const ALL = Object.keys(KINDS) as Kind[]

/** Rows of the ranks 1 to 6, `a` to `f`, as the server has them. */
export const six = (): Item[] => ['a', 'b', 'c', 'd', 'e', 'f'].map((id, i) => item(id, { rank: i + 1 }))

/** The server's rows after a change of one. */
export const change = (rows: readonly Item[], id: string, to: Partial<Item>): Item[] =>
  rows.map((row) => (row.id === id ? { ...row, ...to, version: row.version + 1 } : row))

function pageOf(rows: readonly Item[], url: string): Page {
  const after = Number(new URL(url, 'http://test').searchParams.get('after'))
  const all = rows.filter(isOpen).sort(byRank)
  const rest = url.startsWith('/cursor') ? all.filter(({ rank }) => rank > after) : all.slice(after)
  const items = rest.slice(0, SIZE)
  return { items, next: rest.length > SIZE ? String(items.at(-1)?.rank) : null }
}

export interface Paged extends Scripted {
  /** Of everything that was shown: the pages, their rows. */
  readonly frames: string[]
  readonly shown: string
  /** What base has. */
  base(): string
  more(): void
  /** Answers the oldest read that waits, as the server was. */
  page(rows: readonly Item[], position: number): Promise<void>
  /** Answers reads until none waits; how many there were. */
  serve(rows: readonly Item[], position: number): Promise<number>
}

const text = (data: { pages: Page[] } | undefined): string =>
  data?.pages.map(({ items }) => items.map((row) => shown([{ ...row, rank: 1 }])).join(' ')).join(' | ') ?? '-'

/** Watches a list of which so many pages are loaded. */
export async function paged(kind: Kind, { pages = 2, mutation = changing({ apply: undefined }) } = {}): Promise<Paged> {
  const world = await scripted(mutation)
  const query = KINDS[kind]
  const store = createQueryStore(world.sync, query as never) as unknown as {
    getState(): { data: { pages: Page[] } | undefined; fetchNextPage(): Promise<unknown> }
    subscribe(listener: (state: { data: { pages: Page[] } | undefined }) => void): () => void
  }
  const frames: string[] = []
  let last = ''
  store.subscribe(({ data }) => {
    const now = text(data)
    if (last !== now) frames.push(now)
    last = now
  })
  const page: Paged['page'] = async (rows, position) => {
    await world.settle()
    const get = world.net.take('GET')
    await get.answer(pageOf(rows, get.url), at(position))
    await world.settle()
  }
  const serve: Paged['serve'] = async (rows, position) => {
    let count = 0
    for (await world.settle(); world.net.waiting.some(({ method }) => method === 'GET'); count++) {
      if (count === 40) throw new Error(`it is read without end: ${world.net.log.slice(-8).map(({ url }) => url)}`)
      await page(rows, position)
    }
    return count
  }
  const more = () => void store.getState().fetchNextPage()
  await serve(six(), 0)
  for (let n = 1; n < pages; n++) {
    more()
    await serve(six(), 0)
  }
  frames.length = 0
  return {
    ...world,
    frames,
    get shown() {
      return text(store.getState().data)
    },
    base: () => text(world.sync.getBase(query.queryKey) as never),
    more,
    page,
    serve,
  }
}
