// Data of other people: frozen, with dates and maps in it, of another realm, in circles. It is shown, changed in views and
// given back, and what the server said is never changed.
import { runInNewContext } from 'node:vm'
import { produce } from 'immer'
import type { RowRef, View } from 'tidemark'
import { defineMutation, entity, memoryStorage, queryOptions } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { deepFreeze } from '../kit/freeze'
import { createWorld } from '../kit/world'

interface Row {
  id: string | number
  title: string
}
const row = entity<Row>('row')
const items = (): Row[] => [{ id: '1', title: 'Milk' }]

/** A client with one query of this data, and a write that does with it as it is told. */
async function holding<T>(
  data: T,
  rows: unknown,
  write: (view: View) => void,
  isDevelopment = true,
  storage = memoryStorage(),
) {
  const query = queryOptions({ queryKey: ['q'], queryFn: async () => data, rows: rows as never, staleTime: Infinity })
  const change = defineMutation({
    mutationKey: ['change'],
    mutationFn: (_, { fetch }) => fetch('/change').then((answer) => answer.json()),
    optimistic: write,
  })
  const world = createWorld({ mutations: [change], storage, platform: { development: isDevelopment } })
  world.sync.start()
  const watch = world.watch<T>(query)
  await world.settle()
  const send = async () => {
    const handle = world.sync.mutate(change)
    await world.settle()
    return {
      refuse: async () => {
        await world.net.take('POST').answer({}, { status: 422 })
        await handle.confirmed.catch(() => {})
      },
    }
  }
  return { ...world, watch, change, send, watchOther: world.watch }
}

describe('rows are found in data that is frozen', () => {
  const shapes: ReadonlyArray<readonly [string, () => unknown, unknown, (data: never) => unknown]> = [
    ['a list', () => deepFreeze(items()), [row, (d: Row[]) => d], (d: Row[]) => d[0]],
    [
      'a wrapped list',
      () => deepFreeze({ total: 1, items: items() }),
      [row, (d: { items: Row[] }) => d.items],
      (d: { items: Row[] }) => d.items[0],
    ],
    [
      'what immer made',
      () => produce({ total: 0, items: items() }, (draft) => void draft.total++),
      [row, (d: { items: Row[] }) => d.items],
      (d: { items: Row[] }) => d.items[0],
    ],
    [
      'a board of columns',
      () => deepFreeze({ columns: [{ rows: items() }] }),
      [row, (d: { columns: { rows: Row[] }[] }) => d.columns.map((column) => column.rows)],
      (d: { columns: { rows: Row[] }[] }) => d.columns[0]?.rows[0],
    ],
    [
      'edges of GraphQL',
      () => deepFreeze({ todos: { edges: [{ node: items()[0] }] } }),
      [row, (d: { todos: { edges: { node: Row }[] } }) => d.todos.edges.map(({ node }) => node)],
      (d: { todos: { edges: { node: Row }[] } }) => d.todos.edges[0]?.node,
    ],
    [
      'lists that are spread and looked through',
      () => deepFreeze({ open: items(), done: [] }),
      [
        row,
        (d: Record<string, Row[]>) => Object.values({ ...d }).filter((list) => Array.isArray(list) && 'length' in list),
      ],
      (d: { open: Row[] }) => d.open[0],
    ],
    [
      'a read-only property',
      () => Object.defineProperty({}, 'items', { value: items(), enumerable: true }),
      [row, (d: { items: Row[] }) => d.items],
      (d: { items: Row[] }) => d.items[0],
    ],
  ]

  test.each(shapes)('%s', async (_, make, rows, read) => {
    const { watch, sync, change, reports } = await holding(make(), rows, (view) => {
      view.row(row, '1').update((draft) => {
        draft.title = 'Oat'
      })
    })
    expect(read(watch.data as never)).toEqual({ id: '1', title: 'Milk' })
    sync.mutate(change)
    expect(read(watch.data as never)).toEqual({ id: '1', title: 'Oat' })
    expect(read(sync.getBase(['q']) as never)).toEqual({ id: '1', title: 'Milk' })
    expect(() => sync.queryClient.setQueryData(['q'], make())).not.toThrow()
    expect(reports).toEqual([])
  })

  test('a locate that sorts in place changes nothing', async () => {
    const data = [
      { id: 'b', title: 'b' },
      { id: 'a', title: 'a' },
    ]
    const locate = (rows: Row[]) => rows.sort((x, y) => x.title.localeCompare(y.title))
    const { watch, send } = await holding(data, [row, locate], (view) => {
      view.row(row, 'a').update((draft) => {
        draft.title = 'A'
      })
    })
    await send()
    expect((watch.data as Row[]).map(({ title }) => title)).toEqual(['b', 'A'])
  })

  test('a locate that throws over other data makes no read fail, and is said', async () => {
    const { watch, warnings } = await holding(
      { nothing: 1 },
      [row, (d: { items: Row[][] }) => d.items.flat()],
      () => {},
    )
    expect(watch.data).toEqual({ nothing: 1 })
    expect(warnings).toEqual([
      expect.stringMatching(
        /^Tidemark: "locate" of query \["q"\] threw over its data, so no change of a "row" is shown in it: .*flat.*\.$/,
      ),
    ])
  })
})

