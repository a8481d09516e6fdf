// The protocol to the letter, in virtual time: the chain, resyncs, farewells, bad input.
import { describe, expect, test } from 'vitest'
import { frame } from './support/scripted'
import type { SyncBench } from './support/sync'
import { change, createSyncBench, hello } from './support/sync'

async function opened(
  options: Parameters<typeof createSyncBench>[0] = {},
): Promise<SyncBench & { send(...frames: string[]): Promise<void> }> {
  const bench = createSyncBench(options)
  await bench.open()
  const send = async (...frames: string[]) => {
    bench.server.stream().write(frames.join(''))
    await bench.clock.advance(0)
  }
  return { ...bench, send }
}

const resync = (reason: string, cursor?: string, more: object = {}) => ({
  call: 'resync',
  reason,
  ...(cursor ? { cursor } : {}),
  ...more,
})
const applied = (cursor: string, ...events: string[]) => ({
  call: 'apply',
  events: events.length > 0 ? events : ['invalidate'],
  cursor,
})
const again = { spread: expect.any(Number) }

describe('the chain', () => {
  test('takes events in order, and one that waited with its neighbours', async () => {
    const bench = await opened()
    await bench.send(change('e:0', 'e:5'), change('e:5', 'e:70002-7'))
    await bench.send(change('e:70002-7', 'e:70002-8'))
    expect(bench.calls).toEqual([applied('e:70002-7', 'invalidate', 'invalidate'), applied('e:70002-8')])
    bench.stream.stop()
  })

  test('drops what was there before, by number and not by text', async () => {
    const bench = await opened()
    await bench.send(change('e:0', 'e:10'), change('e:1', 'e:9'), change(null, 'e:2'), change('e:10', 'e:10'))
    expect(bench.calls).toEqual([applied('e:10')])
    bench.stream.stop()
  })

  test('finds two events that changed places', async () => {
    const bench = await opened()
    await bench.send(change('e:1', 'e:2'), change('e:0', 'e:1'), change('e:2', 'e:3'))
    expect(bench.calls).toEqual([resync('gap', 'e:1', again), applied('e:2'), applied('e:3')])
    bench.stream.stop()
  })

  test('finds a loss at the tail by the next ping', async () => {
    const bench = await opened()
    await bench.send(frame('ping', { prev: 'e:3', cursor: 'e:3' }))
    expect(bench.calls).toEqual([resync('gap', 'e:3', again)])
    bench.forget()
    await bench.send(change('e:3', 'e:4'), frame('ping', { prev: 'e:4', cursor: 'e:4' }))
    expect(bench.calls).toEqual([applied('e:4')])
    bench.stream.stop()
  })

  test('moves with a ping that has an id', async () => {
    const bench = await opened()
    await bench.send(frame('ping', { prev: 'e:0', cursor: 'e:8' }, 'e:8'), change('e:8', 'e:9'))
    expect(bench.calls).toEqual([{ call: 'reached', cursor: 'e:8' }, applied('e:9')])
    bench.stream.stop()
  })

  test('moves with an id alone, and with an event of a later version', async () => {
    const bench = await opened()
    await bench.send('id: e:4\n\n', frame('presence', { prev: 'e:4', who: 'me' }, 'e:5'), change('e:5', 'e:6'))
    expect(bench.calls).toEqual([
      { call: 'reached', cursor: 'e:4' },
      { call: 'reached', cursor: 'e:5' },
      applied('e:6'),
    ])
    expect(bench.stream.status.getState().ignored).toBe(1)
    bench.stream.stop()
  })

  test('goes through an event of a later version, too', async () => {
    const bench = await opened()
    await bench.send(frame('presence', { prev: 'e:4' }, 'e:5'))
    expect(bench.calls).toEqual([resync('gap', 'e:5', again)])
    bench.stream.stop()
  })

  test('begins with null once', async () => {
    const bench = await opened()
    await bench.send(change(null, 'e:1'), change(null, 'e:2'))
    expect(bench.calls).toEqual([applied('e:1'), resync('gap', 'e:1', again), applied('e:2')])
    bench.stream.stop()
  })

  test('is not asked for where events have no prev and no id', async () => {
    const bench = await opened()
    await bench.send(frame('invalidate', { topics: ['a'] }), frame('invalidate', { topics: ['b'] }))
    expect(bench.calls).toEqual([{ call: 'apply', events: ['invalidate', 'invalidate'], cursor: undefined }])
    bench.stream.stop()
  })

  test('breaks with the epoch, in the middle', async () => {
    const bench = await opened()
    await bench.send(change('e:0', 'f:1'), change('f:1', 'f:2'))
    expect(bench.calls).toEqual([resync('epoch', 'f:1', again), applied('f:1'), applied('f:2')])
    expect(bench.stream.cursor()).toBe('f:2')
    bench.stream.stop()
  })
})

