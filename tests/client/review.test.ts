// Defects that a reading of the queue and the cache found: each was a test that failed.
import type { ClientStorage, SyncClientOptions } from 'tidemark'
import { createQueryStore, defineMutation, hashKey, hydrate, memoryStorage, syncStream } from 'tidemark'
import { describe, expect, test, vi } from 'vitest'
import type { Doc } from '../kit/docs'
import { at, doc, docQuery, loadDoc, nextWrite, takeRead, takeWrite, watchDoc, writes, writing } from '../kit/docs'
import { scriptedStorage } from '../kit/storage'
import { greet } from '../kit/stream'
import { adding, editing, loadTodos, removing, take, todo } from '../kit/todos'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'

const push = writing('push')

async function started(options: SyncClientOptions & { seed?: number } = {}): Promise<World> {
  const world = createWorld({ mutations: [push], breaker: { threshold: 1000 }, ...options })
  world.sync.start()
  await world.settle()
  return world
}

const statuses = ({ sync }: World) => sync.outbox.getState().entries.map(({ status }) => status)
const tokens = ({ sync }: World) =>
  sync.outbox.getState().entries.map(({ variables }) => (variables as { token: string }).token)

/** A page that was closed offline with these writes in its outbox. */
async function left(...made: string[]) {
  const storage = memoryStorage()
  const world = await started({ storage })
  await world.net.network.set('offline')
  for (const token of made) world.sync.mutate(push, { token, to: ['q1'] })
  await world.settle()
  world.sync.stop()
  return storage
}

describe('before the log of an earlier page is read', () => {
  test('taking a change back leaves what the earlier page left', async () => {
    const storage = await left('a', 'b')
    const world = createWorld({ mutations: [push], storage, seed: 2 })
    world.sync.start()
    world.sync.mutate(push, { token: 'c', to: [] }).cancel()
    await world.settle()
    expect(tokens(world)).toEqual(['a', 'b'])
  })

  test('a change that was refused with what it builds on leaves what the earlier page left', async () => {
    const storage = await left('a', 'b')
    const [add, edit] = [adding(), editing()]
    const world = createWorld({ mutations: [push, add, edit], storage, seed: 2 })
    world.sync.start()
    const made = world.sync.mutate(add, todo('n', 'new'))
    world.sync.mutate(edit, { id: 'n', title: 'newer' })
    made.cancel()
    await world.settle()
    expect(tokens(world)).toEqual(['a', 'b'])
    const next = createWorld({ mutations: [push, add, edit], storage, seed: 3 })
    next.sync.start()
    await next.settle()
    expect(tokens(next)).toEqual(['a', 'b'])
    expect(next.sync.outbox.getState().failed).toHaveLength(1)
  })

  test('what the earlier page left does not wait for what this page makes', async () => {
    const [add, remove] = [adding(), removing()]
    const storage = memoryStorage()
    const first = await started({ mutations: [add, remove], storage })
    await first.net.network.set('offline')
    first.sync.mutate(remove, 'n')
    await first.settle()
    first.sync.stop()
    const world = createWorld({ mutations: [add, remove], storage, seed: 2 })
    world.sync.mutate(add, todo('n', 'new'))
    world.sync.start()
    await world.settle()
    expect(writes(world).map(({ url }) => url)).toEqual(['/remove'])
  })
})

describe('a subscriber that throws', () => {
  test('stops neither the others nor the queue, and is reported', async () => {
    const world = await started()
    const bad = createQueryStore(world.sync, docQuery('q1'))
    const cause = new Error('render')
    let broken = false
    bad.subscribe(() => {
      if (broken) throw cause
    })
    const q1 = await loadDoc(world, doc('q1', 0))
    broken = true
    const one = world.sync.mutate(push, { token: 'a', to: ['q1'] })
    const two = world.sync.mutate(push, { token: 'b', to: ['q1'] })
    await world.settle()
    await takeWrite(world, 'a').answer({ docs: [doc('q1', 1, 'a')] }, at(1))
    await one.reflected
    await world.settle()
    await takeWrite(world, 'b').answer({ docs: [doc('q1', 2, 'a', 'b')] }, at(2))
    await two.reflected
    expect(q1.shown).toEqual(['-', '', 'a', 'a b'])
    expect(world.reports[0]).toMatchObject({ code: 'usage', cause })
  })

  test('of the mutation cache does not stop the queue', async () => {
    const world = await started()
    world.sync.queryClient.getMutationCache().subscribe(() => {
      throw new Error('log')
    })
    const handle = world.sync.mutate(push, { token: 'a', to: [] })
    await world.settle()
    await takeWrite(world, 'a').answer({})
    await handle.confirmed
    expect(world.sync.outbox.getState().entries).toEqual([])
  })
})

