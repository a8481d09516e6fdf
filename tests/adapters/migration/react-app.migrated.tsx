// A small application as one writes it with TanStack Query: list, detail, pages, optimistic updates by hand, hydration.
import { Suspense, useState } from 'react'
import type { Api, Note } from './api.ts'

// The library: its path is all that a migration changes.

import type { DehydratedState } from 'tidemark/react'
import {
  HydrationBoundary,
  infiniteQueryOptions,
  keepPreviousData,
  mutationOptions,
  QueryClient,
  QueryClientProvider,
  QueryErrorResetBoundary,
  queryOptions,
  useInfiniteQuery,
  useIsFetching,
  useIsMutating,
  useMutation,
  useMutationState,
  useQueries,
  useQuery,
  useQueryClient,
  useSuspenseQuery,
} from 'tidemark/react'

const notes = (api: Api, tag: string) =>
  queryOptions({ queryKey: ['notes', { tag }], queryFn: () => api.notes(tag), staleTime: 60_000 })

const note = (api: Api, id: string) => queryOptions({ queryKey: ['note', id], queryFn: () => api.note(id) })

const history = (api: Api) =>
  infiniteQueryOptions({
    queryKey: ['history'],
    queryFn: ({ pageParam }) => api.history(pageParam),
    initialPageParam: 0,
    getNextPageParam: (last) => last.next,
  })

const removal = (api: Api) => mutationOptions({ mutationKey: ['notes', 'remove'], mutationFn: api.remove })

function Notes({ api, onOpen }: { api: Api; onOpen: (id: string) => void }) {
  const [tag, setTag] = useState('all')
  const queryClient = useQueryClient()
  const { data, isPlaceholderData, error } = useQuery({ ...notes(api, tag), placeholderData: keepPreviousData })
  const add = useMutation({
    mutationFn: api.add,
    onMutate: async (added: Note) => {
      await queryClient.cancelQueries({ queryKey: ['notes'] })
      const before = queryClient.getQueryData(notes(api, tag).queryKey)
      queryClient.setQueryData(notes(api, tag).queryKey, (old) => [...(old ?? []), added])
      return { before }
    },
    onError: (_error, _added, context) => queryClient.setQueryData(notes(api, tag).queryKey, context?.before),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['notes'] }),
  })
  const remove = useMutation({
    ...removal(api),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['notes'] }),
  })
  return (
    <section>
      <p id="notes">{error?.message ?? data?.map(({ title }) => title).join(',') ?? 'loading'}</p>
      <p id="adding">{`${add.status} ${add.variables?.title} ${add.error?.message} ${isPlaceholderData}`}</p>
      <button id="add" type="button" onClick={() => add.mutate({ id: 'n', title: 'New' })} />
      <button id="remove" type="button" onClick={() => remove.mutate('a')} />
      <button id="tag" type="button" onClick={() => setTag('work')} />
      <button
        id="open"
        type="button"
        onFocus={() => void queryClient.prefetchQuery(note(api, 'a'))}
        onClick={() => onOpen('a')}
      />
    </section>
  )
}

function Detail({ api, id }: { api: Api; id: string }) {
  const { data } = useSuspenseQuery(note(api, id))
  return <p id="detail">{data.title}</p>
}

function History({ api }: { api: Api }) {
  const { data, fetchNextPage, hasNextPage } = useInfiniteQuery(history(api))
  return (
    <button id="more" type="button" onClick={() => void fetchNextPage()}>
      {`${data?.pages.flatMap(({ lines }) => lines).join(',')} ${hasNextPage}`}
    </button>
  )
}

function Activity({ api }: { api: Api }) {
  const removed = useMutationState({
    filters: { mutationKey: removal(api).mutationKey ?? [], status: 'success' },
    select: ({ state }) => String(state.variables),
  })
  const titles = useQueries({
    queries: ['a', 'b'].map((id) => note(api, id)),
    combine: (results) => results.map(({ data }) => data?.title ?? '?').join('+'),
  })
  return <p id="activity">{`${useIsFetching()} ${useIsMutating()} ${removed.join()} ${titles}`}</p>
}

export function App({ api, client, state }: { api: Api; client: QueryClient; state?: DehydratedState }) {
  const [open, setOpen] = useState<string>()
  return (
    <QueryClientProvider client={client}>
      <HydrationBoundary state={state}>
        <Notes api={api} onOpen={setOpen} />
        <History api={api} />
        <Activity api={api} />
        <QueryErrorResetBoundary>
          {() => (
            <Suspense fallback={<p id="detail">opening</p>}>
              {open !== undefined && <Detail api={api} id={open} />}
            </Suspense>
          )}
        </QueryErrorResetBoundary>
      </HydrationBoundary>
    </QueryClientProvider>
  )
}

export const createClient = (): QueryClient => new QueryClient({ defaultOptions: { queries: { retry: false } } })
