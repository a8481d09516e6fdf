// Messages are sentences: what the sources say to people ends with one full stop (or one question mark), also where the
// words of a server or of another error are put at its end (`sentence()`).
import { describe, expect, test } from 'vitest'
import { sentence } from '../src/base/errors.ts'
import { adding, editing, take, todo, todosQuery } from './kit/todos.ts'
import { createWorld } from './kit/world.ts'
import type { Node, SourceFile } from './syntax.ts'
import { readSources } from './syntax.ts'

const files = readSources('{src,adapters}/**/*.{ts,tsx}')

/** Which argument of a call is a message for people. */
const MESSAGE_AT: Record<string, number> = { usageError: 0, SyncError: 1, warn: 0, warnOnce: 1, fail: 0, unfit: 0 }

interface Message {
  readonly path: string
  /** The end as it is written; `undefined` where it comes from elsewhere. */
  readonly end: string | undefined
}

const isNode = (value: unknown): value is Node => typeof (value as Node | null)?.type === 'string'

function* nodesIn(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const each of value) yield* nodesIn(each)
  if (!isNode(value)) return
  yield value
  for (const [name, part] of Object.entries(value)) if (name !== 'type') yield* nodesIn(part)
}

/** How the text that an expression makes ends. */
function* endsOf(node: unknown, names: ReadonlyMap<string, Node>): Generator<string | undefined> {
  if (!isNode(node)) return
  const { type } = node
  if (type === 'Literal') yield String(node['value'])
  else if (type === 'TemplateLiteral') {
    const last = (node['quasis'] as { value: { cooked: string } }[]).at(-1)?.value.cooked ?? ''
    if (last !== '') yield last
    else yield* endsOf((node['expressions'] as Node[]).at(-1), names)
  } else if (type === 'ConditionalExpression')
    for (const part of ['consequent', 'alternate']) yield* endsOf(node[part], names)
  else if (type === 'BinaryExpression') yield* endsOf(node['right'], names)
  else if (type === 'CallExpression' && (node['callee'] as Node)['name'] === 'sentence') yield '.'
  else if (type === 'Identifier' && names.has(node['name'] as string))
    yield* endsOf(names.get(node['name'] as string), new Map())
  else yield undefined
}

/** What a file says: arguments of the calls above, and properties named `text`. Names of constants are looked up. */
function messagesOf({ path, body }: SourceFile): Message[] {
  const nodes = [...nodesIn(body)]
  const names = new Map<string, Node>()
  for (const node of nodes) {
    const { id, init } = node as unknown as { id?: Node; init?: Node }
    if (node.type === 'VariableDeclarator' && id?.type === 'Identifier' && isNode(init) && isText(init))
      names.set(id['name'] as string, init)
  }
  const found: Node[] = []
  for (const node of nodes) {
    if (node.type === 'Property' && /^text$/.test(String((node['key'] as Node)['name'])))
      found.push(node['value'] as Node)
    if (!/^(Call|New)Expression$/.test(node.type)) continue
    const callee = node['callee'] as Node
    const name = String(callee.type === 'MemberExpression' ? (callee['property'] as Node)['name'] : callee['name'])
    const at = MESSAGE_AT[name]
    const message = at === undefined ? undefined : (node['arguments'] as Node[])[at]
    if (message !== undefined) found.push(message)
  }
  return found.flatMap((node) => [...endsOf(node, names)].map((end) => ({ path, end })))
}

const isText = (node: Node): boolean => /^(Literal|TemplateLiteral|ConditionalExpression)$/.test(node.type)

const messages = files.flatMap(messagesOf)

describe('messages in src and adapters', () => {
  test('are found', () => {
    expect(messages.filter(({ end }) => end !== undefined).length).toBeGreaterThan(90)
  })

  test('end with one full stop', () => {
    expect(messages.filter(({ end }) => end !== undefined && !/(^|[^.!?])[.?]$/.test(end))).toEqual([])
  })
})

describe('messages that end in the words of a server or of an error', () => {
  test.each([
    [
      422,
      { detail: 'An issue needs a title.' },
      'An issue needs a title.',
      'The server answered 422: An issue needs a title.',
    ],
    [422, { title: 'No title' }, 'No title', 'The server answered 422: No title.'],
    [500, undefined, 'The server answered 500.', 'The server answered 500.'],
    [
      409,
      { detail: 'It has changed.' },
      'The server has a newer version: It has changed.',
      'The server answered 409: It has changed.',
    ],
  ])('%i with %j', async (status, problem, written, read) => {
    const add = adding({ retry: 0, conflict: 'server-wins' })
    const world = createWorld({ mutations: [add] })
    world.sync.start()
    const { confirmed } = world.sync.mutate(add, todo('a', 'one'))
    const reading = world.sync.queryClient.fetchQuery(todosQuery).catch((error: unknown) => error)
    await world.settle()
    await take(world, '/add').answer(problem, { status })
    await world.net.take('GET').answer(problem, { status })
    await expect(confirmed).rejects.toMatchObject({ message: written })
    expect(await reading).toMatchObject({ message: read })
  })

  test('what a refused write takes with it says why', async () => {
    const add = adding()
    const edit = editing()
    const world = createWorld({ mutations: [add, edit] })
    world.sync.start()
    world.sync.mutate(add, todo('a', 'one'))
    const { confirmed } = world.sync.mutate(edit, { id: 'a', title: 'two' })
    await world.settle()
    await take(world, '/add').answer({ detail: 'A todo needs a title.' }, { status: 422 })
    const message = 'Not sent: what it builds on was refused: A todo needs a title.'
    await expect(confirmed).rejects.toMatchObject({ code: 'dependency-rejected', message })
  })
})

test.each([
  ['No', 'No.'],
  ['No.', 'No.'],
  ['No..  ', 'No.'],
  ['No; did you mean "yes"?', 'No; did you mean "yes"?'],
  ['No!', 'No!'],
])('sentence(%j) is %j', (text, expected) => {
  expect(sentence(text)).toBe(expected)
})
