// An origin (the kit, in a process of its own) and a proxy before it, both to be killed and started again.
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sqliteStore } from 'tidemark/server'
import { build } from 'vite'
import type { Write } from './clients.ts'
import type { Extra } from './configurations.ts'
import { CONFIGURE } from './configurations.ts'
import type { ProxyName } from './needs.ts'
import type { Running } from './processes.ts'
import { freePort, start } from './processes.ts'

export interface Workplace {
  /** A new folder that every user may write into: some proxies give up being root. */
  folder(name: string): string
  /** The origin's program, built. */
  child: string
  remove(): void
}

export async function openWorkplace(): Promise<Workplace> {
  const root = mkdtempSync(join(tmpdir(), 'tidemark-proxies-'))
  chmodSync(root, 0o755)
  let made = 0
  const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))
  await build({
    configFile: false,
    logLevel: 'silent',
    resolve: { alias: { 'tidemark/server': source('../../server/index.ts') } },
    build: {
      ssr: source('./origin-child.ts'),
      outDir: root,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: 'child.mjs' } },
    },
  })
  return {
    folder(name) {
      const folder = join(root, `${name}-${made++}`)
      mkdirSync(folder)
      chmodSync(folder, 0o777)
      return folder
    },
    child: join(root, 'child.mjs'),
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

export interface OriginOptions {
  /** Milliseconds between pings of its stream. @defaultValue the kit's */
  heartbeat?: number | undefined
}

export interface Origin {
  readonly port: number
  readonly base: string
  /** Starts it; `killAt`: it dies at that commit, before it answers. */
  start(killAt?: number): Promise<void>
  /** Settles when it has died. */
  ended(): Promise<void>
  kill(): Promise<void>
  /** What its store holds. Only while it is not running. */
  writes(): Promise<Write[]>
}

export async function createOrigin(place: Workplace, { heartbeat = 15_000 }: OriginOptions = {}): Promise<Origin> {
  const folder = place.folder('origin')
  const port = await freePort()
  const database = join(folder, 'writes.db')
  let running: Running | undefined
  return {
    port,
    base: addressOf(port),
    async start(killAt = 0) {
      const env = {
        DATABASE: database,
        PORT: String(port),
        KILL_AT_COMMIT: String(killAt),
        HEARTBEAT: String(heartbeat),
      }
      const command = [process.execPath, place.child]
      running = await start({ name: 'the origin', command, port, env, log: join(folder, 'output') })
    },
    ended: async () => running?.ended,
    kill: async () => running?.kill(),
    async writes() {
      const store = sqliteStore(database)
      try {
        return await store.snapshot(async (view) =>
          view.list<Write>('write').then((rows) => rows.map(({ value }) => value)),
        )
      } finally {
        await store.close()
      }
    },
  }
}

export interface Middlebox {
  readonly name: string
  /** Of the kit, through the proxy. */
  readonly base: string
  start(): Promise<void>
  kill(): Promise<void>
}

/** A proxy before the origin, running. */
export async function createProxy(
  place: Workplace,
  name: ProxyName,
  origin: Origin,
  extra: Extra = {},
): Promise<Middlebox> {
  const folder = place.folder(name)
  const port = await freePort()
  const configured = CONFIGURE[name]({ folder, port, origin: origin.port }, extra)
  let running: Running | undefined
  const proxy: Middlebox = {
    name,
    base: addressOf(port),
    async start() {
      running = await start({ name, port, log: join(folder, 'output'), ...configured })
    },
    kill: async () => running?.kill(),
  }
  await proxy.start()
  return proxy
}

function addressOf(port: number): string {
  return `http://127.0.0.1:${port}/sync`
}
