import { createMockServer, reject } from 'tidemark/mocks'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { Todo } from './support'
import { BREAD, get, listen, MILK, open, send, todoServer } from './support'

describe('the routes of a table', () => {
  test('give all rows, one row, and the rows that a search names', async () => {
    const { fetch } = todoServer()
    expect(await (await get(fetch, '/api/todos')).json()).toEqual([MILK, BREAD])
    expect(await (await get(fetch, '/api/todos/milk')).json()).toEqual(MILK)
    expect(await (await get(fetch, '/api/todos?title=Bread')).json()).toEqual([BREAD])
    expect((await get(fetch, '/api/todos/none')).status).toBe(404)
  })

  test('create, replace, change and delete', async () => {
    const { fetch, database } = todoServer()
    const created = await send(fetch, 'POST', '/api/todos', { id: 'eggs', title: 'Eggs' })
    expect([created.status, await created.json()]).toEqual([201, { id: 'eggs', title: 'Eggs' }])
    const changed = await send(fetch, 'PATCH', '/api/todos/eggs', { done: true })
    expect([changed.status, await changed.json()]).toEqual([200, { id: 'eggs', title: 'Eggs', done: true }])
    await send(fetch, 'PUT', '/api/todos/eggs', { id: 'eggs', title: 'Six eggs' })
    expect(await database.todos.get('eggs')).toEqual({ id: 'eggs', title: 'Six eggs' })
    const deleted = await send(fetch, 'DELETE', '/api/todos/eggs')
    expect([deleted.status, await deleted.json()]).toEqual([200, { id: 'eggs', title: 'Six eggs' }])
    expect(await database.todos.all()).toEqual([MILK, BREAD])
  })

  test('answer with cursors, and say what a read contains', async () => {
    const { fetch } = todoServer()
    const key = { 'Idempotency-Key': 'm-1' }
    const saved = await send(fetch, 'PATCH', '/api/todos/milk', { done: true }, key)
    expect(saved.headers.get('Sync-Cursor')).toMatch(/^mock-\w+:1$/)
    const read = await get(fetch, '/api/todos', { headers: { 'Sync-Pending': 'm-1, m-2' } })
    expect(read.headers.get('Sync-Cursor')).toBe(saved.headers.get('Sync-Cursor'))
    expect(read.headers.get('Sync-Reflects')).toBe('m-1')
  })

  test('apply a mutation once, however often it is sent', async () => {
    const { fetch, database } = todoServer()
    const add = () => send(fetch, 'POST', '/api/todos', { title: 'Eggs' }, { 'Idempotency-Key': 'm-1' })
    const [first, second] = [await add(), await add()]
    expect(second.headers.get('Idempotent-Replayed')).toBe('true')
    expect([second.status, await second.json()]).toEqual([first.status, await first.json()])
    expect(await database.todos.all()).toHaveLength(3)
  })

  test('make an id for a row without one', async () => {
    const server = open(createMockServer({ tables: { notes: { rows: [{ id: 7, text: 'a' }] }, tags: { rows: [] } } }))
    expect(await (await send(server.fetch, 'POST', '/api/notes', { text: 'b' })).json()).toEqual({ id: 8, text: 'b' })
    expect(await (await send(server.fetch, 'POST', '/api/tags', {})).json()).toEqual({ id: 'tags-1' })
    expect(await (await get(server.fetch, '/api/notes/7')).json()).toEqual({ id: 7, text: 'a' })
  })

  test('refuse an id that is taken, with the row that has it', async () => {
    const { fetch } = todoServer()
    const answer = await send(fetch, 'POST', '/api/todos', { id: 'milk', title: 'Other' })
    expect(answer.status).toBe(409)
    expect(await answer.json()).toMatchObject({ current: { version: 1, value: MILK } })
  })

  test('refuse what the check refuses, and what is no object', async () => {
    const check = (row: unknown) => {
      const todo = row as Todo
      if (todo.title === '') throw reject({ detail: 'a todo needs a title', errors: { title: 'required' } })
      return todo
    }
    const { fetch, database } = open(createMockServer({ tables: { todos: { rows: [MILK], check } } }))
    const answer = await send(fetch, 'PATCH', '/api/todos/milk', { title: '' })
    expect(answer.status).toBe(422)
    expect(await answer.json()).toMatchObject({ detail: 'a todo needs a title', errors: { title: 'required' } })
    expect((await send(fetch, 'POST', '/api/todos', 'text')).status).toBe(400)
    expect((await fetch('/api/todos', { method: 'POST', body: '{' })).status).toBe(400)
    expect(await database.todos.all()).toEqual([MILK])
  })

  test('hold If-Match against the version of the row', async () => {
    const { fetch, database } = todoServer()
    await send(fetch, 'PATCH', '/api/todos/milk', { done: true })
    expect(await database.todos.version('milk')).toBe(2)
    const stale = await send(fetch, 'PATCH', '/api/todos/milk', { title: 'x' }, { 'If-Match': '"v1"' })
    expect(stale.status).toBe(412)
    expect((await send(fetch, 'PATCH', '/api/todos/milk', { title: 'x' }, { 'If-Match': '"v2"' })).status).toBe(200)
    expect((await send(fetch, 'DELETE', '/api/todos/milk', undefined, { 'If-Match': '"v2"' })).status).toBe(412)
  })
})

