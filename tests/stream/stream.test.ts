// The protocol of the sync stream: greeting, chain, transactions, resyncs, ends.
import { describe, expect, test } from 'vitest'
import { frame } from './support/scripted'
import { change, createSyncBench, hello } from './support/sync'

describe('the greeting', () => {
  test('opens the stream and tells the target that a fresh one may have missed something', async () => {
    const { server, stream, clock, calls } = createSyncBench()
    server.next(server.open(hello('e:7')))
    stream.start()
    await clock.advance(0)
    expect(stream.status.getState()).toMatchObject({ state: 'open', transport: 'stream', cursor: 'e:7' })
    expect(calls).toEqual([{ call: 'resync', reason: 'fresh', cursor: 'e:7' }])
    stream.stop()
    expect([clock.timers(), server.stream().closed]).toEqual([0, true])
  })

  test('goes on silently where it was', async () => {
    const { server, stream, clock, calls } = createSyncBench({ cursor: 'e:7' })
    server.next(server.open(hello('e:7', 'continued')))
    stream.start()
    await clock.advance(0)
    expect(server.requests[0]?.headers.get('last-event-id')).toBe('e:7')
    expect(calls).toEqual([{ call: 'reached', cursor: 'e:7' }])
    stream.stop()
  })
})

describe('a transaction', () => {
  test('reaches the target with its position, and the cursor follows', async () => {
    const bench = createSyncBench()
    await bench.open()
    bench.server.stream().write(change('e:0', 'e:1'))
    await bench.clock.advance(0)
    expect(bench.calls).toEqual([{ call: 'apply', events: ['invalidate'], cursor: 'e:1' }])
    expect([bench.stream.cursor(), bench.stream.status.getState().cursor]).toEqual(['e:1', 'e:1'])
    bench.stream.stop()
  })

  test('that is missing is noticed by the next', async () => {
    const bench = createSyncBench()
    await bench.open()
    bench.server.stream().write(change('e:1', 'e:2'))
    await bench.clock.advance(0)
    expect(bench.calls).toEqual([
      { call: 'resync', reason: 'gap', cursor: 'e:1', spread: expect.any(Number) },
      { call: 'apply', events: ['invalidate'], cursor: 'e:2' },
    ])
    bench.stream.stop()
  })

  test('is dropped when it comes twice, but for its outcomes', async () => {
    const bench = createSyncBench()
    await bench.open()
    bench.server.stream().write(change('e:0', 'e:1') + change('e:0', 'e:1', { mutations: [{ id: 'm' }] }))
    await bench.clock.advance(0)
    expect(bench.calls).toEqual([
      { call: 'apply', events: ['invalidate'], cursor: 'e:1' },
      { call: 'outcomes', ids: ['m'], cursor: 'e:1' },
    ])
    bench.stream.stop()
  })

  test('in parts is applied as one, and not at all when it is cut', async () => {
    const bench = createSyncBench()
    await bench.open()
    const part = (more: boolean, id?: string) =>
      frame('patch', { prev: 'e:0', txn: 't', ...(more ? { more } : {}), changes: [] }, id)
    bench.server.stream().write(part(true) + part(true))
    await bench.clock.advance(0)
    bench.server.next(bench.server.open(hello('e:0', 'continued')))
    bench.server.stream().end()
    await bench.clock.advance(10_000)
    expect(bench.calls).toEqual([{ call: 'reached', cursor: 'e:0' }])
    bench.server.stream().write(part(true) + part(true) + part(false, 'e:1'))
    await bench.clock.advance(0)
    expect(bench.calls.at(-1)).toEqual({ call: 'apply', events: ['patch', 'patch', 'patch'], cursor: 'e:1' })
    bench.stream.stop()
    expect(bench.clock.timers()).toBe(0)
  })
})
