/** A client's life: started and stopped by those who use it, closed once. */
import type { QueryClient } from '@tanstack/query-core'
import type { Deferred } from './base/deferred'
import { createDeferred } from './base/deferred'
import { SyncError } from './base/errors'
import type { ResolvedOptions } from './options'
import { guardUnload } from './platform/network'
import type { Cache } from './queries/queries'
import { CLIENT } from './queries/view-client'
import type { OutboxEntry } from './stores/outbox'
import { createOutboxView } from './stores/outbox'
import type { SyncStream } from './stream/stream'
import type { Queue } from './writes/writes'

/** What of it the client's users see; {@link SyncClient} says what it promises. */
export interface Life {
  readonly ready: Promise<void>
  start(): () => void
  stop(): void
  close(options?: { outbox?: 'flush' | 'discard' | 'keep' | undefined }): Promise<readonly OutboxEntry[]>
}

export interface LifeDeps {
  settings: ResolvedOptions
  cache: Cache
  queue: Queue
  stream: SyncStream | undefined
  changed: () => void
  /** Ends what only `close()` ends. */
  release: () => void
  /** Somebody starts or stops the client. */
  minded: () => void
  queryClient: QueryClient
}

const FLUSH_TIME = 10_000

export function createLife(deps: LifeDeps): Life {
  const { settings, cache, queue, stream, changed, queryClient } = deps
  const { network, storage } = settings
  let count = 0
  /** What undoes a start from before a stop undoes nothing. */
  let stops = 0
  let closed: Promise<readonly OutboxEntry[]> | undefined
  let running: (() => void) | undefined
  const ready = createDeferred<void>()

  function run(): void {
    deps.minded()
    const stopNetwork = network.subscribe((event) => {
      changed()
      if (event === 'offline') queue.flow.doubtOffline(false)
      else if (event !== 'hidden') {
        queue.wake()
        cache.wake()
      }
    })
    // What only memory holds is gone with the page.
    const stopGuard = storage?.durable
      ? undefined
      : guardUnload(network, () => [...queue.log.writes.values()].some(({ outcome }) => outcome !== 'confirmed'))
    queryClient.mount()
    void queue.start().then(() => ready.resolve())
    stream?.start()
    running = () => {
      running = undefined
      stopNetwork()
      stopGuard?.()
      queryClient.unmount()
      queue.stop()
      stream?.stop()
    }
  }

  function halt(): void {
    deps.minded()
    count = 0
    stops++
    running?.()
  }

  return {
    get ready() {
      return ready.promise
    },
    start() {
      if (queue.flow.state.isClosed) throw new SyncError('stopped', 'This sync client is closed; make a new one.')
      if (count++ === 0 && running === undefined) run()
      const since = stops
      let active = true
      return () => {
        if (!active || since !== stops) return
        active = false
        if (--count === 0) running?.()
      }
    },
    stop: halt,
    close: ({ outbox = 'keep' } = {}) =>
      (closed ??= close(deps, outbox, () => {
        halt()
        return ready
      })),
  }
}

/** `halt` ends what runs, and returns who waits for the outbox to be loaded. */
async function close(
  { settings, cache, queue, queryClient, release, changed }: LifeDeps,
  outbox: 'flush' | 'discard' | 'keep',
  halt: () => Deferred<void>,
): Promise<readonly OutboxEntry[]> {
  const { clock, storage, namespace, report } = settings
  queue.shut()
  if (outbox === 'flush') {
    let cancel = (): void => {}
    const deadline = new Promise<void>((resolve) => {
      cancel = clock.after(FLUSH_TIME, resolve)
    })
    void queue.flush()
    await Promise.race([queue.drained(), deadline])
    cancel()
  }
  const ready = halt()
  const left = createOutboxView(queue, cache)(undefined).entries.filter(({ status }) => status !== 'confirmed')
  queue.abandon()
  ready.reject(new SyncError('stopped', 'The sync client was closed before it was ready.'))
  queryClient.clear()
  cache.stop()
  release()
  changed()
  Reflect.deleteProperty(queryClient, CLIENT) // the next user's client may have it
  if (outbox === 'keep') return []
  await storage?.clear(`${namespace}/`).catch((cause: unknown) => {
    const said = 'The namespace could not be wiped; wipe it by hand before another user signs in.'
    report(new SyncError('storage', said, { cause }))
  })
  return left
}