describe('a new connection', () => {
  const reconnect = async (resume: string, cursor: string) => {
    const bench = await opened()
    await bench.send(change('e:0', 'e:1'))
    bench.forget()
    bench.server.next(bench.server.open(hello(cursor, resume)))
    bench.server.stream().cut()
    await bench.clock.advance(5_000)
    bench.stream.stop()
    return bench
  }

  test('sends the position that is applied', async () => {
    const bench = await reconnect('continued', 'e:1')
    expect(bench.server.requests.map(({ headers }) => headers.get('last-event-id'))).toEqual([null, 'e:1'])
    expect(bench.calls).toEqual([{ call: 'reached', cursor: 'e:1' }])
  })

  test('that goes on elsewhere has a gap', async () => {
    expect((await reconnect('continued', 'e:2')).calls).toEqual([resync('gap', 'e:2', again)])
  })

  test('that begins anew resyncs', async () => {
    expect((await reconnect('reset', 'f:0')).calls).toEqual([resync('reset', 'f:0', again)])
    expect((await reconnect('fresh', 'e:9')).calls).toEqual([resync('fresh', 'e:9', again)])
  })

  test.each([
    ['another event', change(null, 'e:1')],
    ['a hello of another version', frame('hello', { protocol: 2, epoch: 'e', resume: 'fresh', cursor: 'e:0' })],
    ['a hello without a cursor', frame('hello', { protocol: 1, epoch: 'e', resume: 'fresh', cursor: 'nowhere' })],
  ])('that begins with %s is none', async (_, text) => {
    const bench = createSyncBench()
    bench.server.next(bench.server.open(text))
    bench.stream.start()
    await bench.clock.advance(0)
    expect(bench.stream.status.getState()).toMatchObject({ state: 'waiting', lastError: { code: 'protocol' } })
    expect([bench.calls, bench.server.stream().closed]).toEqual([[], true])
    bench.stream.stop()
  })
})

test('a subscriber that stops the stream as it opens is obeyed: the target hears nothing', async () => {
  const bench = createSyncBench()
  bench.server.next(bench.server.open(hello('e:0') + change('e:0', 'e:1')))
  bench.stream.status.subscribe(({ state }) => {
    if (state === 'open') bench.stream.stop()
  })
  bench.stream.start()
  await bench.clock.advance(20_000)
  expect([bench.calls, bench.clock.timers(), bench.stream.status.getState().state]).toEqual([[], 0, 'idle'])
})

test('a target that stops the stream is obeyed in the middle of a chunk', async () => {
  const bench = await opened({
    target: {
      apply: (_, cursor) => {
        bench.calls.push({ call: 'apply', events: [], cursor })
        bench.stream.stop()
      },
    },
  })
  await bench.send(
    frame('patch', { prev: 'e:0', changes: [] }, 'e:1'),
    frame('patch', { prev: 'e:7', changes: [] }, 'e:8'),
  )
  expect(bench.calls).toEqual([{ call: 'apply', events: [], cursor: 'e:1' }])
  expect([bench.stream.cursor(), bench.clock.timers()]).toEqual(['e:1', 0])
})

