// An own change, its answer, its echo and reads in every order: the writer never sees it undone, and ends as the server has it.
import { describe, expect, test } from 'vitest'
import type { RowChange } from '../../src/base/messages'
import type { Change, Item } from '../kit/lists'
import { allShown, changing, doneItems, item, load, openItems, rankedItems, shown } from '../kit/lists'
import type { Watch } from '../kit/world'
import type { Scripted } from './scripted'
import { at, del, merge, put, scripted } from './scripted'

type Told = 'put' | 'merge' | 'invalidate' | 'put, invalidate' | 'invalidate, put'
const TOLD: Told[] = ['put', 'merge', 'invalidate', 'put, invalidate', 'invalidate, put']

const ROWS = [
  item('a'),
  item('b', { rank: 2 }),
  item('c', { rank: 3, done: true }),
  item('d', { rank: 4 }),
  item('e', { rank: 5, done: true }),
]

/** The lists by their addresses. */
const LISTS: Record<string, (rows: readonly Item[]) => Item[]> = {
  '/open': (rows) => rows.filter(({ done }) => !done),
  '/ranked': (rows) => [...rows],
  '/done': (rows) => rows.filter(({ done }) => done),
}
const QUERIES = { '/open': openItems, '/ranked': rankedItems, '/done': doneItems }
const byRank = (a: Item, b: Item) => a.rank - b.rank

type Own = Extract<Change, { op: 'set' | 'remove' } | { op: 'insert' | 'upsert' }>
const idOf = (change: Own): string => ('row' in change ? change.row.id : change.id)

/** The server, at each position. */
class Log {
  readonly states: Item[][] = [ROWS]
  readonly changes: RowChange[] = []
  /** Changes a row, adds one, or deletes it. */
  commit(change: Own): void {
    const rows = this.states.at(-1) as Item[]
    const id = idOf(change)
    const before = rows.find((row) => row.id === id)
    const others = rows.filter((row) => row.id !== id)
    if (change.op === 'remove') {
      this.states.push(others)
      this.changes.push(del(id), del(id))
      return
    }
    const row = change.op === 'set' ? { ...(before as Item), ...change.to, version: 2 } : change.row
    this.states.push([...others, row].sort(byRank))
    this.changes.push(put(row), change.op === 'set' ? merge(id, 1, change.to) : put(row))
  }
  row = (id: string): Item | null => this.states.at(-1)?.find((row) => row.id === id) ?? null
}

interface Play extends Scripted {
  log: Log
  views: Record<string, Watch<Item[]>>
  own(change: Own): string
  /** The server has taken the own write in; then its answer comes. */
  apply(change: Own): void
  ack(hasRows: boolean): Promise<void>
  echo(told: Told, id: string): Promise<void>
  /** All reads that wait are of this position. */
  land(position: number): Promise<void>
  rest(): Promise<void>
}

async function play(hasApply: boolean): Promise<Play> {
  const world = await scripted(changing(hasApply ? {} : { apply: undefined }))
  const log = new Log()
  const views: Play['views'] = {}
  for (const [url, query] of Object.entries(QUERIES))
    views[url] = await load<Item[]>(world, query, url, LISTS[url]?.(ROWS) as Item[], at(0))
  let last = ''
  const land: Play['land'] = async (position) => {
    await world.settle()
    for (const get of world.net.waiting.filter(({ method }) => method === 'GET'))
      await get.answer(LISTS[get.url]?.(log.states[position] as Item[]), at(position))
    await world.settle()
  }
  return {
    ...world,
    log,
    views,
    land,
    own: (change) => world.write(change).id,
    apply(change) {
      log.commit(change)
      last = idOf(change)
    },
    ack: (hasRows) => world.confirm(log.states.length - 1, hasRows ? { [last]: log.row(last) } : undefined),
    async echo(told, id) {
      const position = log.states.length - 1
      const change = log.changes.at(told === 'merge' ? -1 : -2)
      const patch: ['patch', object] = ['patch', { changes: [change] }]
      const invalidate: ['invalidate', object] = ['invalidate', { keys: [['items']] }]
      if (told === 'put' || told === 'merge') await world.both(position, [patch], [id])
      else if (told === 'invalidate') await world.both(position, [invalidate], [id])
      else await world.both(position, told === 'put, invalidate' ? [patch, invalidate] : [invalidate, patch], [id])
    },
    async rest() {
      for (let n = 0; n < 8; n++) {
        await land(log.states.length - 1)
        await world.advance(1_500)
      }
    },
  }
}