class Money {
  cents: number
  constructor(cents: number) {
    this.cents = cents
  }
  get euros() {
    return this.cents / 100
  }
}

// biome-ignore lint/suspicious/noExplicitAny: data of every form
type Any = Record<string, any>

describe.each([true, false])('a recipe over what immer cannot draft (development: %s)', (isDevelopment) => {
  const circle = () => {
    const data: Any = { title: 'Milk', children: [{ title: 'a' }, { title: 'b' }] }
    for (const child of data['children']) child.parent = data
    return data
  }
  const changes: ReadonlyArray<
    readonly [string, () => Any, (draft: Any) => unknown, (data: Any) => unknown, unknown, unknown]
  > = [
    [
      'a date in place',
      () => ({ due: new Date(0) }),
      (d) => void d['due'].setUTCFullYear(2030),
      (d) => d['due'].getUTCFullYear(),
      1970,
      2030,
    ],
    [
      'a date replaced',
      () => ({ due: new Date(0) }),
      (d) => {
        d['due'] = new Date(Date.UTC(2030, 1))
      },
      (d) => d['due'].getUTCFullYear(),
      1970,
      2030,
    ],
    [
      'a date deep in lists',
      () => ({ a: [{ b: { due: new Date(0) } }] }),
      (d) => void d['a'][0].b.due.setTime(9),
      (d) => d['a'][0].b.due.getTime(),
      0,
      9,
    ],
    [
      'a value in a Map',
      () => ({ byId: new Map([['1', { title: 'Milk' }]]) }),
      (d) => {
        d['byId'].get('1').title = 'Oat'
      },
      (d) => d['byId'].get('1').title,
      'Milk',
      'Oat',
    ],
    [
      'an entry of a Map',
      () => ({ byId: new Map([['1', 1]]) }),
      (d) => void d['byId'].set('2', 2),
      (d) => [...d['byId'].keys()].join(),
      '1',
      '1,2',
    ],
    [
      'a Set',
      () => ({ tags: new Set(['a']) }),
      (d) => void d['tags'].add('b'),
      (d) => [...d['tags']].join(),
      'a',
      'a,b',
    ],
    [
      'an object in a Set',
      () => ({ tags: new Set([{ n: 1 }]) }),
      (d) => {
        ;[...d['tags']][0].n = 2
      },
      (d) => [...d['tags']][0].n,
      1,
      2,
    ],
    [
      'a typed array',
      () => ({ px: new Uint8Array([1, 2]) }),
      (d) => {
        d['px'][0] = 9
      },
      (d) => d['px'][0],
      1,
      9,
    ],
    [
      'a buffer',
      () => ({ raw: new ArrayBuffer(2) }),
      (d) => void new Uint8Array(d['raw']).fill(7),
      (d) => new Uint8Array(d['raw'])[0],
      0,
      7,
    ],
    [
      'a view of bytes',
      () => ({ view: new DataView(new ArrayBuffer(2)) }),
      (d) => void d['view'].setUint8(0, 7),
      (d) => d['view'].getUint8(0),
      0,
      7,
    ],
    [
      'an instance of a class',
      () => ({ price: new Money(100) }),
      (d) => {
        d['price'].cents = 250
      },
      (d) => [d['price'] instanceof Money, d['price'].euros].join(),
      'true,1',
      'true,2.5',
    ],
    [
      'data that is an instance',
      () => new Money(100) as Any,
      (d) => {
        d['cents'] = 250
      },
      (d) => d['euros'],
      1,
      2.5,
    ],
    [
      'an address',
      () => ({ url: new URL('http://a/x') }),
      (d) => {
        d['url'].pathname = '/y'
      },
      (d) => d['url'].href,
      'http://a/x',
      'http://a/y',
    ],
    [
      'data in a circle',
      circle,
      (d) => {
        d['children'][0].parent.title = 'Oat'
      },
      (d) => [d['title'], d['children'][1].parent.title].join(),
      'Milk,Milk',
      'Oat,Oat',
    ],
    ['a field beside a Map', () => ({ n: 1, byId: new Map([['1', 1]]) }), (d) => void d['n']++, (d) => d['n'], 1, 2],
    [
      'a field beside a BigInt',
      () => ({ n: 1, big: 10n ** 30n }),
      (d) => void d['n']++,
      (d) => [d['n'], d['big']].join(),
      `1,${10n ** 30n}`,
      `2,${10n ** 30n}`,
    ],
    [
      'data of another realm',
      () => runInNewContext('({ list: [{ n: 1 }], due: new Date(0) })'),
      (d) => {
        d['list'][0].n = 2
        d['due'].setTime(5)
      },
      (d) => [d['list'][0].n, d['due'].getTime()].join(),
      '1,0',
      '2,5',
    ],
    [
      'data returned anew',
      () => ({ due: new Date(0), n: 1 }),
      (d) => ({ ...d, n: 2 }),
      (d) => [d['n'], d['due'].getTime()].join(),
      '1,0',
      '2,0',
    ],
  ]

  test.each(changes)('%s: shown, base as it was, taken back', async (_, make, recipe, read, before, after) => {
    const data = make()
    const { watch, sync, send, reports } = await holding(
      data,
      undefined,
      (view) => view.update(['q'], recipe as never),
      isDevelopment,
    )
    const write = await send()
    expect(read(watch.data as Any)).toEqual(after)
    expect([read(data), read(sync.getBase(['q']) as Any)]).toEqual([before, before])
    await write.refuse()
    expect(read(watch.data as Any)).toEqual(before)
    expect(sync.getView(['q'])).toBe(sync.getBase(['q']))
    expect(reports).toEqual([])
  })

  test('what it leaves alone keeps its reference', async () => {
    const data = { due: new Date(0), rows: [{ n: 1 }, { n: 2 }], byId: new Map([['1', { n: 1 }]]) }
    const { watch, send } = await holding(data, undefined, (view) => {
      view.update<typeof data>({ queryKey: ['q'] }, (draft) => {
        const [first] = draft.rows
        if (first !== undefined) first.n = 9
      })
    })
    await send()
    const shown = watch.data as typeof data
    expect(shown.rows[0]).toEqual({ n: 9 })
    expect([shown.due === data.due, shown.rows[1] === data.rows[1], shown.byId === data.byId]).toEqual([
      true,
      true,
      true,
    ])
  })

  test('a property of a list by name is refused, as by immer, so that none outlives a rollback', async () => {
    const data = [new Uint8Array([1])]
    const world = await holding(
      data,
      undefined,
      (view) => view.update<Uint8Array[]>({ queryKey: ['q'] }, (draft) => void Object.assign(draft, { a: 3 })),
      isDevelopment,
    )
    const { refuse } = await world.send()
    expect(Object.keys(world.watch.data ?? {})).toEqual(['0'])
    expect(world.reports.map(({ code }) => code)).toContain('recipe')
    await refuse()
    expect(world.watch.data).toBe(data)
  })

  test('a recipe that throws half-way has changed nothing', async () => {
    const data = { due: new Date(0) }
    const { watch, sync, send, reports } = await holding(data, undefined, (view) =>
      view.update<typeof data>({ queryKey: ['q'] }, (draft) => {
        draft.due.setTime(9)
        throw new Error('half-way')
      }),
    )
    await send()
    expect([data.due.getTime(), (watch.data as typeof data).due.getTime()]).toEqual([0, 0])
    expect(sync.getBase(['q'])).toEqual({ due: new Date(0) })
    expect(reports.map(({ code }) => code)).toEqual(['recipe'])
  })
})