describe('a subscriber that changes something', () => {
  test('does not make another one see what was before', async () => {
    const world = await started()
    const first = createQueryStore(world.sync, docQuery('q1'))
    let again = false
    first.subscribe(() => {
      if (!again) return
      again = false
      world.sync.mutate(push, { token: 'b', to: ['q1', 'q2'] })
    })
    await loadDoc(world, doc('q1', 0))
    const q2 = await loadDoc(world, doc('q2', 0))
    again = true
    world.sync.mutate(push, { token: 'a', to: ['q1', 'q2'] })
    expect(q2.shown).toEqual(['-', '', 'a b'])
  })
})

describe('a log that cannot be read', () => {
  test('in a row leaves that row as it is, and the others are used', async () => {
    const storage = await left('a', 'b')
    const [[key, text] = ['', '']] = await storage.list('default/outbox/log/')
    await storage.write([[key, text.slice(0, 20)]])
    const world = createWorld({ mutations: [push], storage, seed: 2 })
    world.sync.start()
    await world.settle()
    expect(world.reports).toMatchObject([{ code: 'storage' }])
    world.sync.mutate(push, { token: 'c', to: [] })
    await world.settle()
    expect(tokens(world)).toEqual(['b', 'c'])
    expect(await storage.get(key)).toBe(text.slice(0, 20))
  })

  test('at all is not written over', async () => {
    const disk = await left('a', 'b')
    const before = await disk.list('')
    const storage = { ...disk, list: () => Promise.reject(new Error('gone')) }
    const world = createWorld({ mutations: [push], storage, seed: 2 })
    world.sync.start()
    const handle = world.sync.mutate(push, { token: 'c', to: [] })
    await expect(handle.durable).rejects.toMatchObject({ code: 'storage' })
    await world.settle()
    await takeWrite(world, 'c').answer({})
    await handle.confirmed
    expect(await disk.list('')).toEqual(before)
  })
})

describe('what builds on something else', () => {
  test('waits while the conflict of that is not resolved', async () => {
    const add = adding({ scope: { id: 'add' }, conflict: 'manual' })
    const edit = editing({ scope: { id: 'edit' } })
    const world = await started({ mutations: [add, edit] })
    const made = world.sync.mutate(add, todo('n', 'new'))
    world.sync.mutate(edit, { id: 'n', title: 'newer' })
    await world.settle()
    await take(world, '/add').answer({ title: 'Taken.' }, { status: 409 })
    await world.advance(60_000)
    world.sync.mutate(edit, { id: 'n', title: 'newest' })
    await world.settle()
    expect(writes(world).map(({ url }) => url)).toEqual(['/add'])
    world.sync.resolve(made.id, { variables: todo('n', 'other') })
    await world.settle()
    expect(writes(world).map(({ url }) => url)).toEqual(['/add', '/add'])
    await take(world, '/add').answer({})
    await world.settle()
    take(world, '/edit')
  })
})

