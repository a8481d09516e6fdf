/**
 * The storage as a value: a port, and with it the code that keeps a log in rows and reads an earlier page's. A client without
 * one carries neither.
 */
import { usageError } from '../base/errors'
import type { SyncStorage } from '../platform/storage'
import { memoryPort } from '../platform/storage'
import type { ClientStorage } from './kept'
import { KEEPS } from './kept'
import { loadFrom } from './load'
import { createOutbox } from './stored'

/**
 * A storage of your own: text under keys, in order, with batches that are all or nothing. It is given one batch at a time, the
 * next when the one before has ended. What it rejects with is reported as `storage`, and the client goes on in memory. Throws a
 * `usage` error for what lacks a function.
 *
 * @example
 * ```ts
 * const storage = syncStorage({ durable: true, get, list, write, clear })
 * const sync = createSyncClient({ mutations: [addTodo], storage })
 * ```
 */
export function syncStorage(port: SyncStorage): ClientStorage {
  const methods = (['get', 'list', 'write', 'clear'] as const).map((name) => {
    const method: unknown = port?.[name]
    if (typeof method !== 'function')
      throw usageError(`A storage needs a function "${name}"; see the interface SyncStorage.`)
    return [name, method.bind(port)]
  })
  return asValue({ durable: port.durable, ...inOrder(Object.fromEntries(methods) as Omit<SyncStorage, 'durable'>) })
}

/** A batch that lands before an older one would be overwritten by it: a number, or an id, would be given twice. */
function inOrder({ get, list, write, clear }: Omit<SyncStorage, 'durable'>): Omit<SyncStorage, 'durable'> {
  let last: Promise<unknown> = Promise.resolve()
  const next = (run: () => Promise<void>): Promise<void> => {
    const turn = last.then(run)
    last = turn.catch(() => {})
    return turn
  }
  return { get, list, write: (batch) => next(() => write(batch)), clear: (prefix) => next(() => clear(prefix)) }
}

function asValue(port: SyncStorage): ClientStorage {
  const open: ClientStorage[typeof KEEPS] = (...from) => {
    const outbox = createOutbox(...from)
    return { outbox, load: loadFrom(outbox) }
  }
  return { ...port, [KEEPS]: open }
}

/** Storage in memory: gone with the page. What two clients of one page are given, both see. */
export function memoryStorage(): ClientStorage {
  return asValue(memoryPort())
}