describe('base', () => {
  test('is frozen in development, in depth, also what is set, hydrated or initial', async () => {
    const { watch, watchOther, sync } = await holding([{ id: '1', tags: [{ name: 'a' }] }], undefined, () => {})
    expect(() => (watch.data as Any[])[0]?.['tags'].push('b')).toThrow(TypeError)
    sync.queryClient.setQueryData(['set'], [{ n: 1 }])
    expect(Object.isFrozen(sync.queryClient.getQueryData<object[]>(['set'])?.[0])).toBe(true)
    const options = { queryKey: ['initial'], initialData: [{ n: 1 }] }
    expect(Object.isFrozen(watchOther<object[]>(options).data?.[0])).toBe(true)
  })

  test('is left as it is in production', async () => {
    const data = [{ n: 1 }]
    await holding(data, undefined, () => {}, false)
    expect([Object.isFrozen(data), Object.isFrozen(data[0])]).toEqual([false, false])
  })
})

describe('a row that the storage cannot keep', () => {
  class Circle implements Row {
    id = '1'
    title = 'Milk'
    self: unknown = this
  }
  test.each([
    ['a circle', () => new Circle()],
    ['a bigint', () => ({ id: '1', title: 'Milk', size: 1n })],
  ])('%s keeps no write from being refused, listed, sent again and followed', async (_, make) => {
    const storage = memoryStorage()
    const world = await holding(
      [make()],
      [row, (d: Row[]) => d],
      (view) => view.row(row, '1').update(milk),
      true,
      storage,
    )
    const first = world.sync.mutate(world.change)
    const second = world.sync.mutate(world.change)
    await first.durable
    await world.settle()
    await world.net.take('POST').answer({ title: 'No.' }, { status: 422 })
    await expect(first.confirmed).rejects.toMatchObject({ code: 'rejected' })
    await world.settle()
    await world.net.take('POST').answer({})
    await second.confirmed
    expect(world.sync.outbox.getState()).toMatchObject({ failed: [{ id: first.id, failure: { status: 422 } }] })
    expect(world.reports).toEqual([])
    await world.settle()
    expect((await storage.list('')).filter(([key]) => key.includes('/failed/'))).toHaveLength(1)
  })

  const milk = (draft: Row): void => {
    draft.title = 'Oat'
  }
})