describe('after a reload', () => {
  test('a confirmed entry that base contains by then is gone', async () => {
    const storage = memoryStorage()
    const first = await started({ storage })
    const q1 = await loadDoc(first, doc('q1', 0))
    const handle = first.sync.mutate(push, { token: 'm', to: ['q1'] })
    await first.settle()
    await takeWrite(first).answer({}, at(1))
    await handle.confirmed
    expect(q1.now).toBe('m')
    first.sync.stop()
    const world = createWorld({ mutations: [push], storage, seed: 2 })
    const again = watchDoc(world, 'q1')
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'm'), at(1))
    world.sync.start()
    await world.settle()
    expect(again.now).toBe('m')
    expect(statuses(world)).toEqual([])
    expect(await storage.list('default/outbox/log/')).toEqual([])
  })

  test('a conflict that waits for a person keeps nothing from coming', async () => {
    const asking = writing('push', { conflict: 'manual' })
    const storage = memoryStorage()
    const first = await started({ mutations: [asking], storage })
    first.sync.mutate(asking, { token: 'm', to: ['q1'] })
    await first.settle()
    await takeWrite(first).answer({}, { status: 409 })
    expect(statuses(first)).toEqual(['conflicted'])
    await first.settle()
    first.sync.stop()
    const world = await started({ mutations: [asking], storage, seed: 2 })
    const q1 = watchDoc(world, 'q1')
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'x'), at(1))
    expect(q1.now).toBe('x m')
    expect(world.sync.status.getState().waiting).toEqual([])
  })
})

describe('an echo', () => {
  test('that settles a write which waits to be sent again also makes the reads that it asks for', async () => {
    const counting = writing('push', { invalidates: () => [docQuery('stats').queryKey] })
    const world = await started({ mutations: [counting], stream: syncStream({ url: '/sync' }) })
    const stream = await greet(world)
    await loadDoc(world, doc('stats', 0))
    const handle = world.sync.mutate(counting, { token: 'm', to: [] })
    await world.settle()
    await takeWrite(world).drop()
    await stream.ack(1, [handle.id])
    await handle.confirmed
    await world.settle()
    takeRead(world, 'stats')
  })
})

describe('sends that wait for a read', () => {
  async function starved() {
    const world = await started({ mutations: [push], timeout: Number.POSITIVE_INFINITY })
    const q1 = await loadDoc(world, doc('q1', 0), at(undefined))
    for (let round = 0; round < 3; round++) {
      const handle = world.sync.mutate(push, { token: `m${round}`, to: ['q1'] })
      void world.sync.queryClient.refetchQueries({ queryKey: docQuery('q1').queryKey })
      await world.settle()
      const read = takeRead(world, 'q1')
      await takeWrite(world).answer({})
      await handle.confirmed
      await read.answer(doc('q1', 0))
      await world.advance(60_000)
    }
    return { world, q1 }
  }

  test('go on when that read fails', async () => {
    const { world } = await starved()
    world.sync.mutate(push, { token: 'n', to: ['q1'] })
    await world.settle()
    expect(writes(world)).toHaveLength(3)
    await takeRead(world, 'q1').answer({}, { status: 500 })
    await world.settle()
    takeWrite(world, 'n')
    await world.advance(60_000)
    takeRead(world, 'q1') // it is asked again, though
  })

  test('go on when nobody watches any more', async () => {
    const { world, q1 } = await starved()
    world.sync.mutate(push, { token: 'n', to: ['q1'] })
    await world.settle()
    expect(writes(world)).toHaveLength(3)
    q1.stop()
    await world.settle()
    takeWrite(world, 'n')
  })
})

describe('an attempt that the circuit breaker did not let out', () => {
  test('goes when the breaker has closed before the function noticed', async () => {
    let release: () => void = () => {}
    const slow = writing('push', {
      mutationFn: async (write, { fetch }) => {
        try {
          return await (await fetch('/write', { body: JSON.stringify(write) })).json()
        } catch (error) {
          if (write.token === 'slow')
            await new Promise<void>((resolve) => {
              release = resolve
            })
          throw error
        }
      },
    })
    const world = await started({ mutations: [slow], breaker: { threshold: 1, base: 10_000, cap: 10_000 } })
    world.sync.mutate(slow, { token: 'a', to: [], scope: 'a' })
    await world.settle()
    await takeWrite(world, 'a').answer({}, { status: 503 })
    world.sync.mutate(slow, { token: 'slow', to: [], scope: 'slow' })
    await world.settle()
    await world.advance(10_000)
    await takeWrite(world, 'a').answer({})
    release()
    await world.advance(1000)
    takeWrite(world, 'slow')
  })
})