describe('a transaction in parts', () => {
  const part = (txn: string, more: boolean, extra: object = {}, id?: string) =>
    frame('patch', { prev: 'e:0', txn, ...(more ? { more } : {}), changes: [], ...extra }, id)

  test('is applied once, whole, across pings', async () => {
    const bench = await opened()
    await bench.send(part('t', true), frame('ping', { prev: 'e:0' }))
    expect(bench.calls).toEqual([])
    await bench.send(frame('invalidate', { prev: 'e:0', txn: 't', keys: [['k']] }, 'e:1'))
    expect(bench.calls).toEqual([applied('e:1', 'patch', 'invalidate')])
    bench.stream.stop()
  })

  test('that is a duplicate is dropped whole, but for its outcomes', async () => {
    const bench = await opened()
    await bench.send(change('e:0', 'e:1'))
    await bench.send(
      part('t', true, { mutations: [{ id: 'a' }] }),
      part('t', false, { mutations: [{ id: 'b' }] }, 'e:1'),
    )
    expect(bench.calls).toEqual([applied('e:1'), { call: 'outcomes', ids: ['a', 'b'], cursor: 'e:1' }])
    bench.stream.stop()
  })

  test('that is never finished is a protocol error and a resync', async () => {
    const bench = await opened()
    await bench.send(part('t', true), part('u', true), part('u', false, {}, 'e:1'))
    expect(bench.calls).toEqual([resync('protocol', 'e:0', again), applied('e:1', 'patch', 'patch')])
    expect(bench.reports).toEqual([expect.objectContaining({ code: 'protocol' })])
    bench.stream.stop()
  })

  test('in which a loss is found is not applied in half', async () => {
    const bench = await opened()
    await bench.send(part('t', true), frame('ping', { prev: 'e:9' }), part('t', false, {}, 'e:10'))
    expect(bench.calls).toEqual([resync('gap', 'e:9', again), resync('protocol', 'e:10', again)])
    bench.stream.stop()
  })

  test.each([0, 1, 2])('of which part %d cannot be read is not applied in half', async (broken) => {
    const bench = await opened()
    const parts = [part('t', true), part('t', true), part('t', false, {}, 'e:1')]
    parts[broken] = (parts[broken] ?? '').replace('data: {', 'data: ?')
    await bench.send(part('s', true), part('s', false, {}, 'e:0'), ...parts, change('e:1', 'e:2'))
    expect(bench.calls.filter(({ call }) => call === 'apply')).toEqual([applied('e:2')])
    expect(bench.stream.cursor()).toBe('e:2')
    bench.stream.stop()
  })

  test('of more than ten thousand changes is a resync', async () => {
    const bench = await opened()
    const changes = Array.from({ length: 4_000 }, (_, id) => ({ op: 'del', type: 't', id, version: 1 }))
    await bench.send(
      part('t', true, { changes }),
      part('t', true, { changes }),
      part('t', true, { changes }),
      part('t', false, {}, 'e:1'),
      change('e:1', 'e:2'),
    )
    expect(bench.calls).toEqual([resync('overflow', 'e:1', again), applied('e:2')])
    bench.stream.stop()
  })
})

