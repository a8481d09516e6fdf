// The answer, the echo and the refetch of one mutation, in any order, end in the same state, and no publish on the way
// lacks the change or has it twice.
import { createQueryStore, defineMutation, entity, queryOptions, syncStream } from 'tidemark'
import { describe, expect, test } from 'vitest'
import { createWorld } from '../kit/world'

interface Doc {
  id: string
  version: number
  tokens: string[]
}
const docRow = entity<Doc>('doc')
const doc = queryOptions({
  queryKey: ['doc'],
  queryFn: ({ fetch }) => fetch('/doc').then((response): Promise<Doc> => response.json()),
  rows: [docRow, (data) => data],
})
const append = (repeatable: boolean, data: 'row' | 'set' | 'none') =>
  defineMutation({
    mutationKey: ['append'],
    mutationFn: (token: string, { fetch }) =>
      fetch('/append', { body: JSON.stringify(token) }).then((response): Promise<Doc> => response.json()),
    optimistic: (view, token) =>
      view.row(docRow, 'd').update((draft) => {
        if (!repeatable || !draft.tokens.includes(token)) draft.tokens.push(token)
      }),
    apply: (base, saved) => {
      if (data === 'row') base.upsert(docRow, saved)
      if (data === 'set') base.set(doc.queryKey, saved)
    },
  })

type Message = 'answer' | 'echo' | 'read'
const ORDERS: Message[][] = [
  ['answer', 'echo', 'read'],
  ['answer', 'read', 'echo'],
  ['echo', 'answer', 'read'],
  ['echo', 'read', 'answer'],
  ['read', 'answer', 'echo'],
  ['read', 'echo', 'answer'],
]
const before: Doc = { id: 'd', version: 1, tokens: ['o'] }
const after: Doc = { id: 'd', version: 2, tokens: ['o', 'm'] }

interface Case {
  names: boolean
  event: 'patch' | 'invalidate'
  repeatable: boolean
  data: 'row' | 'set' | 'none'
}

async function play(order: readonly Message[], { names, event, repeatable, data }: Case): Promise<void> {
  const mutation = append(repeatable, data)
  const { sync, net, settle, advance } = createWorld({ mutations: [mutation], stream: syncStream({ url: '/stream' }) })
  sync.start()
  const store = createQueryStore(sync, doc)
  const seen: string[] = []
  store.subscribe(({ data: shown }) => shown !== undefined && seen.push(shown.tokens.join('')))
  await settle()
  const stream = net.stream()
  await stream.send('hello', { protocol: 1, epoch: 'e', resume: 'fresh', cursor: 'e:1', heartbeat: 120_000 })
  const headers = (position: number, contains: boolean, asked: string[]) => ({
    headers: {
      'sync-cursor': `e:${position}`,
      ...(names ? { 'sync-reflects': contains ? asked.join(', ') : '' } : undefined),
    },
  })
  await net.take('GET').answer(before, headers(1, false, []))
  const handle = sync.mutate(mutation, 'm')
  await settle()
  const write = net.take('POST')
  void sync.queryClient.refetchQueries({ queryKey: ['doc'] })
  await settle()
  const read = net.take('GET') // evaluated after the write was applied
  const change = {
    op: 'patch',
    type: 'doc',
    id: 'd',
    base: 1,
    version: 2,
    value: [
      { op: 'add', path: '/tokens/-', value: 'm' },
      { op: 'replace', path: '/version', value: 2 },
    ],
  }
  const body = event === 'patch' ? { changes: [change] } : { keys: [['doc']] }
  const deliver: Record<Message, () => Promise<void>> = {
    answer: () => write.answer(after, headers(2, false, [])),
    echo: () => stream.send(event, { prev: 'e:1', mutations: [{ id: handle.id }], ...body }, 'e:2'),
    read: () => read.answer(after, headers(2, true, read.names)),
  }
  for (const message of order) {
    await deliver[message]()
    await settle()
  }
  for (let round = 0; round < 5; round++) {
    for (const late of [...net.waiting]) await late.answer(after, headers(2, true, late.names))
    await advance(1000)
  }
  expect(seen.slice(seen.indexOf('om')), order.join()).toEqual(seen.slice(seen.indexOf('om')).map(() => 'om'))
  expect(sync.getBase(['doc'])).toEqual(after)
  expect(sync.outbox.getState().entries).toEqual([])
  await handle.reflected
  await sync.close()
}

describe('the answer, the echo and the refetch of one mutation, in any order', () => {
  for (const names of [true, false]) {
    for (const event of ['patch', 'invalidate'] as const) {
      for (const repeatable of [true, false]) {
        for (const data of ['row', 'set', 'none'] as const) {
          const title = `reads ${names ? 'with' : 'without'} names, ${event}, ${repeatable ? '' : 'not '}repeatable, answers with ${data}`
          test(`end in the same state: ${title}`, async () => {
            for (const order of ORDERS) await play(order, { names, event, repeatable, data })
          })
        }
      }
    }
  }
})