describe('closing', () => {
  test('takes nothing in while it flushes', async () => {
    const world = await started()
    world.sync.mutate(push, { token: 'a', to: [] })
    await world.settle()
    const closed = world.sync.close({ outbox: 'flush' })
    expect(() => world.sync.mutate(push, { token: 'b', to: [] })).toThrow(/closed/)
    await takeWrite(world, 'a').answer({})
    await closed
    expect(world.clock.pending()).toBe(0)
    expect(await world.storage.list('')).toEqual([])
  })

  test('twice ends once, when all is done', async () => {
    const world = await started()
    world.sync.mutate(push, { token: 'a', to: [] })
    await world.settle()
    const ends: string[] = []
    void world.sync.close({ outbox: 'flush' }).then(() => ends.push('first'))
    void world.sync.close().then(() => ends.push('second'))
    await world.settle()
    expect(ends).toEqual([])
    await takeWrite(world, 'a').answer({})
    await world.settle()
    expect(ends).toHaveLength(2)
  })
})

describe('starting and stopping', () => {
  test('what undid a start before a stop does not undo the next start', async () => {
    const world = createWorld({ mutations: [push] })
    const undo = world.sync.start()
    world.sync.stop()
    world.sync.start()
    undo()
    await world.settle()
    world.sync.mutate(push, { token: 'a', to: [] })
    await world.settle()
    takeWrite(world, 'a')
  })
})

describe('a conflict that says nothing of what the server has', () => {
  test.each(['server-wins', 'manual', 'rebase'] as const)('is read again, with %s', async (policy) => {
    const edit = editing({ conflict: policy })
    const world = await started({ mutations: [edit] })
    await loadTodos(world, [todo('1', 'one', { version: 1 })], at(1))
    world.sync.mutate(edit, { id: '1', title: 'mine' })
    await world.settle()
    await take(world, '/edit').answer({ title: 'Changed.' }, { status: 412 })
    await world.settle()
    world.net.take('GET', '/todos')
  })
})

describe('requests of a mutation', () => {
  test('keep the method of a Request', async () => {
    const seen: Array<string | undefined> = []
    const put = defineMutation<string, unknown>({
      mutationKey: ['put'],
      mutationFn: (title, { fetch }) => fetch(new Request('https://a.test/x', { method: 'PUT', body: title })),
    })
    const world = await started({
      mutations: [put],
      platform: {
        fetch: (input, init) => {
          seen.push(new Request(input as string, init as RequestInit).method)
          return Promise.resolve(new Response(null, { status: 204 }))
        },
      },
    })
    await world.sync.mutate(put, 'x').confirmed
    expect(seen).toEqual(['PUT'])
  })

  test('whose headers cannot be made now are made again later', async () => {
    let fails = 2
    const world = await started({
      headers: async () => {
        if (fails-- > 0) throw Object.assign(new Error('auth/network-request-failed'), { name: 'FirebaseError' })
        return { authorization: 'token' }
      },
    })
    const handle = world.sync.mutate(push, { token: 'a', to: [] })
    await (await nextWrite(world)).answer({})
    await handle.confirmed
    expect(world.sync.outbox.getState().failed).toEqual([])
  })
})

describe('a failed write that is tried again', () => {
  test('is in storage once, all the time', async () => {
    const disk = memoryStorage()
    const rows: number[] = []
    const storage: ClientStorage = {
      ...disk,
      async write(batch) {
        await disk.write(batch)
        rows.push((await disk.list('default/outbox/')).filter(([key]) => /log|failed/.test(key)).length)
      },
    }
    const world = await started({ storage })
    const handle = world.sync.mutate(push, { token: 'a', to: [] })
    await world.settle()
    await takeWrite(world, 'a').answer({ title: 'No.' }, { status: 422 })
    await world.settle()
    world.sync.retry(handle.id)
    await world.settle()
    expect(statuses(world)).toEqual(['sending'])
    expect(new Set(rows)).toEqual(new Set([1]))
    expect(world.sync.outbox.getState().failed).toEqual([])
  })
})

