// Lists in pages, by cursor and by offset: what enters between loaded rows, what a push or an own write costs, and 'load more'
// before, during and after a reread.
import { describe, expect, test } from 'vitest'
import { changing, item } from '../kit/lists'
import { ALL, change, DECLARED, paged, six } from './paged'
import { del, put } from './scripted'

describe.each(DECLARED)('%s', (kind) => {
  test('a row that stays in its place is placed on its page, and nothing is read', async () => {
    const list = await paged(kind)
    await list.stream.patch(1, [put(item('c', { rank: 3, n: 1, version: 2 }))])
    await list.advance(5_000)
    expect([list.frames, await list.serve(six(), 1)]).toEqual([['a b | c#1 d'], 0])
  })

  test('a row that others move is read with all loaded pages, once', async () => {
    const list = await paged(kind)
    const rows = change(six(), 'a', { rank: 3.5 })
    await list.stream.patch(1, rows.filter(({ id }) => id === 'a').map(put))
    expect(list.base()).toBe('a b | c d')
    expect(await list.serve(rows, 1)).toBe(2)
    await list.advance(20_000)
    expect([list.shown, await list.serve(rows, 1)]).toEqual(['b c | a d', 0])
  })

  test('an own move is shown at once on its page, and stays so through the read', async () => {
    const list = await paged(kind)
    const { id } = list.write({ op: 'set', id: 'a', to: { rank: 3.5 } })
    expect(list.shown).toBe('b | c a d')
    const rows = change(six(), 'a', { rank: 3.5 })
    await list.confirm(1)
    await list.stream.patch(1, rows.filter((row) => row.id === 'a').map(put), { mutations: [id] })
    expect(await list.serve(rows, 1)).toBe(2)
    await list.advance(20_000)
    expect(list.frames.map((frame) => frame.replaceAll(' |', ''))).toEqual(expect.arrayContaining(['b c a d']))
    expect([list.shown, await list.serve(rows, 1)]).toEqual(['b c | a d', 0])
    expect(new Set(list.frames.map((frame) => frame.replaceAll(' |', '')))).toEqual(new Set(['b c a d']))
    expect(list.sync.outbox.getState().entries).toEqual([])
  })

  test('a new row enters between loaded neighbours; past the last loaded one only if no page follows', async () => {
    const list = await paged(kind)
    list.write({ op: 'insert', row: item('x', { rank: 2.5 }) }, { op: 'insert', row: item('y', { rank: 4.5 }) })
    list.write({ op: 'insert', row: item('z', { rank: 9 }) })
    expect(list.shown.replace(' |', '')).toBe('a b x c d')
    list.more()
    await list.serve(six(), 0)
    expect(list.shown.replaceAll(' |', '')).toBe('a b x c d y e f z')
  })

  test('a row that an own change takes behind the last loaded one leaves, and is there when its page is loaded', async () => {
    const list = await paged(kind)
    list.write({ op: 'set', id: 'a', to: { rank: 5.5 } })
    expect(list.shown).toBe('b | c d')
    list.more()
    await list.serve(six(), 0)
    expect([list.shown, list.base()]).toEqual(['b | c d | e a f', 'a b | c d | e f'])
  })

  test('the next page is asked for by what base has, whatever is shown', async () => {
    const list = await paged(kind)
    list.write({ op: 'set', id: 'd', to: { done: true } }, { op: 'insert', row: item('x', { rank: 2.5 }) })
    list.more()
    await list.settle()
    expect(list.net.waiting.find(({ method }) => method === 'GET')?.url).toMatch(/after=4$/)
    await list.serve(six(), 0)
    expect(list.shown.replaceAll(' |', '')).toBe('a b x c e f')
  })

  test('a deletion takes its row out at once, and all loaded pages are read', async () => {
    const list = await paged(kind)
    await list.stream.patch(1, [del('b')])
    expect(list.shown).toBe('a | c d')
    const rows = six().filter(({ id }) => id !== 'b')
    await list.stream.patch(2, [put(item('c', { rank: 3, n: 1, version: 2 }))])
    expect(list.base()).toBe('a | c d')
    await list.serve(change(rows, 'c', { n: 1 }), 2)
    expect([list.shown, list.frames]).toEqual(['a c#1 | d e', ['a | c d', 'a c#1 | d e']])
  })

  test('a refused move is where it was', async () => {
    const list = await paged(kind)
    list.write({ op: 'set', id: 'a', to: { rank: 3.5 } }).confirmed.catch(() => {})
    await list.refuse()
    expect([list.frames, await list.serve(six(), 0)]).toEqual([['b | c a d', 'a b | c d'], 0])
  })
})