describe('a resync', () => {
  test('of the server names keys and a spread; the position moves with it', async () => {
    const bench = await opened()
    await bench.clock.advance(14_000)
    await bench.send(frame('ping', { prev: 'e:0' }))
    await bench.clock.advance(30_000)
    await bench.send(frame('ping', { prev: 'e:0' }))
    await bench.clock.advance(30_000)
    await bench.send(
      frame('resync', { prev: 'e:0', reason: 'operator', keys: [['a']], spread: 9_000 }, 'e:3'),
      change('e:3', 'e:4'),
    )
    expect(bench.calls).toEqual([resync('operator', 'e:3', { keys: [['a']], spread: 9_000 }), applied('e:4')])
    bench.stream.stop()
  })

  test('of the server for some keys does not heal a gap', async () => {
    const bench = await opened()
    await bench.send(frame('resync', { prev: 'e:2', reason: 'operator', keys: [['a']] }, 'e:3'))
    expect(bench.calls).toEqual([resync('operator', 'e:3', { keys: undefined, ...again })])
    bench.stream.stop()
  })

  test('holds events back until its reads are there, and then applies them', async () => {
    const bench = createSyncBench({ slowReads: true })
    bench.server.next(bench.server.open(hello('e:0') + change('e:0', 'e:1')))
    bench.stream.start()
    await bench.clock.advance(2_000)
    expect(bench.calls).toEqual([resync('fresh', 'e:0')])
    expect(bench.stream.status.getState()).toMatchObject({ state: 'open', resyncing: true })
    bench.server.stream().write(change('e:1', 'e:2'))
    bench.reads[0]?.()
    await bench.clock.advance(0)
    expect(bench.calls.slice(1)).toEqual([applied('e:2', 'invalidate', 'invalidate')])
    expect(bench.stream.status.getState().resyncing).toBe(false)
    bench.stream.stop()
  })

  test('holds events back for ten seconds at most', async () => {
    const bench = createSyncBench({ slowReads: true })
    bench.server.next(bench.server.open(hello('e:0') + change('e:0', 'e:1')))
    bench.stream.start()
    await bench.clock.advance(9_999)
    expect(bench.calls.length).toBe(1)
    await bench.clock.advance(1)
    expect(bench.calls.slice(1)).toEqual([applied('e:1')])
    bench.stream.stop()
    expect(bench.clock.timers()).toBe(0)
  })

  test('that is stopped in the middle lets nothing through', async () => {
    const bench = createSyncBench({ slowReads: true })
    bench.server.next(bench.server.open(hello('e:0') + change('e:0', 'e:1')))
    bench.stream.start()
    await bench.clock.advance(100)
    bench.stream.stop()
    bench.reads[0]?.()
    await bench.clock.advance(20_000)
    expect([bench.calls.length, bench.clock.timers()]).toEqual([1, 0])
  })

  test('for a gap that is stopped in the middle does not apply the event that showed it', async () => {
    const bench = createSyncBench({ slowReads: true })
    bench.server.next(bench.server.open(hello('e:0')))
    bench.stream.start()
    await bench.clock.advance(10_000)
    bench.server.stream().write(change('e:1', 'e:2'))
    await bench.clock.advance(0)
    bench.stream.stop()
    for (const back of bench.reads) back()
    await bench.clock.advance(20_000)
    expect(bench.calls.map(({ call }) => call)).toEqual(['resync', 'resync'])
    expect([bench.stream.cursor(), bench.clock.timers()]).toEqual(['e:1', 0])
  })

  test('that fails is reported, and the stream goes on', async () => {
    const bench = await opened({ target: { resync: () => Promise.reject(new Error('mine')) } })
    await bench.send(change('e:0', 'e:1'))
    expect([bench.reports.length, bench.calls]).toEqual([1, [applied('e:1')]])
    bench.stream.stop()
  })

  test('after a resync spreads its reads, further each time', async () => {
    const bench = await opened()
    for (let i = 1; i <= 6; i++) await bench.send(change(`e:${i * 2}`, `e:${i * 2 + 1}`))
    const spreads = bench.calls.flatMap((call) => (call.call === 'resync' ? [call.spread ?? 0] : []))
    expect(spreads.length).toBe(6)
    expect(Math.min(...spreads)).toBeGreaterThanOrEqual(1_000)
    expect(spreads[5]).toBeGreaterThan(spreads[0] ?? 0)
    bench.stream.stop()
  })
})

