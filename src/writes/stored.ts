/**
 * The durable, ordered list of mutations that are not settled. Write-ahead: `append` and `save` resolve when the row is on
 * disk, and the queue sends only after that. One storage row per entry, in the order of `pos`.
 */
import type { Cursor } from '../base/cursor'
import { SyncError } from '../base/errors'
import type { Version } from '../base/messages'
import type { Serializer, SyncStorage } from '../platform/storage'

export type EntryStatus = 'queued' | 'sending' | 'uncertain' | 'confirmed' | 'conflicted' | 'blocked' | 'paused'

/** Why an entry failed, as plain data. */
export interface Failure {
  code: string
  message: string
  status?: number | undefined
  problem?: Record<string, unknown> | undefined
  /** The server has not said no: it may have been applied all the same, and `retry` sends it under the same key. */
  mayBeApplied?: boolean | undefined
}

/** One recorded call of a mutation. */
export interface Entry {
  /** Unique, random: the idempotency key. A changed payload is a new id. */
  id: string
  /** Place in the log: append order within the namespace. */
  pos: number
  scope: string
  /** Ids that must be confirmed first. */
  deps: string[]
  /** Dense within outbox and scope, given at first send, kept over every retry. */
  sequence: number | undefined
  /** The first request left (written down before it leaves). */
  sent: boolean
  mutationKey: readonly unknown[]
  variables: unknown
  /** Version of the variables' form. */
  version: number
  status: EntryStatus
  attempt: number
  confirmedAt: Cursor | undefined
  /** The id that this one was made from. */
  replaces: string | undefined
  failure: Failure | undefined
  /** The row that the user's change was based on, and its version; for conflicts. */
  before: unknown
  baseVersion: Version | undefined
  /** Conflict rounds so far. */
  rounds: number
  /** Both sides, while it waits to be resolved. */
  conflict: { base: unknown; mine: unknown; theirs: unknown; version: Version | undefined } | undefined
  createdAt: number
}

/** What else a namespace remembers. */
export interface OutboxMeta {
  /** Names this outbox to the server: sequences count within it. */
  outboxId: string
  nextPos: number
  sequences: Map<string, number>
  ownAt: Cursor | undefined
}

export interface Outbox {
  /**
   * What is stored; `damaged` are the keys of rows that the serializer does not take: they stay where they are. Where it
   * rejects, nothing more is written to the log: it would overwrite what could not be read.
   */
  load(): Promise<{ meta: OutboxMeta | undefined; entries: Entry[]; failed: Entry[]; damaged: string[] }>
  /** Writes rows of the log (and the meta row) in one batch, in place of failed ones that they replace; resolves when on disk. */
  save(entries: readonly Entry[], meta: OutboxMeta): Promise<void>
  /** Takes an entry (`undefined`: it never had a row) out of the log; with `failed`, into the list of failed ones, in one batch. */
  remove(entry: Entry | undefined, failed?: Entry | undefined): Promise<void>
  removeFailed(id: string): Promise<void>
  clear(): Promise<void>
}

export function createOutbox(storage: SyncStorage, serializer: Serializer, namespace: string): Outbox {
  const prefix = `${namespace}/outbox/`
  const logKey = (entry: Entry) => `${prefix}log/${String(entry.pos).padStart(16, '0')}`
  const failedKey = (id: string) => `${prefix}failed/${id}`
  const metaKey = `${prefix}meta`
  // A row per scope: there may be thousands in the life of an outbox, and one write is of one or two.
  const sequencePrefix = `${prefix}sequence/`
  let isReadable = true
  const write = async (batch: ReadonlyArray<readonly [string, string | undefined]>): Promise<void> => {
    try {
      await storage.write(batch)
    } catch (cause) {
      throw unwritten(cause)
    }
  }
  const read = async (key: string, damaged: string[]): Promise<Entry[]> => {
    const rows = await storage.list(key)
    return rows.flatMap(([name, text]) => {
      try {
        return [serializer.deserialize(text) as Entry]
      } catch {
        damaged.push(name)
        return []
      }
    })
  }
  return {
    async load() {
      const damaged: string[] = []
      try {
        const meta = await storage.get(metaKey)
        const rows = await storage.list(sequencePrefix)
        const sequences: OutboxMeta['sequences'] = new Map()
        for (const [key, text] of rows) {
          sequences.set(key.slice(sequencePrefix.length), serializer.deserialize(text) as number)
        }
        return {
          meta: meta === undefined ? undefined : { ...(serializer.deserialize(meta) as OutboxMeta), sequences },
          entries: await read(`${prefix}log/`, damaged),
          failed: await read(`${prefix}failed/`, damaged),
          damaged,
        }
      } catch (cause) {
        isReadable = false
        throw cause
      }
    },
    async save(entries, { sequences, ...meta }) {
      if (!isReadable) throw unwritten(undefined)
      const counted = new Map(entries.map(({ scope }) => [scope, sequences.get(scope)]))
      await write([
        ...entries.map((entry) => [logKey(entry), serializer.serialize(entry)] as const),
        ...entries.flatMap(({ replaces }) =>
          replaces === undefined ? [] : [[failedKey(replaces), undefined] as const],
        ),
        ...[...counted].flatMap(([scope, last]) =>
          last === undefined ? [] : [[`${sequencePrefix}${scope}`, serializer.serialize(last)] as const],
        ),
        [metaKey, serializer.serialize(meta)],
      ])
    },
    remove: (entry, failed) =>
      write([
        ...(entry === undefined || !isReadable ? [] : [[logKey(entry), undefined] as const]),
        ...(failed === undefined ? [] : [[failedKey(failed.id), serializer.serialize(failed)] as const]),
      ]),
    removeFailed: (id) => write([[failedKey(id), undefined]]),
    clear: () => storage.clear(prefix),
  }
}

function unwritten(cause: unknown): SyncError {
  return new SyncError(
    'storage',
    'The outbox could not be written: the change is kept in memory only and is lost with this page. Free some storage.',
    { cause },
  )
}
