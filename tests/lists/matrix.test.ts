// A change of one row in lists of every kind, on each server, told in each way: what the writer and another client see of it
// from its first moment on, and what it costs them.
import { describe, expect, test } from 'vitest'
import type { Change, Column, Item } from '../kit/lists'
import { board, changing, doneItems, item, oneItem, openItems, rankedItems, shown } from '../kit/lists'
import type { Watch } from '../kit/world'
import type { Client, ServerName, Told } from './servers'
import { after, answerOf, SERVERS, stage, TOLD } from './servers'

const ROWS = [
  item('a'),
  item('b', { group: 'y', rank: 2 }),
  item('c', { done: true, rank: 3 }),
  item('d', { group: 'y', rank: 4 }),
]

const CHANGES: Record<string, Change> = {
  'leaves one': { op: 'set', id: 'b', to: { done: true } },
  'enters one': { op: 'set', id: 'c', to: { done: false } },
  'moves within one': { op: 'set', id: 'a', to: { rank: 5 } },
  'moves to another column': { op: 'set', id: 'a', to: { group: 'y' } },
  'stays in its place': { op: 'count', id: 'a' },
  'stays out': { op: 'count', id: 'c' },
  'is new': { op: 'insert', row: item('e', { rank: 2.5 }) },
  'is deleted': { op: 'remove', id: 'b' },
}

const QUERIES = {
  '/open': openItems,
  '/ranked': rankedItems,
  '/board': board,
  '/done': doneItems,
  '/items/a': oneItem('a'),
}
type Path = keyof typeof QUERIES
const PATHS = Object.keys(QUERIES) as Path[]
const isDeclared = (path: Path): boolean => path !== '/done'

/** Any of the lists, as text. */
function text(data: unknown): string {
  if (data === undefined) return '-'
  if (Array.isArray(data)) return shown(data as Item[])
  const { columns } = data as { columns?: Column[] }
  return columns?.map(({ items }) => shown(items)).join(' | ') ?? shown([data as Item])
}

const textOf = (rows: readonly Item[], path: Path): string => text(answerOf(rows, path))

type Views = Record<Path, Watch<unknown>>

async function watchAll(client: Client, pass: () => Promise<void>): Promise<Views> {
  const views = Object.fromEntries(PATHS.map((path) => [path, client.watch(QUERIES[path])])) as Views
  await pass()
  client.count()
  return views
}

/** What is shown from now on, neighbours that are equal once. */
function framesOf(views: Views): () => Record<Path, string[]> {
  const from = Object.fromEntries(PATHS.map((path) => [path, views[path].values.length])) as Record<Path, number>
  return () =>
    Object.fromEntries(
      PATHS.map((path) => {
        const all = views[path].values.slice(from[path]).map(text)
        return [path, all.filter((each, i) => each !== all[i - 1])]
      }),
    ) as Record<Path, string[]>
}

/** How often a list is read for a change, at most. */
function readsOf(path: Path, step: Change, { told, isRead }: { told: Told; isRead: boolean }): number {
  if (isRead || told.includes('invalidate') || !isDeclared(path)) return 1
  if (path === '/items/a') return 0
  const [before, now] = [ROWS, after(ROWS, [step])].map((rows) => idsOf(answerOf(rows, path)))
  return step.op === 'remove' || before === now ? 0 : 1
}

/** Which rows, in which order. */
function idsOf(data: unknown): string {
  const { columns } = data as { columns?: Column[] }
  const lists = columns?.map(({ items }) => items) ?? [data as Item[]]
  return lists.map((rows) => rows.map(({ id }) => id)).join('|')
}

interface Case {
  server: ServerName
  told: Told
  hasApply: boolean
  isBare: boolean
}

const CASES: Case[] = SERVERS.flatMap(([server]) =>
  (server === 'plain REST' ? (['put'] as const) : TOLD).flatMap((told) =>
    [true, false].flatMap((hasApply) =>
      (server === 'the kit' && !told.includes('invalidate') ? [false, true] : [false]).map((isBare) => ({
        server,
        told,
        hasApply,
        isBare,
      })),
    ),
  ),
)

const nameOf = ({ server, told, hasApply, isBare }: Case): string =>
  `${server}, told by ${told}, ${hasApply ? 'with' : 'without'} apply${isBare ? ', rows without versions' : ''}`

describe.each(CASES.map((each) => [nameOf(each), each] as const))(
  '%s',
  (_, { server: name, hasApply, ...settings }) => {
    const begin = async () => {
      const { client, server, pass } = await stage(name, { rows: ROWS, ...settings })
      const [writer, other] = [await client(changing(hasApply ? {} : { apply: undefined })), await client()]
      const [own, others] = [await watchAll(writer, pass), await watchAll(other, pass)]
      for (const path of PATHS)
        expect([text(own[path].data), text(others[path].data)]).toEqual(Array(2).fill(textOf(ROWS, path)))
      return { server, pass, writer, other, own, others }
    }

    test.each(Object.entries(CHANGES))('a row %s', async (_name, step) => {
      const { server, pass, writer, other, own, others } = await begin()
      const [seen, heard] = [framesOf(own), framesOf(others)]
      writer.write(step)
      const rows = after(ROWS, [step])
      const isGone = (path: Path): boolean => path === '/items/a' && step.op === 'remove' && step.id === 'a'
      for (const path of PATHS)
        if (isDeclared(path) && !isGone(path))
          expect(`${path}: ${text(own[path].data)}`).toBe(`${path}: ${textOf(rows, path)}`)
      await pass()
      if (name === 'plain REST') {
        // Nobody tells: the user comes back to the page.
        for (const path of PATHS) expect(other.reads(path)).toBe(0)
        void other.sync.queryClient.invalidateQueries()
        await pass()
      }
      const known = await server.rows()
      const problems: string[] = []
      for (const path of PATHS) {
        const end = textOf(known, path)
        const say = (what: string): void => void problems.push(`${path} ${what}`)
        if (text(own[path].data) !== end) say(`of the writer ends as ${text(own[path].data)}, not ${end}`)
        if (text(others[path].data) !== end) say(`of the other ends as ${text(others[path].data)}, not ${end}`)
        const frames = seen()[path]
        if (isDeclared(path) && frames.length > 1) say(`of the writer shows ${frames.join(' > ')}`)
        if (frames.slice(0, -1).includes(textOf(ROWS, path))) say(`of the writer flickers: ${frames.join(' > ')}`)
        if (heard()[path].length > 1) say(`of the other shows ${heard()[path].join(' > ')}`)
        const isRead = name === 'plain REST'
        const most = readsOf(path, step, { told: settings.told, isRead: isRead && !hasApply })
        if (writer.reads(path) > most) say(`is read ${writer.reads(path)} times by the writer, not ${most}`)
        const exactly = readsOf(path, step, { told: settings.told, isRead })
        const isFree = step.op === 'remove' && !isDeclared(path) && !settings.told.includes('invalidate')
        if (other.reads(path) !== exactly && !isFree)
          say(`is read ${other.reads(path)} times by the other, not ${exactly}`)
      }
      expect(problems).toEqual([])
      expect([...writer.reports, ...other.reports]).toEqual([])
      expect(writer.sync.outbox.getState().entries).toEqual([])
    })
  },
)