describe('bad input', () => {
  const RAW: ReadonlyArray<[name: string, text: string]> = [
    ['data that is not JSON', frame('invalidate', '<html>', 'e:1')],
    ['data that is no object', frame('invalidate', '[]', 'e:1')],
    ['an invalidate that names nothing', frame('invalidate', { prev: 'e:0' }, 'e:1')],
    ['a patch without changes', frame('patch', { prev: 'e:0' }, 'e:1')],
    ['a patch with a wrong change', frame('patch', { prev: 'e:0', changes: [{ op: 'put', type: 't', id: 1 }] }, 'e:1')],
    ['a state without a key', frame('state', { prev: 'e:0', value: 1 }, 'e:1')],
    ['an ack without mutations', frame('ack', { prev: 'e:0' }, 'e:1')],
    ['a ping with a wrong cursor', frame('ping', { prev: 'e:0', cursor: 1 }, 'e:1')],
    ['a resync without a reason', frame('resync', { prev: 'e:0' }, 'e:1')],
    ['a bye for no reason', frame('bye', {}, 'e:1')],
    ['a prev that is no cursor', change('first', 'e:1')],
  ]
  test.each(RAW)('%s is a protocol error and a resync', async (_, text) => {
    const bench = await opened()
    await bench.send(text, change('e:1', 'e:2'))
    expect(bench.calls).toEqual([resync('protocol', 'e:1', again), applied('e:2')])
    expect(bench.reports).toEqual([expect.objectContaining({ code: 'protocol' })])
    bench.stream.stop()
  })

  test.each(['17', 'e:', ':1', 'e:1x', 'e :1', `${'e'.repeat(127)}:1`, 'e:1\u0007', 'é:1', '__proto__'])(
    'an id that is no cursor (%j) moves nothing and is never sent',
    async (id) => {
      const bench = await opened()
      await bench.send(frame('invalidate', { prev: 'e:0', keys: [['k']] }, id))
      expect(bench.calls).toEqual([resync('protocol', 'e:0', again)])
      expect(bench.stream.cursor()).toBe('e:0')
      bench.server.next(bench.server.open(hello('e:0', 'continued')))
      bench.server.stream().end()
      await bench.clock.advance(10_000)
      expect(bench.server.requests[1]?.headers.get('last-event-id')).toBe('e:0')
      bench.stream.stop()
    },
  )

  test('unknown events and fields are ignored, and counted', async () => {
    const bench = await opened()
    await bench.send(
      frame('presence', 'not JSON'),
      frame('__proto__', {}),
      frame('x'.repeat(1_000), {}),
      frame('constructor', '{"prev":1}', 'nowhere'),
    )
    await bench.send(frame('invalidate', { prev: 'e:0', keys: [['k']], later: { field: 1 } }, 'e:1'))
    expect(bench.calls).toEqual([applied('e:1')])
    expect([bench.stream.status.getState().ignored, bench.reports]).toEqual([4, []])
    bench.stream.stop()
  })

  test('names of prototypes stay data', async () => {
    const messages: unknown[] = []
    const bench = await opened({ target: { apply: (all) => void messages.push(...all) } })
    await bench.send(
      frame(
        'invalidate',
        '{"prev":"e:0","keys":[["k"]],"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
        'e:1',
      ),
    )
    expect(messages).toHaveLength(1)
    expect((messages[0] as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    bench.stream.stop()
  })

  test('a target that throws is reported, and everything is read again', async () => {
    let failures = 0
    const bench = await opened({
      target: {
        apply() {
          if (failures++ === 0) throw new Error('mine')
        },
        reached: () => {
          throw new Error('mine')
        },
      },
    })
    await bench.send(change('e:0', 'e:1'))
    await bench.send(change('e:1', 'e:2'), frame('ping', { prev: 'e:2' }, 'e:3'))
    expect(bench.calls).toEqual([resync('protocol', 'e:1', again)])
    expect([bench.reports.length, bench.stream.cursor()]).toEqual([2, 'e:3'])
    bench.stream.stop()
  })
})

describe('an event that breaks a limit', () => {
  test('is met twice more at the same position, then gone around with a resync', async () => {
    const bench = await opened()
    await bench.send(change('e:0', 'e:1'))
    const poison = `data: ${'x'.repeat(1_048_577)}\n\n`
    bench.server.otherwise = (request) => {
      const id = request.headers.get('last-event-id')
      const text = id === 'e:1' ? hello('e:1', 'continued') + poison : hello('e:9', id === null ? 'fresh' : 'continued')
      return bench.server.open(text)(request)
    }
    await bench.send(poison)
    await bench.clock.advance(120_000)
    expect(bench.server.requests.slice(1, 4).map(({ headers }) => headers.get('last-event-id'))).toEqual([
      'e:1',
      'e:1',
      null,
    ])
    expect(bench.calls.filter(({ call }) => call === 'resync')).toEqual([
      expect.objectContaining(resync('poison', 'e:9')),
    ])
    expect(bench.reports).toHaveLength(3)
    bench.stream.stop()
    expect(bench.clock.timers()).toBe(0)
  })
})

describe('a farewell', () => {
  const farewell = async (data: object, healthy = true, options: Parameters<typeof createSyncBench>[0] = {}) => {
    const bench = await opened(options)
    if (healthy) await bench.send(change('e:0', 'e:1'))
    bench.server.otherwise = bench.server.open(() => hello('e:1', 'continued'))
    await bench.send(frame('bye', data))
    expect(bench.server.streams[0]?.closed).toBe(true)
    const { state, nextTryAt } = bench.stream.status.getState()
    return { bench, state, wait: nextTryAt === undefined ? undefined : nextTryAt - bench.clock.now() }
  }

  test.each(['drain', 'max-age', 'idle'])('for %s comes back within two seconds', async (reason) => {
    const { bench, state, wait } = await farewell({ reason })
    expect([state, (wait ?? 9e9) <= 2_000]).toEqual(['waiting', true])
    await bench.clock.advance(2_000)
    expect(bench.stream.status.getState().state).toBe('open')
    bench.stream.stop()
  })

  test('says how long to stay away and over what to spread the return', async () => {
    const waits = await Promise.all(
      Array.from({ length: 40 }, async (_, seed) => {
        const { bench, wait } = await farewell({ reason: 'drain', after: 10_000, spread: 60_000 }, true, { seed })
        bench.network.emit('online')
        const floored = (bench.stream.status.getState().nextTryAt ?? 0) - bench.clock.now()
        bench.stream.stop()
        return [wait ?? 0, floored] as const
      }),
    )
    expect(Math.min(...waits.flat())).toBeGreaterThanOrEqual(10_000)
    expect(Math.max(...waits.map(([wait]) => wait))).toBeLessThanOrEqual(70_000)
    expect(Math.max(...waits.map(([wait]) => wait))).toBeGreaterThan(50_000)
  })

  test('to a stream that was never healthy backs off', async () => {
    const { bench, wait } = await farewell({ reason: 'drain' }, false)
    expect(wait).toBeGreaterThanOrEqual(1_000)
    bench.stream.stop()
  })

  test('for overload backs off, healthy or not', async () => {
    const { bench, wait } = await farewell({ reason: 'overload', after: 5_000 })
    expect(wait).toBeGreaterThanOrEqual(5_000)
    bench.stream.stop()
  })

  test('because the credentials expire refreshes them first, then comes back at once', async () => {
    const log: string[] = []
    const { bench } = await farewell({ reason: 'auth-expired' }, true, {
      headers: async () => {
        log.push('headers')
        return {}
      },
      refreshAuth: async () => {
        log.push('refresh')
        return true
      },
    })
    await bench.clock.advance(0)
    expect(log).toEqual(['headers', 'refresh', 'headers'])
    expect(bench.stream.status.getState().state).toBe('open')
    bench.stream.stop()
  })

  test('because the credentials were withdrawn waits for others', async () => {
    const { bench, state } = await farewell({ reason: 'auth-revoked' })
    expect([state, bench.reports]).toEqual(['unauthorized', [expect.objectContaining({ code: 'unauthorized' })]])
    bench.stream.retryNow()
    await bench.clock.advance(0)
    expect(bench.stream.status.getState().state).toBe('open')
    bench.stream.stop()
  })

  test.each([{ reason: 'gone' }, { reason: 'drain', reconnect: false }])('%j is for good', async (data) => {
    const { bench, state } = await farewell(data)
    expect(state).toBe('ended')
    await bench.clock.advance(3_600_000)
    expect(bench.server.requests.length).toBe(1)
    bench.stream.stop()
    expect(bench.clock.timers()).toBe(0)
  })

  test('drops what comes after it', async () => {
    const bench = await opened()
    await bench.send(change('e:0', 'e:1'), frame('bye', { reason: 'drain' }), change('e:1', 'e:2'))
    expect([bench.calls, bench.stream.cursor()]).toEqual([[applied('e:1')], 'e:1'])
    bench.stream.stop()
  })
})

describe('topics', () => {
  test('are asked for, and asked for anew when they have changed', async () => {
    let topics = ['todos', 'a,b']
    const bench = await opened({ url: '/sync?x=1', target: { topics: () => topics } })
    bench.stream.resubscribe()
    await bench.clock.advance(1_000)
    expect(bench.server.requests.map(({ url }) => url)).toEqual(['/sync?x=1&topics=todos,a%2Cb'])
    topics = ['todos']
    bench.server.next(bench.server.open(hello('e:0', 'continued')))
    bench.stream.resubscribe()
    bench.stream.resubscribe()
    await bench.clock.advance(1_000)
    expect(bench.server.requests.slice(1).map(({ url, headers }) => [url, headers.get('last-event-id')])).toEqual([
      ['/sync?x=1&topics=todos', 'e:0'],
    ])
    expect(bench.stream.status.getState().state).toBe('open')
    bench.stream.stop()
  })
})

describe('polling', () => {
  const polled = async () => {
    const bench = createSyncBench({ pollInterval: 10_000 })
    bench.server.otherwise = () => new Response(null, { status: 404 })
    bench.stream.start()
    await bench.clock.advance(0)
    return bench
  }

  test('keeps its interval, and stops with the stream', async () => {
    const bench = await polled()
    await bench.clock.advance(100_000)
    expect(bench.calls.length).toBeGreaterThanOrEqual(9)
    expect(bench.calls.length).toBeLessThanOrEqual(12)
    bench.stream.stop()
    expect(bench.clock.timers()).toBe(0)
  })

  test('rests while nobody looks or the device is offline, and catches up once', async () => {
    const bench = await polled()
    bench.network.emit('hidden')
    await bench.clock.advance(100_000)
    expect(bench.calls).toEqual([])
    bench.network.emit('offline')
    bench.network.emit('visible')
    expect(bench.calls).toEqual([])
    bench.network.emit('online')
    expect(bench.calls).toEqual([{ call: 'poll' }])
    bench.stream.stop()
  })

  test('can be switched off', async () => {
    const bench = createSyncBench({ pollInterval: false })
    bench.server.otherwise = () => new Response(null, { status: 404 })
    bench.stream.start()
    await bench.clock.advance(200_000)
    expect([bench.calls, bench.stream.status.getState()]).toEqual([
      [],
      expect.objectContaining({ state: 'waiting', transport: 'none' }),
    ])
    bench.stream.stop()
  })
})

test('a consumer that is ten seconds behind skips to the end and resyncs once', async () => {
  let busy = 0
  const bench = await opened({
    target: {
      apply(messages, cursor) {
        bench.calls.push({ call: 'apply', events: messages.map(({ event }) => event), cursor })
        void bench.clock.shift(busy)
      },
    },
  })
  busy = 6_000
  const patches = Array.from({ length: 30 }, (_, i) =>
    frame('patch', { prev: `e:${i}`, changes: [], mutations: [{ id: `m${i}` }] }, `e:${i + 1}`),
  )
  await bench.send(...patches)
  await bench.clock.advance(20_000)
  busy = 0
  const kinds = bench.calls.map(({ call }) => call)
  expect(kinds.filter((call) => call === 'apply')).toHaveLength(2)
  expect(kinds.filter((call) => call === 'outcomes')).toHaveLength(28)
  expect(bench.calls.at(-1)).toEqual(resync('overflow', 'e:30', again))
  await bench.send(change('e:30', 'e:31'))
  expect(bench.calls.at(-1)).toEqual(applied('e:31'))
  bench.stream.stop()
})

test('a burst of invalidations reaches the target as few transactions, with every name once', async () => {
  const names: string[] = []
  const bench = await opened({
    target: {
      apply: (messages) =>
        void names.push(
          ...messages.flatMap((message) => (message.event === 'invalidate' ? (message.keys ?? []).map(String) : [])),
        ),
    },
  })
  await bench.send(
    ...Array.from({ length: 5_000 }, (_, i) =>
      frame('invalidate', { prev: `e:${i}`, keys: [['k', i % 10]] }, `e:${i + 1}`),
    ),
  )
  expect(bench.stream.cursor()).toBe('e:5000')
  expect(names.length).toBeLessThan(600)
  expect(new Set(names).size).toBe(10)
  bench.stream.stop()
})