describe.each(ALL)('%s: "load more"', (kind) => {
  const rows = change(six(), 'b', { done: true })
  const gone = rows.filter(({ id }) => id === 'b').map(put)

  test('before a reread: all pages are read again, the new one too', async () => {
    const list = await paged(kind)
    list.more()
    await list.serve(six(), 0)
    expect(list.shown).toBe('a b | c d | e f')
    await list.stream.patch(1, gone)
    expect(await list.serve(rows, 1)).toBe(3)
    expect([list.shown, list.frames.at(-1)]).toEqual(['a c | d e | f', 'a c | d e | f'])
    await list.advance(20_000)
    expect(await list.serve(rows, 1)).toBe(0)
  })

  test('asked for before a change that makes the list stale: neither the page nor the change is lost', async () => {
    const list = await paged(kind)
    list.more()
    await list.settle()
    await list.stream.patch(1, gone)
    await list.page(six(), 0)
    await list.serve(rows, 1)
    await list.advance(5_000)
    await list.serve(rows, 1)
    expect(list.shown).toBe('a c | d e | f')
  })

  test.each([0, 1])(
    'during a reread, with %d of its pages back: it runs after it, and neither is lost',
    async (back) => {
      const list = await paged(kind)
      await list.stream.patch(1, gone)
      for (let n = 0; n < back; n++) await list.page(rows, 1)
      list.more()
      await list.serve(rows, 1)
      await list.advance(5_000)
      await list.serve(rows, 1)
      expect(list.shown).toBe('a c | d e | f')
    },
  )

  test('after a reread: it begins where the read ended', async () => {
    const list = await paged(kind)
    await list.stream.patch(1, gone)
    await list.serve(rows, 1)
    list.more()
    expect(await list.serve(rows, 1)).toBe(1)
    expect([list.shown, list.frames]).toEqual(['a c | d e | f', ['a c | d e', 'a c | d e | f']])
  })

  test('of a page that knows more than the others: the events between are placed or read, and it ends as the server', async () => {
    const list = await paged(kind)
    list.more()
    await list.serve(rows, 1)
    await list.stream.patch(1, gone)
    await list.serve(rows, 1)
    await list.advance(5_000)
    await list.serve(rows, 1)
    const all = list.shown.split(/ \| | /)
    expect([...new Set(all)].join(' ')).toBe('a c d e f')
    expect(all).toHaveLength(5)
  })

  test('while an own write is on its way: shown before and after, on whichever page', async () => {
    const list = await paged(kind, { mutation: changing() })
    const { id } = list.write({ op: 'set', id: 'b', to: { n: 1 } })
    list.more()
    await list.serve(six(), 0)
    expect(list.shown).toBe('a b#1 | c d | e f')
    const counted = change(six(), 'b', { n: 1 })
    await list.confirm(
      1,
      counted.filter((row) => row.id === 'b'),
    )
    await list.stream.patch(1, counted.filter((row) => row.id === 'b').map(put), { mutations: [id] })
    await list.serve(counted, 1)
    await list.advance(20_000)
    await list.serve(counted, 1)
    expect(list.frames).toEqual(['a b#1 | c d', 'a b#1 | c d | e f'])
    expect(list.sync.outbox.getState().entries).toEqual([])
  })
})
