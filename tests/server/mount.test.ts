// Every example of mounting serves mutations, reads and streams, and leaves other routes alone.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SyncHandler } from 'tidemark/server'
import { afterEach, expect, test } from 'vitest'
import { createApp } from '../../examples/mount/app'
import { mountOnExpress } from '../../examples/mount/express'
import { mountOnFastify } from '../../examples/mount/fastify'
import { mountOnHono } from '../../examples/mount/hono'
import { mountOnNode } from '../../examples/mount/node'
import { problemOf, readStream } from './harness'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(resolve)
      }),
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const MOUNTS: [name: string, mount: (handler: SyncHandler) => Promise<string>][] = [
  ['plain Node', (handler) => listen(mountOnNode(handler))],
  ['Hono', (handler) => listen(mountOnHono(handler))],
  ['Express', (handler) => listen(mountOnExpress(handler))],
  ['Express behind its JSON parser', (handler) => listen(mountOnExpress(handler, true))],
  [
    'Fastify',
    async (handler) => {
      const app = mountOnFastify(handler)
      ends.push(() => app.close())
      return app.listen({ port: 0, host: '127.0.0.1' })
    },
  ],
]

test.each(MOUNTS)('%s serves the whole protocol', async (_name, mount) => {
  const handler = createApp()
  const url = await mount(handler)
  const add = (id: string, task: object) =>
    fetch(`${url}/sync/mutations/tasks/add`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': id },
      body: JSON.stringify(task),
    })
  expect(await (await fetch(url)).text()).toBe('your own page')

  const answer = await fetch(`${url}/sync/stream?topics=tasks`)
  expect(answer.headers.get('Content-Type')).toBe('text/event-stream; charset=utf-8')
  expect(answer.headers.get('Cache-Control')).toBe('no-store, no-transform')
  const events = readStream(answer)
  expect(await events.next()).toMatchObject({ event: 'hello', resume: 'fresh' })

  const first = await add('one', { id: 'a', title: 'Grüße' })
  expect([first.status, await first.json()]).toEqual([200, { id: 'a', title: 'Grüße' }])
  expect(await events.next()).toMatchObject({ event: 'patch', id: first.headers.get('Sync-Cursor') })
  expect((await add('one', { id: 'a', title: 'Grüße' })).headers.get('Idempotent-Replayed')).toBe('true')
  expect(await problemOf(await add('two', { id: 'b' }))).toMatchObject({ status: 422, errors: { title: 'required' } })

  const read = await fetch(`${url}/sync/queries/tasks`, { headers: { 'Sync-Pending': 'one, two' } })
  expect(await read.json()).toEqual([{ id: 'a', title: 'Grüße' }])
  expect(read.headers.get('Sync-Reflects')).toBe('one')
  expect((await fetch(`${url}/sync/nothing`)).status).toBe(404)

  await events.cancel()
  await expect.poll(() => handler.snapshot()['streams']).toBe(0)
  await handler.close()
})
