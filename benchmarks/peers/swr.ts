// SWR without React: its cache, and its `mutate` with `optimisticData`, `rollbackOnError` and `populateCache`.
import { createCacheHelper, initCache } from 'swr/_internal'
import type { Row } from '../harness/server.ts'
import type { Library, Subject } from '../harness/subject.ts'

export const swr: Library = {
  name: 'SWR',
  queue(server) {
    const mutate = initCache(new Map())?.[1] as unknown as Mutate
    return {
      write: (change) => mutate('writes', server.send(change), { populateCache: false, revalidate: false }),
      close: () => {},
    }
  },
  queries() {
    const cache = new Map()
    const mutate = initCache(cache)?.[1] as unknown as Mutate
    return {
      set: (at, row) => void mutate(`row ${at}`, row, { revalidate: false }),
      watch(at, show) {
        const [get, , subscribe] = createCacheHelper<Row>(cache, `row ${at}`)
        subscribe(`row ${at}`, () => show(get().data as Row))
      },
    }
  },
  hasRows: true,
  async open({ server, show, watch }): Promise<Subject> {
    const cache = new Map()
    const made = initCache(cache) as unknown as readonly [unknown, Mutate]
    const mutate = made[1]
    const key = watch ?? 'rows'
    await mutate('rows', server.read(), { revalidate: false })
    if (watch !== undefined)
      await mutate(
        watch,
        server.rows.find(({ id }) => id === watch),
        { revalidate: false },
      )
    const [get, , subscribe] = createCacheHelper<Row[] | Row>(cache, key)
    subscribe(key, () => show(get().data as Row[] | Row))
    const replace = (old: Row[] | Row | undefined, { id, n }: { id: string; n: number }) => {
      if (Array.isArray(old)) return old.map((row) => (row.id === id ? { ...row, n } : row))
      return old?.id === id ? { ...old, n } : old
    }
    return {
      write: (change) =>
        mutate(key, server.send(change), {
          optimisticData: (_: unknown, old: Row[] | Row) => replace(old, change),
          populateCache: (saved: Row, old: Row[] | Row) => replace(old, saved),
          rollbackOnError: true,
          revalidate: false,
        }).catch(() => {}),
      refetch: () => mutate(key, server.read(), { revalidate: false }),
      handIn: (rows) => void mutate(key, rows, { revalidate: false }),
      close: () => cache.clear(),
    }
  },
}

type Mutate = (key: string, data: unknown, options: object) => Promise<unknown>
