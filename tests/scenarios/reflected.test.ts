// When a write is reflected: what it shows, and what it makes stale without showing it, has been read.
import { defineMutation, syncStream } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { at, doc, docQuery, loadDoc, takeRead, watchDoc } from '../kit/docs'
import { greet } from '../kit/stream'
import { post } from '../kit/todos'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'

const save = defineMutation<string, unknown>({
  mutationKey: ['save'],
  mutationFn: (to, context) => post('/save', to, context),
})
const saveOne = defineMutation<string, unknown>({
  ...save,
  mutationKey: ['save', 'one'],
  invalidates: (id) => [docQuery(id).queryKey],
})

function isReflected(handle: { reflected: Promise<unknown> }) {
  const seen = { done: false }
  void handle.reflected.then(() => {
    seen.done = true
  })
  return seen
}

const answerWrite = (world: World, answer = {}) => world.net.take('POST').answer({}, answer)

describe('a write without `optimistic`', () => {
  test('is reflected when every watched query has been read again', async () => {
    const world = createWorld({ mutations: [save], stream: false })
    world.sync.start()
    await loadDoc(world, doc('q1', 0), at(undefined))
    await loadDoc(world, doc('q2', 0), at(undefined))
    const seen = isReflected(world.sync.mutate(save, 'q1'))
    await world.settle()
    await answerWrite(world)
    await world.settle()
    expect([seen.done, world.sync.status.getState().pending]).toEqual([false, 0])
    expect(world.sync.outbox.getState().entries.map(({ status }) => status)).toEqual(['confirmed'])
    await takeRead(world, 'q1').answer(doc('q1', 1, 'new'))
    expect(seen.done).toBe(false)
    await takeRead(world, 'q2').answer(doc('q2', 0))
    await world.settle()
    expect([seen.done, world.sync.outbox.getState().entries]).toEqual([true, []])
  })

  test('waits for what `invalidates` names, and for nothing else', async () => {
    const world = createWorld({ mutations: [saveOne], stream: false })
    world.sync.start()
    await loadDoc(world, doc('q1', 0), at(undefined))
    await loadDoc(world, doc('q2', 0), at(undefined))
    const seen = isReflected(world.sync.mutate(saveOne, 'q1'))
    await world.settle()
    await answerWrite(world)
    await world.settle()
    expect(world.net.waiting.map(({ url }) => url)).toEqual(['/doc/q1'])
    const early = takeRead(world, 'q1')
    await early.drop()
    expect(seen.done).toBe(false)
    await world.advance(2_000)
    await takeRead(world, 'q1').answer(doc('q1', 1, 'new'))
    await world.settle()
    expect(seen.done).toBe(true)
  })

  test('does not wait for a query that nobody watches any more', async () => {
    const world = createWorld({ mutations: [save], stream: false })
    world.sync.start()
    const q1 = await loadDoc(world, doc('q1', 0), at(undefined))
    const seen = isReflected(world.sync.mutate(save, 'q1'))
    await world.settle()
    await answerWrite(world)
    await world.settle()
    expect(seen.done).toBe(false)
    q1.stop()
    await world.settle()
    await world.settle()
    expect(seen.done).toBe(true)
  })

  test('with a stream waits until the stream has told of it, and for what it made stale', async () => {
    const world = createWorld({ mutations: [save], stream: syncStream({ url: '/sync' }) })
    world.sync.start()
    const stream = await greet(world)
    await loadDoc(world, doc('q1', 0), at(0))
    await loadDoc(world, doc('q2', 0), at(0))
    const seen = isReflected(world.sync.mutate(save, 'q1'))
    await world.settle()
    await answerWrite(world, at(1))
    await world.settle()
    expect([seen.done, world.net.waiting]).toEqual([false, []])
    await stream.invalidate(1, [['doc', 'q1']], { mutations: [] })
    expect(seen.done).toBe(false)
    await takeRead(world, 'q1').answer(doc('q1', 1, 'new'), at(1))
    await world.settle()
    expect(seen.done).toBe(true)
  })

  test('with a stream that has nothing to tell of it is reflected by the next bookmark', async () => {
    const world = createWorld({ mutations: [save], stream: syncStream({ url: '/sync' }) })
    world.sync.start()
    const stream = await greet(world)
    await loadDoc(world, doc('q1', 0), at(0))
    const seen = isReflected(world.sync.mutate(save, 'q1'))
    await world.settle()
    await answerWrite(world, at(1))
    await world.settle()
    expect(seen.done).toBe(false)
    await stream.send('ping', { cursor: 'e:1' }, 1)
    expect(seen.done).toBe(true)
  })
})

test('confirmed writes of queries that nobody watches are bounded, and their queries show nothing from before', async () => {
  const push = defineMutation<string, unknown>({
    mutationKey: ['push'],
    mutationFn: (token, context) => post('/push', token, context),
    optimistic: (view, token) => view.update(docQuery('q1').queryKey, (draft) => void draft.tokens.push(token)),
  })
  const world = createWorld({ mutations: [push] })
  world.sync.start()
  const q1 = await loadDoc(world, doc('q1', 0))
  q1.stop()
  const tokens = Array.from({ length: 250 }, (_, i) => `t${i}`)
  for (const [i, token] of tokens.entries()) {
    const handle = world.sync.mutate(push, token)
    await world.settle()
    await answerWrite(world, at(i + 1))
    await handle.reflected
  }
  expect(world.sync.outbox.getState().entries.length).toBeLessThanOrEqual(101)
  const again = watchDoc(world, 'q1')
  expect(['-', tokens.join(' ')]).toContain(again.now)
  await world.settle()
  await takeRead(world, 'q1').answer(doc('q1', 250, ...tokens), at(250))
  expect(again.now).toBe(tokens.join(' '))
  expect(again.shown.every((shown) => shown === '-' || shown.split(' ').length === 250)).toBe(true)
})