describe('a confirmed change that an unwatched query lacks', () => {
  test('is nothing to report', async () => {
    const world = await started()
    const q1 = await loadDoc(world, doc('q1', 0))
    const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.settle()
    q1.stop()
    await takeWrite(world).answer({}, at(1))
    await handle.reflected
    await world.advance(60_000)
    expect(world.reports).toEqual([])
  })
})

describe('an answer that the function could not use', () => {
  test('was a success: confirmed without a result, said once, and what the change touches is read again', async () => {
    const strict = writing('push', {
      mutationFn: async (write, { fetch }) => (await fetch('/write', { body: JSON.stringify(write) })).json(),
    })
    const world = await started({ mutations: [strict] })
    await loadDoc(world, doc('q1', 0))
    const handle = world.sync.mutate(strict, { token: 'm', to: ['q1'] })
    await world.settle()
    await takeWrite(world).answer(undefined, at(1))
    await expect(handle.confirmed).resolves.toBeUndefined()
    await world.settle()
    takeRead(world, 'q1')
    expect(world.reports.map(({ code, message }) => [code, message])).toEqual([
      ['protocol', expect.stringContaining('accepted mutation ["write"], but its answer could not be used')],
    ])
  })
})

describe('a recipe of an answer that throws', () => {
  test('is reported, and its query is read again', async () => {
    const wrong = writing('push', {
      apply: (base) =>
        base.update(docQuery('q1').queryKey, (draft) => void (draft as never as { no: { no: 1 } }).no.no),
    })
    const world = await started({ mutations: [wrong] })
    const q1 = await loadDoc(world, doc('q1', 0))
    const handle = world.sync.mutate(wrong, { token: 'm', to: ['q1'] })
    await world.settle()
    await takeWrite(world).answer({}, at(1))
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'm'), at(1))
    await handle.reflected
    expect([q1.now, ...statuses(world)]).toEqual(['m'])
    expect(world.reports).toMatchObject([{ code: 'recipe' }])
  })
})

describe('what is written with one change', () => {
  test('does not grow with the number of scopes, and each scope counts on after a reload', async () => {
    const storage = memoryStorage()
    const world = await started({ storage })
    for (let i = 0; i < 50; i++) world.sync.mutate(push, { token: `t${i}`, to: [], scope: `list:${i}` })
    await world.settle()
    for (const request of [...world.net.waiting]) await request.answer({})
    expect((await storage.get('default/outbox/meta'))?.length).toBeLessThan(200)
    world.sync.stop()
    const next = await started({ storage, seed: 2 })
    for (const scope of ['list:7', 'list:50']) next.sync.mutate(push, { token: scope, to: [], scope })
    await next.settle()
    expect(writes(next).map(({ headers }) => headers.get('sync-sequence'))).toEqual(['2', '1'])
  })
})

describe('the stores of a client', () => {
  test('cost nothing while nobody watches them, and tell what has happened since', async () => {
    const world = await started()
    let asked = 0
    const { isOnline } = world.net.network
    Object.assign(world.net.network, { isOnline: () => ++asked > 0 && isOnline() })
    world.sync.pause()
    asked = 0
    for (let i = 0; i < 10; i++) {
      world.sync.mutate(push, { token: 'a', to: [] })
      await world.settle()
    }
    const unwatched = asked
    const stop = world.sync.status.subscribe(() => {})
    for (let i = 0; i < 10; i++) {
      world.sync.mutate(push, { token: 'a', to: [] })
      await world.settle()
    }
    expect(asked - unwatched).toBeGreaterThan(unwatched)
    const seen: number[] = []
    stop()
    world.sync.mutate(push, { token: 'a', to: [] })
    world.sync.status.subscribe(({ pending }, before) => seen.push(before.pending, pending))
    world.sync.mutate(push, { token: 'a', to: [] })
    await world.settle()
    expect(seen).toEqual([21, 22])
  })
})

