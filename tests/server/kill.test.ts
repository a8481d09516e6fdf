// The server is killed again and again while clients write and listen; in the end everything happened exactly once.
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sqliteStore } from 'tidemark/server'
import { build } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readStream } from './harness'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-kill-'))
const children = new Set<ChildProcess>()
const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: 'silent',
    resolve: { alias: { 'tidemark/server': source('../../server/index.ts') } },
    build: {
      ssr: source('./kill-child.ts'),
      outDir: folder,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: 'child.mjs' } },
    },
  })
})
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

interface Running {
  url: string
  child: ChildProcess
  ended: Promise<unknown>
}

/** Starts the server on the database; `killAt`: it dies at that commit. */
async function startChild(database: string, killAt = 0): Promise<Running> {
  const env = { ...process.env, DATABASE: database, KILL_AT_COMMIT: String(killAt) }
  const child = spawn(process.execPath, [join(folder, 'child.mjs')], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (text: Buffer) => resolve(/port (\d+)/.exec(String(text))?.[1] ?? ''))
    child.once('exit', () => reject(new Error('the server did not start')))
  })
  return { url: `http://127.0.0.1:${port}/sync`, child, ended }
}

/** A server that is always there again: whoever asks for it while it is down waits. */
function createKeeper(database: string, killsAt: number[]) {
  let current = startChild(database, killsAt.shift())
  let starts = 1
  let isOver = false
  const watch = (running: Promise<Running>): void => {
    void running.then(({ ended }) =>
      ended.then(() => {
        if (isOver) return
        starts++
        current = startChild(database, killsAt.shift())
        watch(current)
      }),
    )
  }
  watch(current)
  return {
    get starts() {
      return starts
    },
    current: () => current,
    async stop() {
      isOver = true
      const { child, ended } = await current
      child.kill('SIGKILL')
      await ended
    },
  }
}
type Keeper = ReturnType<typeof createKeeper>

/** Sends until there is an answer, always with the same key. */
async function send(
  keeper: Keeper,
  id: string,
  outbox: string,
  sequence: number,
): Promise<{ place: number; tries: number }> {
  for (let tries = 1; ; tries++) {
    const { url } = await keeper.current()
    try {
      const answer = await fetch(`${url}/mutations/add`, {
        method: 'POST',
        body: JSON.stringify({ id }),
        headers: {
          'Content-Type': 'application/json',
          'Idempotency-Key': id,
          'Sync-Outbox': outbox,
          'Sync-Scope': 's',
          'Sync-Sequence': String(sequence),
        },
      })
      if (answer.ok) return { place: (await answer.json()) as number, tries }
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

/** Follows the stream over all deaths, by its cursor alone. */
async function listen(keeper: Keeper, count: number, onHello: () => void): Promise<string[]> {
  const got: string[] = []
  let cursor = ''
  while (got.length < count) {
    const { url } = await keeper.current()
    try {
      const answer = await fetch(
        `${url}/stream?topics=row`,
        cursor === '' ? {} : { headers: { 'Last-Event-ID': cursor } },
      )
      const events = readStream(answer)
      const hello = await events.next()
      if (hello?.event !== 'hello') throw new Error('no hello')
      onHello()
      if (cursor !== '' && hello.resume !== 'continued') got.push(`a gap: ${hello.resume}`)
      cursor ||= hello.cursor
      while (got.length < count) {
        const message = await events.next()
        if (message === undefined) break
        if (message.event === 'patch') {
          if (message.prev !== cursor) got.push(`a gap: ${message.prev} after ${cursor}`)
          got.push(...message.changes.map((change) => String(change.id)))
        }
        cursor = message.id ?? cursor
      }
      await events.cancel()
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  return got
}

async function run(database: string, keeper: Keeper, clients: number, each: number, onReady = () => {}) {
  const total = clients * each
  let greet = () => {}
  const greeted = new Promise<void>((resolve) => {
    greet = resolve
  })
  const hasStream = listen(keeper, total, () => greet())
  await greeted // the first write waits until somebody listens, so that the listener can be asked for all of them
  onReady()
  const places: number[] = []
  let resends = 0
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let n = 0; n < each; n++) {
        const { place, tries } = await send(keeper, `c${client}-${n}`, `o${client}`, n)
        places.push(place)
        resends += tries - 1
      }
    }),
  )
  const streamed = await hasStream
  await keeper.stop()
  const store = sqliteStore(database)
  const found = await store.snapshot(async (view) => ({
    rows: await view.list<{ id: string; place: number }>('row'),
    log: await view.readLog('0', 10_000),
  }))
  await store.close()
  const logged = found.log.flatMap(({ mutations }) => mutations.map(({ id }) => id))
  expect(found.rows).toHaveLength(total)
  expect(found.rows.map(({ value }) => value.place)).toEqual(Array.from({ length: total }, (_, n) => n + 1))
  expect(new Set(logged).size).toBe(logged.length)
  expect(logged).toEqual(found.rows.map(({ id }) => id))
  expect([...places].sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, n) => n + 1))
  expect(streamed).toEqual(logged)
  return resends
}

test('killed between commit and publish, a resend gets the stored answer and the stream has the event', async () => {
  const database = join(folder, 'publish.db')
  const kills = [1, 3, 2, 5, 1, 4]
  const keeper = createKeeper(database, [...kills])
  const resends = await run(database, keeper, 1, 25)
  expect(keeper.starts).toBe(kills.length + 1)
  expect(resends).toBeGreaterThanOrEqual(kills.length)
})

test('killed at random, everything happens exactly once and in order', async () => {
  const database = join(folder, 'random.db')
  const keeper = createKeeper(database, [])
  let isOver = false
  let killer: Promise<void> | undefined
  const kill = async () => {
    for (let n = 0; n < 12 && !isOver; n++) {
      const { child, ended } = await keeper.current()
      await new Promise((resolve) => setTimeout(resolve, 40 + Math.random() * 120))
      if (isOver) return
      child.kill('SIGKILL')
      await ended
    }
  }
  const resends = await run(database, keeper, 4, 150, () => {
    killer = kill()
  })
  isOver = true
  await killer
  console.info(`killed ${keeper.starts - 1} times, ${resends} resends, 600 mutations once each`)
  expect(keeper.starts).toBeGreaterThan(3)
})
