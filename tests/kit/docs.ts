// Documents as lists of tokens: a token twice was applied twice, a missing one flickered, tokens out of order were
// applied in the wrong order. One mutation appends a token to some documents.
import type { DefinedMutation, MutationDefinition } from 'tidemark'
import { defineMutation, entity, queryOptions } from 'tidemark'
import { expect } from 'vitest'
import type { Answer, Sent } from './network'
import type { Watch, World } from './world'

export interface Doc {
  id: string
  version: number
  tokens: string[]
}

export const docRow = entity<Doc>('doc')

export const docQuery = (id: string) =>
  queryOptions({
    queryKey: ['doc', id],
    queryFn: ({ fetch }) => fetch(`/doc/${id}`).then((r): Promise<Doc> => r.json()),
    rows: [docRow, (doc) => doc],
  })

/** `doc('q1', 2, 'a', 'b')`: version 2 with two tokens. */
export const doc = (id: string, version: number, ...tokens: string[]): Doc => ({ id, version, tokens })

/** `push` changes something each time it runs, `add` does not: it is repeatable. */
export type Kind = 'push' | 'add'
export const kinds: readonly Kind[] = ['push', 'add']

export interface Write {
  token: string
  to: string[]
  scope?: string
}

/** What the server answers a write with; `docs` are written to the base. */
export interface Written {
  docs?: Doc[]
}

export type WriteMutation = DefinedMutation<Write, Written | undefined>

export function writing(kind: Kind, more: Partial<MutationDefinition<Write, Written | undefined>> = {}): WriteMutation {
  return defineMutation<Write, Written | undefined>({
    mutationKey: ['write'],
    mutationFn: async (write, { fetch }) => {
      const text = await (await fetch('/write', { body: JSON.stringify(write) })).text()
      return text === '' ? undefined : (JSON.parse(text) as Written)
    },
    optimistic: (view, { token, to }) => {
      for (const id of to)
        view.update(docQuery(id).queryKey, (draft) => {
          if (kind === 'push' || !draft.tokens.includes(token)) draft.tokens.push(token)
        })
    },
    apply: (base, answer) => {
      for (const each of answer?.docs ?? []) base.set(docQuery(each.id).queryKey, each)
    },
    scope: ({ scope = '' }) => ({ id: scope }),
    ...more,
  })
}

/** Headers of an answer at a position of the log; `reflects` are the ids that it contains. */
export function at(position: number | undefined, reflects?: readonly string[]): Answer {
  return {
    headers: {
      ...(position === undefined ? undefined : { 'sync-cursor': `e:${position}` }),
      ...(reflects === undefined ? undefined : { 'sync-reflects': reflects.join(', ') }),
    },
  }
}

export interface DocWatch extends Watch<Doc> {
  /** The tokens of every publish in one word each, neighbours that are equal once; `-` for no data. */
  readonly shown: string[]
  /** The tokens now. */
  readonly now: string
}

const word = (value: Doc | undefined): string => (value === undefined ? '-' : value.tokens.join(' '))

export function watchDoc({ watch }: World, id: string): DocWatch {
  const inner = watch<Doc>(docQuery(id))
  return {
    values: inner.values,
    get data() {
      return inner.data
    },
    stop: inner.stop,
    get shown() {
      return inner.values.map(word).filter((each, i, all) => i === 0 || each !== all[i - 1])
    },
    get now() {
      return word(inner.data)
    },
  }
}

/** Watches a document and answers its first read. */
export async function loadDoc(world: World, first: Doc, answer: Answer = at(0)): Promise<DocWatch> {
  const watched = watchDoc(world, first.id)
  await world.settle()
  await takeRead(world, first.id).answer(first, answer)
  return watched
}

export const takeRead = ({ net }: World, id: string): Sent => net.take('GET', `/doc/${id}`)
export const takeWrite = ({ net }: World, token?: string): Sent => {
  const found = net.waiting.find(
    (sent) => sent.method === 'POST' && (token === undefined || (sent.body as Write).token === token),
  )
  if (found === undefined) throw new Error(`No write of ${token ?? 'anything'} waits for an answer.`)
  net.waiting.splice(net.waiting.indexOf(found), 1)
  return found
}

/** The next write, moving time on until it comes. */
export async function nextWrite(world: World, token?: string): Promise<Sent> {
  for (let waited = 0; waited < 240_000; waited += 250) {
    const there = world.net.waiting.some(
      (sent) => sent.method === 'POST' && (token === undefined || (sent.body as Write).token === token),
    )
    if (there) break
    await world.advance(250)
  }
  return takeWrite(world, token)
}

/** How often a document was asked for. */
export const reads = ({ net }: World, id: string): number =>
  net.log.filter((sent) => sent.method === 'GET' && sent.url === `/doc/${id}`).length

export const writes = ({ net }: World): Sent[] => net.log.filter((sent) => sent.method === 'POST')

/** Nothing is pending, no base waits, and the base is what is shown. */
export function expectSettled(world: World, ...ids: string[]): void {
  expect(world.sync.outbox.getState().entries).toEqual([])
  expect(world.sync.status.getState().waiting).toEqual([])
  for (const id of ids) {
    const { queryKey } = docQuery(id)
    expect(world.sync.getView(queryKey)).toEqual(world.sync.getBase(queryKey))
  }
}
