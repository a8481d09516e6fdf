// What the stream says of a refused mutation, when it is faster than the answer to the request itself.
import type { SyncError } from 'tidemark'
import { createSyncClient, defineMutation, syncStream } from 'tidemark'
import { conflict, createMockServer, reject } from 'tidemark/mocks'
import { afterEach, expect, test, vi } from 'vitest'
import { PATIENCE } from '../kit/patience.ts'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

function start() {
  let isTaken = true
  const server = createMockServer({
    mutations: {
      refuse: () => {
        throw reject({ detail: 'a todo needs a title', errors: { title: 'required' } })
      },
      claim: async (tx) => {
        if (isTaken) throw conflict({ version: 3, value: 'somebody' })
        return tx.put('seat', '1', { id: '1' })
      },
    },
  })
  const send = (name: string) =>
    defineMutation({
      mutationKey: [name],
      mutationFn: (_: null, { fetch }) =>
        fetch(`/api/sync/mutations/${name}`, { method: 'POST', body: 'null' }).then((r): Promise<unknown> => r.json()),
      rebase: () => {
        isTaken = false
        return null
      },
    })
  const [refuse, claim] = [send('refuse'), send('claim')]
  const sync = createSyncClient({
    mutations: [refuse, claim],
    stream: syncStream({ url: '/api/sync' }),
    platform: { fetch: server.fetch },
    onReport: () => {},
  })
  ends.push(sync.start(), server.close)
  return { server, sync, refuse, claim }
}

const connected = ({ sync }: ReturnType<typeof start>) =>
  vi.waitFor(() => expect(sync.status.getState().stream).toBe('open'), PATIENCE)

test('a refusal that the stream brings first says what the answer would say', async () => {
  const app = start()
  await connected(app)
  const held = app.server.faults.hold({ on: 'write' })
  const error = await app.sync.mutate(app.refuse, null).confirmed.catch((reason: SyncError) => reason)
  held.release()
  expect(error).toMatchObject({ code: 'rejected', status: 422, message: 'a todo needs a title' })
  expect(error).toMatchObject({ problem: { errors: { title: 'required' } } })
})

test('a conflict that the stream brings first is still resolved by its policy', async () => {
  const app = start()
  await connected(app)
  const held = app.server.faults.hold({ on: 'write' })
  const handle = app.sync.mutate(app.claim, null)
  await vi.waitFor(() => expect(app.sync.status.getState().cursor).toMatch(/:1$/), PATIENCE)
  held.release()
  expect(await handle.confirmed).toEqual({ id: '1' })
})
