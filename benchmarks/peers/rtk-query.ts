// RTK Query as its guide to optimistic updates says: `updateQueryData` in `onQueryStarted`, `undo` on an error. A subscriber of
// the store looks whether its part has changed, as its hooks do.
import { configureStore } from '@reduxjs/toolkit'
import { createApi } from '@reduxjs/toolkit/query'
import type { Change, Row, Server } from '../harness/server.ts'
import type { Library, Queries, Subject } from '../harness/subject.ts'

type Draft = { -readonly [Name in keyof Row]: Row[Name] }

function openApi(server: Server | undefined) {
  const api = createApi({
    baseQuery: async () => ({ data: undefined }),
    endpoints: (build) => ({
      rows: build.query<Row[], void>({ queryFn: async () => ({ data: (await server?.read()) ?? [] }) }),
      row: build.query<Row, string>({
        queryFn: async (id) => ({ data: server?.rows.find((row) => row.id === id) as Row }),
      }),
      change: build.mutation<Row, Change & { isRow: boolean }>({
        async queryFn({ id, n }) {
          try {
            return { data: (await server?.send({ id, n })) as Row }
          } catch (error) {
            return { error: String(error) as never }
          }
        },
        async onQueryStarted({ id, n, isRow }, { dispatch, queryFulfilled }) {
          const change = (row: Row | undefined) => {
            if (row !== undefined) (row as Draft).n = n
          }
          const patch = isRow
            ? dispatch(api.util.updateQueryData('row', id, change))
            : dispatch(api.util.updateQueryData('rows', undefined, (rows) => change(rows.find((row) => row.id === id))))
          await queryFulfilled.catch(patch.undo)
        },
      }),
    }),
  })
  const store = configureStore({
    reducer: { [api.reducerPath]: api.reducer },
    middleware: (defaults) => defaults().concat(api.middleware),
    // By default it calls its subscribers in the next frame, which Node does not have: this is the soonest there is.
    enhancers: (defaults) => defaults({ autoBatch: { type: 'tick' } }),
  })
  return { api, store }
}

/** Calls with what is selected whenever it is something else. */
function watching<T>(subscribe: (listen: () => void) => () => void, select: () => T, show: (value: T) => void): void {
  let last = select()
  subscribe(() => {
    const now = select()
    if (now === last) return
    last = now
    show(now)
  })
}

export const rtkQuery: Library = {
  name: 'RTK Query',
  hasRows: true,
  async open({ server, show, watch }): Promise<Subject> {
    const { api, store } = openApi(server)
    const rows = store.dispatch(api.endpoints.rows.initiate())
    await rows
    const isRow = watch !== undefined
    if (isRow) await store.dispatch(api.endpoints.row.initiate(watch))
    const select = isRow ? api.endpoints.row.select(watch) : api.endpoints.rows.select()
    watching<Row | Row[] | undefined>(
      (listen) => store.subscribe(listen),
      () => select(store.getState()).data,
      show,
    )
    return {
      write: (change) => store.dispatch(api.endpoints.change.initiate({ ...change, isRow }, { track: false })),
      refetch: () => rows.refetch(),
      handIn: (next) =>
        void store.dispatch(api.util.upsertQueryEntries([{ endpointName: 'rows', arg: undefined, value: next }])),
      close: () => void store.dispatch(api.util.resetApiState()),
    }
  },
  queries(count): Queries {
    const { api, store } = openApi(undefined)
    const rows: Row[] = []
    const fill = () => {
      const entries = rows.map((value, at) => ({ endpointName: 'row' as const, arg: `${at}`, value }))
      store.dispatch(api.util.upsertQueryEntries(entries))
    }
    return {
      set(at, row) {
        if (rows.length < count) {
          rows[at] = row
          if (rows.length === count) fill() // at once: each entry alone would copy all
          return
        }
        store.dispatch(api.util.upsertQueryEntries([{ endpointName: 'row', arg: `${at}`, value: row }]))
      },
      watch(at, show) {
        const select = api.endpoints.row.select(`${at}`)
        watching<Row | undefined>(
          (listen) => store.subscribe(listen),
          () => select(store.getState()).data,
          (row) => row && show(row),
        )
      },
    }
  },
}
