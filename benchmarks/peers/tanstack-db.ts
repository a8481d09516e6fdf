// TanStack DB: a collection whose sync source is the server of the benchmarks, optimistic by `collection.update`, and a
// subscriber of the collection, or of a live query over it.
import type { ChangeMessageOrDeleteKeyMessage, Collection } from '@tanstack/db'
import { createCollection, createLiveQueryCollection, eq } from '@tanstack/db'
import type { Row, Server } from '../harness/server.ts'
import type { Library, Subject, SubjectOptions } from '../harness/subject.ts'

interface Sync {
  write(messages: readonly ChangeMessageOrDeleteKeyMessage<Row, string>[]): void
}

function openCollection(server: Server): { rows: Collection<Row, string>; sync: Sync } {
  let sync: Sync = { write: () => {} }
  const rows = createCollection<Row, string>({
    id: 'rows',
    getKey: ({ id }) => id,
    startSync: true,
    sync: {
      sync({ begin, write, commit, markReady }) {
        sync = {
          write(messages) {
            begin()
            for (const message of messages) write(message)
            commit()
          },
        }
        sync.write(server.rows.map((value) => ({ type: 'insert', value })))
        markReady()
      },
    },
    async onUpdate({ transaction }) {
      const saved = await Promise.all(
        transaction.mutations.map(({ modified }) => server.send({ id: modified.id, n: modified.n })),
      )
      sync.write(saved.map((value) => ({ type: 'update', value })))
    },
  }) as unknown as Collection<Row, string>
  return { rows, sync: { write: (messages) => sync.write(messages) } }
}

function subjectOf(server: Server, rows: Collection<Row, string>, sync: Sync): Subject {
  const handIn = (next: readonly Row[]) => sync.write(next.map((value) => ({ type: 'update', value })))
  return {
    write({ id, n }) {
      const { isPersisted } = rows.update(id, (draft: { -readonly [Name in keyof Row]: Row[Name] }) => {
        draft.n = n
      })
      return isPersisted.promise.catch(() => {})
    },
    refetch: async () => handIn(await server.read()),
    handIn,
    close: () => void rows.cleanup(),
  }
}

export const tanstackDb: Library = {
  name: 'TanStack DB',
  hasRows: true,
  mostPending: 1_000,
  async open({ server, show, watch }: SubjectOptions): Promise<Subject> {
    const { rows, sync } = openCollection(server)
    await rows.preload()
    if (watch === undefined) rows.subscribeChanges(() => show(rows.toArray))
    else
      rows.subscribeChanges(() => show(rows.get(watch)), {
        where: (row) => eq(row.id, watch),
      })
    return subjectOf(server, rows, sync)
  },
}

export const tanstackDbLive: Library = {
  name: 'TanStack DB live',
  mostPending: 1_000,
  async open({ server, show }: SubjectOptions): Promise<Subject> {
    const { rows, sync } = openCollection(server)
    await rows.preload()
    const live = createLiveQueryCollection((query) => query.from({ row: rows }).orderBy(({ row }) => row.rank))
    await live.preload()
    live.subscribeChanges(() => show(live.toArray as unknown as Row[]))
    const subject = subjectOf(server, rows, sync)
    return { ...subject, close: () => void live.cleanup().then(() => subject.close()) }
  },
}
