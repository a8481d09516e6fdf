// A small application as one writes it with Vue Query: list, detail, pages, optimistic updates by hand, reactive keys.
import {
  infiniteQueryOptions,
  keepPreviousData,
  QueryClient,
  queryOptions,
  useInfiniteQuery,
  useIsFetching,
  useIsMutating,
  useMutation,
  useMutationState,
  useQueries,
  useQuery,
  useQueryClient,
  VueQueryPlugin,
} from 'tidemark/vue'
import type { App } from 'vue'
import { createApp, defineComponent, h, ref, Suspense } from 'vue'
import type { Api, Note } from './api.ts'

const note = (api: Api, id: string) => queryOptions({ queryKey: ['note', id], queryFn: () => api.note(id) })

const history = (api: Api) =>
  infiniteQueryOptions({
    queryKey: ['history'],
    queryFn: ({ pageParam }) => api.history(pageParam),
    initialPageParam: 0,
    getNextPageParam: (last) => last.next,
  })

const button = (id: string, onClick: () => void, more: object = {}) =>
  h('button', { id, type: 'button', onClick, ...more })

const createNotes = (api: Api, open: (id: string) => void) =>
  defineComponent(() => {
    const tag = ref('all')
    const queryClient = useQueryClient()
    const { data, isPlaceholderData, error } = useQuery({
      queryKey: ['notes', { tag }],
      queryFn: () => api.notes(tag.value),
      staleTime: 60_000,
      placeholderData: keepPreviousData,
    })
    const add = useMutation({
      mutationFn: api.add,
      onMutate: async (added: Note) => {
        await queryClient.cancelQueries({ queryKey: ['notes'] })
        const queryKey = ['notes', { tag: tag.value }]
        const before = queryClient.getQueryData<Note[]>(queryKey)
        queryClient.setQueryData<Note[]>(queryKey, (old) => [...(old ?? []), added])
        return { before, queryKey }
      },
      onError: (_error, _added, context) => {
        if (context !== undefined) queryClient.setQueryData(context.queryKey, context.before)
      },
      onSettled: () => queryClient.invalidateQueries({ queryKey: ['notes'] }),
    })
    const remove = useMutation({
      mutationKey: ['notes', 'remove'],
      mutationFn: api.remove,
      onSuccess: () => queryClient.invalidateQueries({ queryKey: ['notes'] }),
    })
    return () => [
      h('p', { id: 'notes' }, error.value?.message ?? data.value?.map(({ title }) => title).join(',') ?? 'loading'),
      h(
        'p',
        { id: 'adding' },
        `${add.status.value} ${add.variables.value?.title} ${add.error.value?.message} ${isPlaceholderData.value}`,
      ),
      button('add', () => add.mutate({ id: 'n', title: 'New' })),
      button('remove', () => remove.mutate('a')),
      button('tag', () => {
        tag.value = 'work'
      }),
      button('open', () => open('a'), { onFocus: () => void queryClient.prefetchQuery(note(api, 'a')) }),
    ]
  })

const createDetail = (api: Api, id: string) =>
  defineComponent(async () => {
    const { data, suspense } = useQuery(note(api, id))
    await suspense()
    return () => h('p', { id: 'detail' }, data.value?.title)
  })

const createHistory = (api: Api) =>
  defineComponent(() => {
    const { data, fetchNextPage, hasNextPage } = useInfiniteQuery(history(api))
    return () =>
      h(
        'button',
        { id: 'more', type: 'button', onClick: () => void fetchNextPage() },
        `${data.value?.pages.flatMap(({ lines }) => lines).join(',')} ${hasNextPage.value}`,
      )
  })

const createActivity = (api: Api) =>
  defineComponent(() => {
    const removed = useMutationState({
      filters: { mutationKey: ['notes', 'remove'], status: 'success' },
      select: ({ state }) => String(state.variables),
    })
    const titles = useQueries({
      queries: ['a', 'b'].map((id) => note(api, id)),
      combine: (results) => results.map(({ data }) => data?.title ?? '?').join('+'),
    })
    const fetching = useIsFetching()
    const mutating = useIsMutating()
    return () =>
      h('p', { id: 'activity' }, `${fetching.value} ${mutating.value} ${removed.value.join()} ${titles.value}`)
  })

export function createNotesApp(api: Api, queryClient: QueryClient): App {
  const open = ref<string>()
  const Notes = createNotes(api, (id) => {
    open.value = id
  })
  const History = createHistory(api)
  const Activity = createActivity(api)
  const Detail = createDetail(api, 'a')
  const root = defineComponent(() => () => [
    h('section', h(Notes)),
    h(History),
    h(Activity),
    open.value === undefined
      ? undefined
      : h(Suspense, null, { default: () => h(Detail), fallback: () => h('p', { id: 'detail' }, 'opening') }),
  ])
  return createApp(root).use(VueQueryPlugin, { queryClient })
}

export const createClient = (): QueryClient => new QueryClient({ defaultOptions: { queries: { retry: false } } })