describe('a read of several pages', () => {
  test('that failed leaves no evidence to the next one', async () => {
    const pages = {
      queryKey: ['pages'],
      queryFn: ({ fetch, pageParam }: { fetch: (url: string) => Promise<Response>; pageParam: number }) =>
        fetch(`/pages/${pageParam}`).then((r): Promise<Doc> => r.json()),
      initialPageParam: 1,
      getNextPageParam: (_: Doc, all: Doc[]) => (all.length < 2 ? all.length + 1 : undefined),
      pages: 2,
    }
    const world = await started()
    const stop = createQueryStore(world.sync, pages as never).subscribe(() => {})
    await world.settle()
    await world.net.take('GET', '/pages/1').answer(doc('q1', 1), at(1))
    await world.settle()
    await world.net.take('GET', '/pages/2').answer(doc('q2', 1), at(1))
    await world.settle()
    void world.sync.queryClient.refetchQueries({ queryKey: ['pages'] })
    await world.settle()
    await world.net.take('GET', '/pages/1').answer(doc('q1', 2), at(2))
    await world.settle()
    await world.net.take('GET', '/pages/2').answer({}, { status: 500 })
    await world.settle()
    void world.sync.queryClient.refetchQueries({ queryKey: ['pages'] })
    await world.settle()
    await world.net.take('GET', '/pages/1').answer(doc('q1', 5), at(5))
    await world.settle()
    await world.net.take('GET', '/pages/2').answer(doc('q2', 5), at(5))
    await world.settle()
    const state = world.sync.queryClient.getQueryState(['pages']) as unknown as { cursor: string; fetchStatus: string }
    expect(state.cursor).toBe('e:5')
    expect(world.net.waiting).toEqual([])
    stop()
  })
})

describe('callbacks that act', () => {
  test('what onError gives up is not kept as failed', async () => {
    let other: string | undefined
    const add = adding({ onError: () => void (other !== undefined && world.sync.discard(other)) })
    const edit = editing()
    const world = await started({ mutations: [add, edit] })
    world.sync.mutate(add, todo('n', 'new'))
    other = world.sync.mutate(edit, { id: 'n', title: 'newer' }).id
    await world.settle()
    await take(world, '/add').answer({ title: 'No.' }, { status: 422 })
    await world.settle()
    expect(world.sync.outbox.getState().failed.map(({ variables }) => variables)).toEqual([todo('n', 'new')])
  })

  test('a write made in "optimistic" comes after the one that makes it', async () => {
    const outer = writing('push', {
      mutationKey: ['outer'],
      optimistic: () => void world.sync.mutate(push, { token: 'inner', to: [] }),
    })
    const world = await started({ mutations: [push, outer] })
    world.sync.mutate(outer, { token: 'outer', to: [] })
    await world.settle()
    await takeWrite(world, 'outer').answer({})
    await world.settle()
    takeWrite(world, 'inner')
  })

  test('onSuccess that closes leaves nothing running', async () => {
    const outer = writing('push', { onSuccess: () => world.sync.close() })
    const world = await started({ mutations: [outer] })
    const a = world.sync.mutate(outer, { token: 'outer', to: [] })
    const b = world.sync.mutate(outer, { token: 'b', to: [] })
    await world.settle()
    await takeWrite(world).answer({})
    await a.confirmed
    await expect(b.confirmed).rejects.toMatchObject({ code: 'stopped' })
    expect(world.clock.pending()).toBe(0)
  })
})

