/**
 * The durable, ordered list of mutations that are not settled. Write-ahead: `append` and `save` resolve when the row is on
 * disk, and the queue sends only after that. One storage row per entry, in the order of `pos`.
 */
import type { Cursor } from '../base/cursor'
import { SyncError } from '../base/errors'
import type { Version } from '../base/messages'
import type { RowCopy } from '../evidence/evidence'
import type { Serializer, SyncStorage } from '../platform/storage'

export type WriteStatus = 'queued' | 'sending' | 'uncertain' | 'confirmed' | 'conflicted' | 'blocked' | 'paused'

/** Why a write failed, as plain data. */
export interface FailureRecord {
  readonly code: string
  readonly message: string
  readonly status?: number | undefined
  readonly problem?: Record<string, unknown> | undefined
  /** The server has not said no: it may have been applied all the same, and `retry` sends it under the same key. */
  readonly mayBeApplied?: boolean | undefined
}

/** Both sides of a conflict that waits for a person. */
export interface Sides {
  readonly base: unknown
  readonly mine: unknown
  readonly theirs: unknown
  readonly version: Version | undefined
}

/** One recorded call of a mutation, as it is kept. */
export interface WriteRecord {
  /** Unique, random: the idempotency key. A changed payload is a new id. */
  readonly id: string
  /** Place in the log: append order within the namespace. */
  readonly pos: number
  readonly scope: string
  /** Ids that must be confirmed first. */
  readonly deps: readonly string[]
  /** Dense within outbox and scope, given at first send, kept over every retry. */
  readonly sequence: number | undefined
  /** The first request left (written down before it leaves). */
  readonly sent: boolean
  readonly mutationKey: readonly unknown[]
  readonly variables: unknown
  /** Version of the variables' form. */
  readonly version: number
  readonly status: WriteStatus
  readonly attempt: number
  readonly confirmedAt: Cursor | undefined
  /** The id that this one was made from. */
  readonly replaces: string | undefined
  readonly failure: FailureRecord | undefined
  /** The row that the user's change was based on, and its version; for conflicts. */
  readonly before: unknown
  readonly baseVersion: Version | undefined
  /** The rows that it changes, as bases had them: for lists that it moves them into. */
  readonly copies?: ReadonlyArray<readonly [row: string, copy: RowCopy]> | undefined
  /** Conflict rounds so far. */
  readonly rounds: number
  /** Both sides, while it waits to be resolved. */
  readonly conflict: Sides | undefined
  readonly createdAt: number
}

/** What else a namespace remembers. */
export interface OutboxMeta {
  /** Names this outbox to the server: sequences count within it. */
  outboxId: string
  nextPos: number
  sequences: Map<string, number>
  ownAt: Cursor | undefined
}

/** Where the log is written down. */
export interface Outbox {
  /** Writes rows of the log (and the meta row) in one batch, in place of failed ones that they replace; resolves when on disk. */
  save(entries: readonly WriteRecord[], meta: OutboxMeta): Promise<void>
  /** Takes an entry (`undefined`: it never had a row) out of the log; with `failed`, into the list of failed ones, in one batch. */
  remove(entry: WriteRecord | undefined, failed?: WriteRecord | undefined): Promise<void>
  removeFailed(id: string): Promise<void>
}

export interface StoredOutbox extends Outbox {
  /**
   * What is stored; `damaged` are the keys of rows that the serializer does not take: they stay where they are. Where it
   * rejects, nothing more is written to the log: it would overwrite what could not be read.
   */
  load(): Promise<Stored>
}

export interface Stored {
  readonly meta: OutboxMeta | undefined
  readonly entries: readonly WriteRecord[]
  readonly failed: readonly WriteRecord[]
  readonly damaged: readonly string[]
}

export function createOutbox(storage: SyncStorage, serializer: Serializer, namespace: string): StoredOutbox {
  const prefix = `${namespace}/outbox/`
  const logKey = (entry: WriteRecord) => `${prefix}log/${String(entry.pos).padStart(16, '0')}`
  const failedKey = (id: string) => `${prefix}failed/${id}`
  const metaKey = `${prefix}meta`
  // A row per scope: there may be thousands in the life of an outbox, and one write is of one or two.
  const sequencePrefix = `${prefix}sequence/`
  let isReadable = true
  const textOf = (record: WriteRecord): string => {
    try {
      return serializer.serialize(record)
    } catch {
      return serializer.serialize(keepable(record))
    }
  }
  const write = async (batch: () => ReadonlyArray<readonly [string, string | undefined]>): Promise<void> => {
    try {
      await storage.write(batch())
    } catch (cause) {
      throw unwritten(cause)
    }
  }
  const read = async (key: string, damaged: string[]): Promise<WriteRecord[]> => {
    const rows = await storage.list(key)
    return rows.flatMap(([name, text]) => {
      try {
        return [serializer.deserialize(text) as WriteRecord]
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
      await write(() => [
        ...entries.map((entry) => [logKey(entry), textOf(entry)] as const),
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
      write(() => [
        ...(entry === undefined || !isReadable ? [] : [[logKey(entry), undefined] as const]),
        ...(failed === undefined ? [] : [[failedKey(failed.id), textOf(failed)] as const]),
      ]),
    removeFailed: (id) => write(() => [[failedKey(id), undefined]]),
  }
}

function unwritten(cause: unknown): SyncError {
  return new SyncError(
    'storage',
    'The outbox could not be written: the change is kept in memory only and is lost with this page. Free some storage.',
    { cause },
  )
}

/** Rows and problems are anybody's data (circles, bigints): they are left out, and the write is kept. */
function keepable({ conflict, failure, ...record }: WriteRecord): WriteRecord {
  return {
    ...record,
    before: undefined,
    copies: undefined,
    conflict: conflict && { ...conflict, base: undefined },
    failure: failure && { ...failure, problem: undefined },
  }
}