const CHANGES: Own[] = [
  { op: 'set', id: 'b', to: { done: true } },
  { op: 'set', id: 'c', to: { done: false } },
  { op: 'set', id: 'a', to: { rank: 4.5 } },
  { op: 'set', id: 'a', to: { n: 1 } },
  { op: 'insert', row: item('f', { rank: 2.5 }) },
  { op: 'remove', id: 'b' },
]
/** They need no read where there is a rule. */
const isQuiet = (change: Own): boolean => change.op === 'remove' || (change.op === 'set' && 'n' in change.to)

type Script = (play: Play, move: Own, told: Told, hasRows: boolean) => Promise<void>

const SCRIPTS: Record<string, Script> = {
  async 'answer, echo'(p, move, told, hasRows) {
    const id = p.own(move)
    p.apply(move)
    await p.ack(hasRows)
    await p.echo(told, id)
  },
  async 'echo, answer'(p, move, told, hasRows) {
    const id = p.own(move)
    p.apply(move)
    await p.settle()
    const post = p.net.waiting.find(({ method }) => method === 'POST')
    await p.echo(told, id)
    await post?.answer(hasRows ? { rows: { [idOf(move)]: p.log.row(idOf(move)) } } : {}, at(1))
  },
  async 'echo, and the answer is lost'(p, move, told) {
    const id = p.own(move)
    p.apply(move)
    await p.settle()
    const post = p.net.waiting.find(({ method }) => method === 'POST')
    await p.echo(told, id)
    await post?.drop()
  },
  async 'an old read out, answer, read, echo'(p, move, told, hasRows) {
    void p.sync.queryClient.refetchQueries()
    await p.settle()
    const id = p.own(move)
    p.apply(move)
    await p.ack(hasRows)
    await p.land(0)
    await p.echo(told, id)
  },
  async 'an old read out, echo, read, answer'(p, move, told, hasRows) {
    void p.sync.queryClient.refetchQueries()
    await p.settle()
    const id = p.own(move)
    p.apply(move)
    await p.settle()
    const post = p.net.waiting.find(({ method }) => method === 'POST')
    await p.echo(told, id)
    await p.land(0)
    await post?.answer(hasRows ? { rows: { [idOf(move)]: p.log.row(idOf(move)) } } : {}, at(1))
  },
  async 'a read that contains it, answer, echo'(p, move, told, hasRows) {
    const id = p.own(move)
    p.apply(move)
    void p.sync.queryClient.refetchQueries()
    await p.land(1)
    await p.ack(hasRows)
    await p.echo(told, id)
  },
  async 'answer, a read that contains it, echo'(p, move, told, hasRows) {
    const id = p.own(move)
    p.apply(move)
    await p.ack(hasRows)
    await p.land(1)
    await p.echo(told, id)
  },
}

const CASES = Object.keys(SCRIPTS).flatMap((script) => TOLD.map((told) => [script, told] as const))

describe.each(CASES)('%s (told by %s)', (script, told) => {
  test.each([true, false])('with apply: %s', async (hasApply) => {
    const problems: string[] = []
    for (const move of CHANGES) {
      const p = await play(hasApply)
      await SCRIPTS[script]?.(p, move, told, hasApply)
      await p.rest()
      const say = (what: string): void => void problems.push(`${JSON.stringify(move)}: ${what}`)
      for (const [url, view] of Object.entries(p.views)) {
        const [, old = '', ...frames] = allShown(view, shown)
        const end = shown(LISTS[url]?.(p.log.states.at(-1) as Item[]))
        const now = shown(view.data)
        if (now !== end) say(`${url} ends as ${now}, not ${end}`)
        if (frames.includes(old) && old !== end) say(`${url} flickers: ${old} > ${frames.join(' > ')}`)
        if (url !== '/done' && frames.length > 1) say(`${url} shows ${frames.join(' > ')}`)
        const reads = p.reads(url) - 1
        const isFree = url !== '/done' && isQuiet(move) && !told.includes('invalidate')
        // A read from before the answer is older than base, and made again. Without rows an answer is read for at once, though its echo may come.
        const isForced = script.startsWith('an old read out, answer') || (script === 'answer, echo' && !hasApply)
        const most = (script.includes('read') ? 1 : 0) + (isFree && !isForced ? 0 : 1)
        if (reads > most) say(`${url} is read ${reads} times, not ${most}`)
      }
      if (p.reports.length > 0) say(`reports ${p.reports[0]?.message}`)
      if (p.sync.outbox.getState().entries.length > 0) say('the write never leaves')
    }
    expect(problems.join('\n')).toBe('')
  })
})
