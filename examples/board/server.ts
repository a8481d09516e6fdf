/**
 * The board's server: Tidemark's sync handler on a SQLite file, five mutations, one query. Two things are here only for
 * the demo: it can be asked to misbehave with a write, and it shows its change log.
 */
import type { NodeListener, SyncHandler, Validator, WriteTransaction } from 'tidemark/server'
import { conflict, createSyncHandler, reject, sqliteStore, toNodeListener } from 'tidemark/server'
import type { Choice } from './lists'
import { listOf, SHOWS, SORTS } from './lists'
import { rankBetween } from './rank'
import type { AddTask, MoveTask, RemoveTask, RenameTask, Task, ToggleTask } from './task'
import { FAULT_HEADER, TITLE_MAX } from './task'

export interface BoardServer {
  /** Answers everything below `/api/`. */
  listener: NodeListener
  /** Says goodbye to the streams, waits for what runs, closes the database. */
  close(): Promise<void>
}

const SEEDS = [
  'Rename me, in either panel',
  'Open a second window',
  'Lose an answer, then tick me',
  'Go offline and edit a few',
  'Stop the server and start it again',
]

/** Opens the board in a SQLite file, and fills it with a few tasks if it is new. */
export async function openBoard(file: string): Promise<BoardServer> {
  const store = sqliteStore(file)
  const handler = createSyncHandler({
    store,
    basePath: '/api',
    streamPath: '/api/sync',
    queries: {
      tasks: { run: async (tx, choice: Choice) => listOf(await tx.rows<Task>('task'), choice), params: choiceOf },
    },
    mutations: {
      'tasks/add': {
        run: refusable(add),
        variables: fields<AddTask>({ id: 'string', title: 'string', rank: 'string' }),
      },
      'tasks/rename': {
        run: refusable(rename),
        variables: fields<RenameTask>({ id: 'string', from: 'string', title: 'string' }),
      },
      'tasks/toggle': { run: refusable(toggle), variables: fields<ToggleTask>({ id: 'string', done: 'boolean' }) },
      'tasks/move': { run: refusable(move), variables: fields<MoveTask>({ id: 'string', rank: 'string' }) },
      'tasks/remove': { run: refusable(remove), variables: fields<RemoveTask>({ id: 'string' }) },
    },
  })
  await handler.write(seed)

  async function answer(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === '/api/demo/log') {
      return Response.json(await store.snapshot((view) => view.readLog('0', 1_000)))
    }
    return handler(request.headers.get(FAULT_HEADER) === 'conflict' ? await meddle(handler, request) : request)
  }
  return {
    listener: toNodeListener(answer),
    async close() {
      await handler.close({ spread: 1_000, timeout: 2_000 })
      await store.close()
    },
  }
}

async function seed(tx: WriteTransaction): Promise<void> {
  if (await tx.exists('board', 'seeded')) return
  await tx.set('board', 'seeded', true)
  let rank: string | undefined
  for (const title of SEEDS) {
    rank = rankBetween(rank, undefined)
    await add(tx, { id: crypto.randomUUID(), title, rank })
  }
}

async function add(tx: WriteTransaction, { id, title, rank }: AddTask): Promise<Task> {
  if (await tx.exists('task', id)) throw reject('There is a task with this id already.')
  return tx.put<Task>('task', id, { id, title: titleOf(title), done: false, rank: rankOf(rank), version: 1 })
}

async function rename(tx: WriteTransaction, { id, from, title }: RenameTask): Promise<Task> {
  const record = await tx.get<Task>('task', id)
  // Not the row's version: a tick in between is no reason to ask anybody which title they want.
  if (record !== undefined && record.value.title !== from) {
    throw conflict(record, `The title is “${record.value.title}” meanwhile.`)
  }
  return change(tx, id, { title: titleOf(title) })
}

function toggle(tx: WriteTransaction, { id, done }: ToggleTask): Promise<Task> {
  return change(tx, id, { done })
}

function move(tx: WriteTransaction, { id, rank }: MoveTask): Promise<Task> {
  return change(tx, id, { rank: rankOf(rank) })
}

async function remove(tx: WriteTransaction, { id }: RemoveTask): Promise<null> {
  await tx.del('task', id)
  return null
}

async function change(tx: WriteTransaction, id: string, fields: Partial<Task>): Promise<Task> {
  const task = await tx.row<Task>('task', id)
  if (task === undefined) throw reject({ type: 'not-found', status: 404, detail: 'This task was removed meanwhile.' })
  return tx.merge<Task>('task', id, { ...fields, version: task.version + 1 })
}

function titleOf(title: string): string {
  const text = title.trim()
  if (text === '') throw reject('A task needs a title.')
  if (text.length > TITLE_MAX) throw reject(`A title has at most ${TITLE_MAX} characters; this one has ${text.length}.`)
  return text
}

function rankOf(rank: string): string {
  if (!/^[0-9a-z]{0,199}[1-9a-z]$/.test(rank)) throw reject('This is no place in the list.')
  return rank
}

/** Which list is asked for; without a word all tasks, by hand. */
function choiceOf(input: unknown): Choice {
  const { show = 'all', sort = 'hand' } = input as Partial<Choice>
  if (!Object.hasOwn(SHOWS, show) || !Object.hasOwn(SORTS, sort)) throw new Error('There is no such list.')
  return { show, sort }
}

/** Variables with these fields. */
function fields<T extends object>(types: Record<keyof T, 'string' | 'boolean'>): Validator<T> {
  return (input) => {
    if (typeof input !== 'object' || input === null) throw new Error('The variables must be an object.')
    for (const [name, type] of Object.entries(types)) {
      if (typeof (input as Record<string, unknown>)[name] !== type) throw new Error(`"${name}" must be a ${type}.`)
    }
    return input as T
  }
}

type Run<T> = (tx: WriteTransaction, variables: T) => unknown

/** The demo's switch "reject the next write". */
function refusable<T>(run: Run<T>) {
  return (tx: WriteTransaction, variables: T, { request }: { request: Request }): unknown => {
    if (request.headers.get(FAULT_HEADER) === 'reject') throw reject('The server said no, because you asked it to.')
    return run(tx, variables)
  }
}

const SIGNATURE = ' · Robin was here'

/**
 * The demo's switch "conflict on the next write": somebody else renames the task just before the write arrives. A rename
 * then finds another title than it started from; any other write is held to the version it was made on.
 */
async function meddle(handler: SyncHandler, request: Request): Promise<Request> {
  const body: unknown = await request.clone().json()
  const id = (body as { id?: unknown } | null)?.id
  if (typeof id !== 'string') return request
  const { value: version } = await handler.write(async (tx) => {
    const record = await tx.get<Task>('task', id)
    if (record === undefined) return undefined
    const { title } = record.value
    await change(tx, id, { title: title.endsWith(SIGNATURE) ? title.slice(0, -SIGNATURE.length) : title + SIGNATURE })
    return record.version
  })
  if (version === undefined || new URL(request.url).pathname.endsWith('/rename')) return request
  const headers = new Headers(request.headers)
  headers.set('If-Match', `"v${version}"`)
  return new Request(request, { headers })
}