describe('other routes', () => {
  test('are the named queries and mutations of the sync kit', async () => {
    const { fetch } = open(
      createMockServer({
        tables: { todos: { rows: [MILK, BREAD] } },
        queries: { count: async (tx) => (await tx.rows('todos')).length },
        mutations: { 'todos/clear': async (tx) => tx.del('todos', 'milk') },
        syncPath: '/sync',
      }),
    )
    expect(
      await (await send(fetch, 'POST', '/sync/mutations/todos/clear', null, { 'Idempotency-Key': 'a' })).json(),
    ).toBe(true)
    expect(await (await get(fetch, '/sync/queries/count')).json()).toBe(1)
    expect(await (await get(fetch, '/sync/queries/todos')).json()).toEqual([BREAD])
    const batch = { mutations: [{ id: 'b', mutationKey: ['todos', 'create'], variables: MILK }] }
    const answer = await send(fetch, 'POST', '/sync/mutations', batch)
    expect(await answer.json()).toMatchObject({ results: [{ id: 'b', status: 'applied' }] })
  })

  test('are not there, and the answer says what is', async () => {
    const { fetch } = todoServer()
    const answer = await get(fetch, '/api/lists')
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ detail: expect.stringContaining('/api/todos') })
  })

  test('know who is asking', async () => {
    const authenticate = (request: Request) => (request.headers.get('Authorization') === 'me' ? { id: 'me' } : null)
    const { fetch } = todoServer({ authenticate })
    expect((await get(fetch, '/api/todos')).status).toBe(401)
    expect((await get(fetch, '/api/todos', { headers: { Authorization: 'me' } })).status).toBe(200)
  })
})

describe('the stream', () => {
  test('tells every change to who asks for no topics', async () => {
    const { fetch, database } = todoServer()
    const stream = await listen(fetch)
    expect(await stream.next()).toMatchObject({ event: 'hello', data: { resume: 'fresh' } })
    await send(fetch, 'PATCH', '/api/todos/milk', { done: true }, { 'Idempotency-Key': 'm-1' })
    expect(await stream.next()).toMatchObject({
      event: 'patch',
      data: {
        ...{ topics: ['todos'], mutations: [{ id: 'm-1' }] },
        changes: [{ op: 'put', type: 'todo', id: 'milk', version: 2 }],
      },
    })
    await database.todos.delete('milk')
    expect(await stream.next()).toMatchObject({ event: 'patch', data: { changes: [{ op: 'del', id: 'milk' }] } })
  })

  test('tells only the topics that were asked for', async () => {
    const tables = { todos: { rows: [MILK] }, lists: { rows: [{ id: 'l' }] } }
    const { fetch, database } = open(createMockServer({ tables }))
    const stream = await listen(fetch, '/api/sync/stream?topics=lists')
    await stream.next()
    await database.todos.update('milk', { title: 'x' })
    await database.lists.put({ id: 'l' })
    expect(await stream.next()).toMatchObject({ data: { changes: [{ type: 'lists' }] } })
  })

  test('goes on after the last event', async () => {
    const { fetch, database } = todoServer()
    const first = await listen(fetch)
    const hello = await first.next()
    await first.close()
    await database.todos.update('milk', { title: 'x' })
    const again = await listen(fetch, '/api/sync', { headers: { 'Last-Event-ID': String(hello?.data['cursor']) } })
    expect(await again.next()).toMatchObject({ event: 'hello', data: { resume: 'continued' } })
    expect(await again.next()).toMatchObject({ event: 'patch' })
  })

  test('is not there where there is none', async () => {
    const { fetch } = todoServer({ stream: false })
    expect((await get(fetch, '/api/sync')).status).toBe(404)
  })
})

describe('a plain server', () => {
  const plain = () => open(createMockServer({ plain: true, tables: { todos: { rows: [MILK] } } }))

  test('says nothing of Tidemark', async () => {
    const { fetch } = plain()
    const read = await get(fetch, '/api/todos', { headers: { 'Sync-Pending': 'm-1' } })
    expect([...read.headers.keys()]).toEqual(['content-type'])
    const write = await send(fetch, 'PATCH', '/api/todos/milk', { done: true }, { 'Idempotency-Key': 'm-1' })
    expect([...write.headers.keys()]).toEqual(['content-type'])
    const refused = await get(fetch, '/api/todos/none')
    expect([refused.status, await refused.json()]).toEqual([404, { message: 'todos has no row "none"' }])
  })

  test('does a write as often as it is sent', async () => {
    const { fetch, database } = plain()
    const add = () => send(fetch, 'POST', '/api/todos', { title: 'Eggs' }, { 'Idempotency-Key': 'm-1' })
    await add()
    await add()
    expect(await database.todos.all()).toHaveLength(3)
  })

  test('has tables only', async () => {
    const { fetch } = plain()
    expect((await get(fetch, '/api/sync')).status).toBe(404)
    expect((await get(fetch, '/api/sync/queries/todos')).status).toBe(404)
    expect(() => createMockServer({ plain: true, queries: {} })).toThrow('A plain mock server has tables only')
  })
})

describe('the options', () => {
  test('are checked', () => {
    expect(() => createMockServer({ table: {} } as never)).toThrow('did you mean "tables"?')
    expect(() => createMockServer({ tables: { 'a/b': { rows: [] } } })).toThrow('cannot stand in a path')
    expect(() => createMockServer({ tables: { todos: {} as never } })).toThrow('needs "rows"')
    expect(() => createMockServer({ apiPath: 'api' })).toThrow('must begin with "/"')
  })

  test('give the database its types', async () => {
    const server = open(createMockServer({ tables: { todos: { rows: [MILK], id: (row) => row.id } } }))
    expectTypeOf(server.database.todos.all).returns.resolves.toEqualTypeOf<Todo[]>()
    // @ts-expect-error: there is no such table
    expect(server.database.lists).toBeUndefined()
  })
})
