import { defineMutation, entity, queryOptions } from 'tidemark'
import { expect, test } from 'vitest'
import { createWorld } from '../kit/world'

interface Note {
  id: string
  title: string
  body: string
  version: number
}
const noteRow = entity<Note>('note')
const notes = queryOptions({
  queryKey: ['notes'],
  queryFn: ({ fetch }) => fetch('/notes').then((response): Promise<Note[]> => response.json()),
  rows: [noteRow, (rows) => rows, { where: () => true }],
})
const edit = defineMutation({
  mutationKey: ['edit'],
  mutationFn: (note: Note, { fetch }) =>
    fetch('/edit', { body: JSON.stringify(note) }).then((response): Promise<Note> => response.json()),
  optimistic: (view, { id, title, body }) =>
    view.row(noteRow, id).update((draft) => void Object.assign(draft, { title, body })),
  conflict: 'merge',
})

test('what the server has and the merged change are one publish', async () => {
  const { sync, net, watch, settle } = createWorld({ mutations: [edit] })
  sync.start()
  const list = watch<Note[]>(notes)
  await settle()
  await net
    .take('GET')
    .answer([{ id: 'a', title: 'old', body: 'old', version: 1 }], { headers: { 'sync-cursor': 'e:1' } })
  sync.mutate(edit, { id: 'a', title: 'mine', body: 'old', version: 1 })
  await settle()
  const current = { version: 2, value: { id: 'a', title: 'old', body: 'theirs', version: 2 } }
  const problem = { type: 'urn:x:conflict', title: 'newer', current, cursor: 'e:2' }
  await net.take('POST').answer(problem, { status: 409, headers: { 'sync-cursor': 'e:2' } })
  const shown = list.values.slice(1).map((rows) => rows?.map(({ title, body }) => `${title} ${body}`).join())
  expect(shown).toEqual(['old old', 'mine old', 'mine theirs'])
  expect(net.take('POST').body).toMatchObject({ title: 'mine', body: 'theirs' })
})