describe('ids are alike as text and as number', () => {
  const renaming = (id: string | number) => (view: View) =>
    view.row(row, id).update((draft) => {
      draft.title = 'Oat'
    })

  test.each([
    [1, '1'],
    ['1', 1],
    [0, '0'],
  ])('%j is found as %j, and asked for as both', async (id, other) => {
    const { watch, sync, send } = await holding([{ id, title: 'Milk' }], [row, (d: Row[]) => d], renaming(other))
    await send()
    expect(watch.data).toEqual([{ id, title: 'Oat' }])
    for (const asked of [id, other]) {
      expect(sync.pending({ entity: row, id: asked }).getState()).toHaveLength(1)
      expect(sync.pending({ entity: row, id: asked, mutationKey: ['change'] }).getState()).toHaveLength(1)
    }
  })

  test.each([
    ['a b', 'c', 'a', 'b c'],
    ['a%20b', 'c', 'a b', 'c'],
    ['a', '%20', 'a%20', ''],
  ])('row %j %j is not row %j %j', async (type, id, otherType, otherId) => {
    const { sync, send } = await holding([], undefined, (view) => view.upsert(entity<Row>(type), { id, title: '' }))
    await send()
    expect(sync.pending({ entity: entity(type), id }).getState()).toHaveLength(1)
    expect(sync.pending({ entity: entity(otherType), id: otherId }).getState()).toEqual([])
  })
})