describe('a read whose data waits', () => {
  async function waiting() {
    const world = await started()
    const q1 = await loadDoc(world, doc('q1', 0))
    const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
    await world.settle()
    const fetched = world.sync.queryClient.fetchQuery({ ...docQuery('q1'), staleTime: 0 })
    let end = 'waits'
    fetched.then(
      () => (end = 'resolved'),
      () => (end = 'rejected'),
    )
    await world.settle()
    await takeRead(world, 'q1').answer(doc('q1', 1, 'x'), at(1))
    return { world, q1, handle, end: () => end }
  }
  test('is over when the query is reset', async () => {
    const { world, q1, end } = await waiting()
    q1.stop()
    await world.sync.queryClient.resetQueries({ queryKey: docQuery('q1').queryKey })
    await world.settle()
    expect(world.sync.getView(docQuery('q1').queryKey)).toBeUndefined()
    await takeWrite(world).answer({}, at(2))
    await world.settle()
    expect(end()).not.toBe('waits')
  })
  test('is not lost by cancelQueries', async () => {
    const { world, handle, end } = await waiting()
    await world.sync.queryClient.cancelQueries({ queryKey: docQuery('q1').queryKey })
    expect(world.sync.queryClient.isFetching()).toBe(1)
    await takeWrite(world).answer({}, at(2))
    await handle.confirmed
    await world.settle()
    expect(end()).toBe('resolved')
    await takeRead(world, 'q1').answer(doc('q1', 2, 'x', 'm'), at(2))
    await world.settle()
    expect(world.sync.queryClient.isFetching()).toBe(0)
    expect(world.sync.getView(docQuery('q1').queryKey)).toEqual(doc('q1', 2, 'x', 'm'))
  })
  test('gives way to setQueryData', async () => {
    const { world, handle, end } = await waiting()
    world.sync.queryClient.setQueryData(docQuery('q1').queryKey, doc('q1', 9, 'z'))
    expect(world.sync.getView(docQuery('q1').queryKey)).toEqual(doc('q1', 9, 'z', 'm'))
    await takeWrite(world).answer({}, at(2))
    await handle.confirmed
    await world.settle()
    expect(end()).toBe('resolved')
    for (const r of [...world.net.waiting]) await r.answer(doc('q1', 2, 'x', 'm'), at(2))
    await world.settle()
    expect(world.sync.queryClient.isFetching()).toBe(0)
  })
  test('is there though a later read fails', async () => {
    const { world, handle } = await waiting()
    void world.sync.queryClient.refetchQueries({ queryKey: docQuery('q1').queryKey })
    await world.settle()
    await takeRead(world, 'q1').answer({}, { status: 500 })
    await world.settle()
    await takeWrite(world).answer({}, at(2))
    await handle.confirmed
    await world.settle()
    for (const r of [...world.net.waiting]) await r.answer(doc('q1', 2, 'x', 'm'), at(2))
    await world.settle()
    expect(world.sync.queryClient.isFetching()).toBe(0)
    expect(world.sync.queryClient.getQueryState(docQuery('q1').queryKey)?.status).toBe('success')
    expect(statuses(world)).toEqual([])
  })
  test('is there for who mounts later', async () => {
    const { world, q1, handle } = await waiting()
    q1.stop()
    const again = watchDoc(world, 'q1')
    await world.settle()
    await takeWrite(world).answer({}, at(2))
    await handle.confirmed
    await world.settle()
    expect(again.now).toBe('x m')
  })
})

describe('other transports', () => {
  test('a 401 of theirs refreshes once, and the write goes again', async () => {
    let token = 0
    const seen: number[] = []
    const other = defineMutation<string, string>({
      mutationKey: ['other'],
      mutationFn: () => {
        seen.push(token)
        return token === 0
          ? Promise.reject(Object.assign(new Error('401'), { isAxiosError: true, response: { status: 401 } }))
          : Promise.resolve('done')
      },
    })
    const world = await started({ mutations: [other], refreshAuth: () => void token++ })
    const handle = world.sync.mutate(other, 'x')
    await world.advance(5000)
    expect(seen).toEqual([0, 1])
    await handle.confirmed
  })

  test('a refresh that does not help stops', async () => {
    let calls = 0
    let refreshes = 0
    const other = defineMutation<string, string>({
      mutationKey: ['other'],
      mutationFn: () => {
        calls++
        return Promise.reject(Object.assign(new Error('401'), { isAxiosError: true, response: { status: 401 } }))
      },
    })
    const world = await started({ mutations: [other], refreshAuth: () => void refreshes++ })
    world.sync.mutate(other, 'x')
    await world.advance(60_000)
    expect([calls, refreshes]).toEqual([2, 1])
    expect(world.sync.status.getState().needsAuth).toBe(true)
  })

  test.each(['Error in input stream', 'Error in body stream', 'The Internet connection appears to be offline.'])(
    '"%s" is a network failure',
    async (message) => {
      let calls = 0
      const other = defineMutation<string, string>({
        mutationKey: ['other'],
        mutationFn: () => (calls++ === 0 ? Promise.reject(new TypeError(message)) : Promise.resolve('done')),
      })
      const world = await started({ mutations: [other] })
      const handle = world.sync.mutate(other, 'x')
      await world.advance(10_000)
      expect(await handle.confirmed).toBe('done')
    },
  )
})

