// What a stream brings for hours must not stay in memory: a base lets go of the ones before it.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { syncStream } from 'tidemark'
import { expect, test } from 'vitest'
import { at } from '../kit/docs'
import { greet } from '../kit/stream'
import { loadTodos, todo, todosQuery } from '../kit/todos'
import { createWorld } from '../kit/world'

test('of the bases that events have replaced nearly none is kept alive', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const world = createWorld({ stream: syncStream({ url: '/sync' }) })
  world.sync.start()
  const stream = await greet(world)
  const todos = await loadTodos(world, [todo('1', 'a')], at(0))
  todos.stop()
  const bases: WeakRef<object>[] = []
  for (let version = 1; version <= 60; version++) {
    const value = todo('1', `t${version}`)
    await stream.patch(version, [{ op: 'put', type: 'todo', id: '1', version, value }], { mutations: [] })
    bases.push(new WeakRef(world.sync.getBase(todosQuery.queryKey) ?? {}))
  }
  await world.settle()
  collect()
  await world.settle()
  collect()
  expect(world.sync.getBase(todosQuery.queryKey)).toEqual([todo('1', 't60')])
  expect(bases.filter((base) => base.deref() !== undefined).length).toBeLessThan(10)
})
