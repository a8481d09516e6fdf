// Defects that a reading of the queue and the cache found: each was a test that failed.
import type { SyncClientOptions } from 'tidemark'
import { memoryStorage } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { writing } from '../kit/docs'
import { adding, editing, todo } from '../kit/todos'
import type { World } from '../kit/world'
import { createWorld } from '../kit/world'

const push = writing('push')

async function started(options: SyncClientOptions & { seed?: number } = {}): Promise<World> {
  const world = createWorld({ mutations: [push], breaker: { threshold: 1000 }, ...options })
  world.sync.start()
  await world.settle()
  return world
}

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
})