describe('what a write waits for', () => {
  const tag = entity<Row>('tag')
  const creating = (kind: typeof row, name: string, after?: (variables: Row) => readonly RowRef[]) =>
    defineMutation({
      mutationKey: [name],
      mutationFn: (value: Row, { fetch }) =>
        fetch(`/${name}`, { body: JSON.stringify(value) }).then((answer): Promise<Row> => answer.json()),
      optimistic: (view, value) => view.insert([name], kind, value),
      scope: { id: name },
      after,
    })
  const addTag = creating(tag, 'tags')
  const addRow = creating(row, 'rows')
  const rename = defineMutation({
    mutationKey: ['rename'],
    mutationFn: (value: Row, { fetch }) =>
      fetch('/rename', { body: JSON.stringify(value) }).then((answer): Promise<Row> => answer.json()),
    optimistic: (view, { id, title }) =>
      view.row(row, id).update((draft) => {
        draft.title = title
      }),
    scope: { id: 'rename' },
  })
  const attach = defineMutation({
    mutationKey: ['attach'],
    mutationFn: (value: { row: string | number; tag: string | number }, { fetch }) =>
      fetch('/attach', { body: JSON.stringify(value) }).then((answer): Promise<unknown> => answer.json()),
    scope: { id: 'attach' },
    after: (value) => [
      [row, value.row],
      [tag, value.tag],
    ],
  })
  const urls = ({ net }: ReturnType<typeof createWorld>) => net.waiting.map(({ url }) => url)

  async function client() {
    const world = createWorld({ mutations: [addTag, addRow, rename, attach] })
    world.sync.start()
    await world.settle()
    return world
  }

  test.each([
    [1, 1],
    [1, '1'],
    ['1', 1],
    ['a', 'a'],
  ])('the create of its row: %j by %j', async (id, other) => {
    const world = await client()
    world.sync.mutate(addRow, { id, title: 'Milk' })
    const renamed = world.sync.mutate(rename, { id: other, title: 'Oat' })
    await world.settle()
    expect(urls(world)).toEqual(['/rows'])
    await world.net.take('POST').answer({}, { status: 422 })
    await expect(renamed.confirmed).rejects.toMatchObject({ code: 'dependency-rejected' })
    expect(urls(world)).toEqual([])
  })

  test('no create of another kind, and no word in its variables', async () => {
    const world = await client()
    world.sync.mutate(addTag, { id: 'urgent', title: 'Urgent' })
    const added = world.sync.mutate(addRow, { id: 'r', title: 'urgent' })
    world.sync.mutate(rename, { id: 'urgent', title: 'urgent' })
    await world.settle()
    expect(urls(world)).toEqual(['/tags', '/rows', '/rename'])
    await world.net.take('POST', '/tags').answer({}, { status: 422 })
    await world.net.take('POST', '/rows').answer({ id: 'r', title: 'urgent' })
    await added.confirmed
  })

  test('the rows that "after" names, all of them, and it is refused with any', async () => {
    const world = await client()
    world.sync.mutate(addRow, { id: 7, title: 'Milk' })
    world.sync.mutate(addTag, { id: 't', title: 'Tag' })
    const attached = world.sync.mutate(attach, { row: '7', tag: 't' })
    await world.settle()
    expect(urls(world)).toEqual(['/rows', '/tags'])
    await world.net.take('POST', '/rows').answer({ id: 7, title: 'Milk' })
    await world.settle()
    expect(urls(world)).toEqual(['/tags'])
    await world.net.take('POST', '/tags').answer({}, { status: 422 })
    await expect(attached.confirmed).rejects.toMatchObject({ code: 'dependency-rejected' })
  })

  test('an "after" that throws is said, and waits for nothing', async () => {
    const wrong = creating(row, 'wrong', () => {
      throw new Error('mine')
    })
    const world = createWorld({ mutations: [wrong, addRow] })
    world.sync.start()
    world.sync.mutate(addRow, { id: 1, title: '' })
    const handle = world.sync.mutate(wrong, { id: 2, title: '' })
    await world.settle()
    await world.net.take('POST', '/wrong').answer({ id: 2, title: '' })
    await handle.confirmed
    expect(world.reports.map(({ code, message }) => [code, message])).toEqual([
      ['usage', '"after" of mutation ["wrong"] threw: it waits for no row that is created before it.'],
    ])
  })
})