describe('what was set aside', () => {
  test('is not overtaken by what builds on it', async () => {
    const [add, edit] = [adding(), editing()]
    const storage = memoryStorage()
    const first = await started({ mutations: [add, edit], storage })
    await first.net.network.set('offline')
    first.sync.mutate(add, todo('n', 'new'))
    first.sync.mutate(edit, { id: 'n', title: 'newer' })
    await first.settle()
    first.sync.stop()
    const world = await started({ mutations: [edit], storage, seed: 2 })
    await world.advance(60_000)
    expect(writes(world)).toEqual([])
    expect(world.sync.outbox.getState()).toMatchObject({ entries: [], quarantined: [{}, {}] })
    world.sync.stop()
    const next = await started({ mutations: [add, edit], storage, seed: 3 })
    expect(writes(next).map(({ url }) => url)).toEqual(['/add'])
  })
})

describe('garbage', () => {
  test('a query whose data waited longer than its gc time is collected', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const world = await started()
      const handle = world.sync.mutate(push, { token: 'm', to: ['q1'] })
      await world.settle()
      void world.sync.queryClient.fetchQuery({ ...docQuery('q1'), gcTime: 1000 })
      await world.settle()
      await takeRead(world, 'q1').answer(doc('q1', 1, 'x'), at(1))
      vi.advanceTimersByTime(5000)
      expect(world.sync.queryClient.getQueryCache().getAll()).toHaveLength(1)
      await takeWrite(world).answer({}, at(2))
      await handle.confirmed
      await world.settle()
      vi.advanceTimersByTime(5000)
      expect(world.sync.queryClient.getQueryCache().getAll()).toHaveLength(0)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('pause', () => {
  test('holds also what is being written down', async () => {
    const storage = scriptedStorage()
    const world = createWorld({ mutations: [push], storage })
    world.sync.start()
    await world.settle()
    world.sync.mutate(push, { token: 'a', to: [] })
    await world.settle()
    await storage.writes[0]?.complete()
    await world.settle()
    world.sync.pause()
    for (const write of [...storage.writes]) await write.complete()
    await world.settle()
    expect(writes(world)).toEqual([])
    world.sync.resume()
    await storage.flow()
    await world.settle()
    expect(takeWrite(world, 'a').headers.get('sync-sequence')).toBe('1')
  })
})

describe('a reporter that throws', () => {
  test('does not stop the queue', async () => {
    const noisy = writing('push', {
      onSuccess: () => {
        throw new Error('mine')
      },
    })
    const world = await started({
      mutations: [noisy],
      onReport: () => {
        throw new Error('reporter')
      },
    })
    const made = ['a', 'b'].map((token) => world.sync.mutate(noisy, { token, to: [] }))
    for (const handle of made) {
      await world.settle()
      await takeWrite(world).answer({})
      await handle.confirmed
    }
    expect(world.warnings[0]).toContain('onReport')
  })
})

describe('a state that is hydrated', () => {
  test('from before what is cached changes nothing, nor says that it is fresh', async () => {
    const world = await started()
    const q1 = await loadDoc(world, doc('q1', 3, 'a'), at(3))
    const { queryKey } = docQuery('q1')
    const before = world.sync.queryClient.getQueryState(queryKey)
    const late = Number(before?.dataUpdatedAt) + 1e9
    const state = { ...before, data: doc('q1', 1), dataUpdatedAt: late, cursor: 'e:1' }
    const query = { queryKey, queryHash: hashKey(queryKey), dehydratedAt: late, state }
    hydrate(world.sync.queryClient, { mutations: [], queries: [query] })
    await world.settle()
    expect(q1.now).toBe('a')
    expect(world.sync.queryClient.getQueryState(queryKey)).toEqual(before)
  })
})
