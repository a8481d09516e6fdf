// What the search compares: `useSyncAction`, and the three ways in which TanStack Query's documentation writes optimistic
// updates, over the plain package. All are given the same requests and the same events.
import * as tanstack from '@tanstack/react-query'
import { QueryClient as ForeignClient } from '@tanstack/vue-query'
import type { ReactNode } from 'react'
import { createContext, useContext, useOptimistic, useTransition } from 'react'
import { defineMutation, entity, QueryClient, queryOptions, syncStream } from 'tidemark'
import { SyncProvider, usePending, useQuery, useSyncAction } from 'tidemark/react'
import type { ScriptedNetwork } from '../../kit/network.ts'
import { scriptedNetwork } from '../../kit/network.ts'
import { greet } from '../../kit/stream.ts'
import { createWorld } from '../../kit/world.ts'
import type { Controls, Shown } from './page.tsx'
import { Page } from './page.tsx'
import type { Add, Doc, LogEvent } from './server.ts'

export interface Library {
  readonly name: string
  /** Whether it keeps to the oracle's exact rules. */
  readonly isExact: boolean
  /** `isForeign`: with a QueryClient of another copy of query-core than that of the hooks. */
  open(controls: Controls, isForeign: boolean): Opened
}

export interface Opened {
  readonly net: ScriptedNetwork
  readonly node: ReactNode
  /** When the first read is answered: connects what pushes. `names`: events say whose writes they contain. */
  connect(names: boolean): Promise<(event: LogEvent) => void>
  refetch(): void
  /** Some seconds go by, and what waits to be sent again is sent. */
  wait(): void
  /** Fires timers that are due. */
  settle(): Promise<unknown>
  close(): unknown
}

const docRow = entity<Doc>('doc')

const docQuery = queryOptions({
  queryKey: ['doc'],
  queryFn: ({ fetch }) => fetch('/doc').then((answer): Promise<Doc> => answer.json()),
  rows: [docRow, (doc) => doc],
})

const isDoc = (saved: Partial<Doc>): saved is Doc => saved.version !== undefined

const addToken = defineMutation({
  mutationKey: ['doc', 'add'],
  mutationFn: (variables: Add, { fetch }) =>
    fetch('/doc', { body: JSON.stringify(variables) }).then((answer): Promise<Partial<Doc>> => answer.json()),
  optimistic: (view, { id, token }) =>
    view.row(docRow, id).update(({ tokens }) => {
      if (!tokens.includes(token)) tokens.push(token)
    }),
  apply: (base, saved) => {
    if (isDoc(saved)) base.upsert(docRow, saved)
  },
})

function useSyncRow(): Shown {
  const { data } = useQuery(docQuery)
  const isPending = usePending({ entity: docRow, id: 'a' }, (writes) => writes.length > 0)
  return { tokens: data?.tokens, isPending }
}

const variablesOf = (token: string): Add => ({ id: 'a', token })

function SyncPage({ controls }: { controls: Controls }): ReactNode {
  const [, act, isActing] = useSyncAction(addToken, variablesOf)
  return <Page act={act} isActing={isActing} useRow={useSyncRow} controls={controls} />
}

const NEVER = 10 ** 9

export const ours: Library = {
  name: 'useSyncAction',
  isExact: true,
  open(controls, isForeign) {
    const queryClient = new (isForeign ? ForeignClient : QueryClient)({
      defaultOptions: { queries: { retry: false, staleTime: Number.POSITIVE_INFINITY } },
    })
    const world = createWorld({
      queryClient: queryClient as QueryClient,
      mutations: [addToken],
      timeout: NEVER,
      // Of another origin: requests here wait for longer than a stream of their own would stand beside them.
      stream: syncStream({ url: 'https://hub.example/sync' }),
    })
    return {
      net: world.net,
      node: (
        <SyncProvider client={world.sync}>
          <SyncPage controls={controls} />
        </SyncProvider>
      ),
      async connect(names) {
        const stream = await greet(world)
        return ({ position, row, by }) => {
          const change = { op: 'put' as const, type: 'doc', id: 'a', version: row.version, value: row }
          const mutations = by === undefined ? [] : [by]
          void stream.patch(position, [change], names ? { mutations } : {})
        }
      },
      refetch: () => void world.sync.queryClient.refetchQueries({ queryKey: ['doc'] }),
      wait() {
        void world.sync.flush()
        void world.net.stream().send('ping', {})
        void world.advance(5000)
      },
      settle: () => world.advance(0),
      close: () => world.sync.close(),
    }
  },
}

type UseAct = (net: ScriptedNetwork, tokens: readonly string[]) => Shown & { act: (token: string) => void }

const KEY = ['doc'] as const
const NONE: readonly string[] = []

const Row = createContext<Shown>({ tokens: undefined, isPending: false })
const usePeerRow = (): Shown => useContext(Row)

function PeerPage({ net, controls, useAct }: { net: ScriptedNetwork; controls: Controls; useAct: UseAct }): ReactNode {
  const { data } = tanstack.useQuery({
    queryKey: KEY,
    queryFn: () => net.fetch('/doc').then((answer): Promise<Doc> => answer.json()),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  })
  const { act, ...shown } = useAct(net, data?.tokens ?? NONE)
  return (
    <Row value={shown}>
      <Page act={act} isActing={shown.isPending} useRow={usePeerRow} controls={controls} />
    </Row>
  )
}

const peer = (name: string, useAct: UseAct): Library => ({
  name,
  isExact: false,
  open(controls) {
    const net = scriptedNetwork()
    const client = new tanstack.QueryClient()
    return {
      net,
      node: (
        <tanstack.QueryClientProvider client={client}>
          <PeerPage net={net} controls={controls} useAct={useAct} />
        </tanstack.QueryClientProvider>
      ),
      connect:
        async () =>
        ({ row }) => {
          client.setQueryData<Doc>(KEY, (old) => (old !== undefined && old.version > row.version ? old : row))
        },
      refetch: () => void client.refetchQueries({ queryKey: KEY }),
      wait() {},
      settle: () => Promise.resolve(),
      close: () => client.clear(),
    }
  },
})

async function post(net: ScriptedNetwork, token: string): Promise<void> {
  const answer = await net.fetch('/doc', { method: 'POST', body: JSON.stringify(variablesOf(token)) })
  if (!answer.ok) throw new Error('The server said no.')
}

/** What the patterns have in common: writes go one after another, as ours, and the query is read again after each. */
function useWrites(net: ScriptedNetwork) {
  const client = tanstack.useQueryClient()
  return {
    mutationKey: ['doc', 'add'],
    mutationFn: (token: string): Promise<void> => post(net, token),
    scope: { id: 'doc' },
    onSettled: () => client.invalidateQueries({ queryKey: KEY }),
  }
}

const viaTheCache: UseAct = (net, tokens) => {
  const client = tanstack.useQueryClient()
  const { mutate, isPending } = tanstack.useMutation({
    ...useWrites(net),
    onMutate: async (token) => {
      await client.cancelQueries({ queryKey: KEY })
      const before = client.getQueryData<Doc>(KEY)
      client.setQueryData<Doc>(KEY, (old) => old && { ...old, tokens: [...old.tokens, token] })
      return { before }
    },
    onError: (_error, _token, made) => void client.setQueryData(KEY, made?.before),
  })
  return { tokens, isPending, act: mutate }
}

const viaVariables: UseAct = (net, tokens) => {
  const { mutate, isPending, variables } = tanstack.useMutation(useWrites(net))
  return { tokens: isPending ? [...tokens, variables] : tokens, isPending, act: mutate }
}

const viaMutationState: UseAct = (net, tokens) => {
  const { mutate } = tanstack.useMutation(useWrites(net))
  const pending = tanstack.useMutationState({
    filters: { mutationKey: ['doc', 'add'], status: 'pending' },
    select: ({ state }) => state.variables as string,
  })
  return { tokens: [...tokens, ...pending], isPending: pending.length > 0, act: mutate }
}

const viaAnAction: UseAct = (net, tokens) => {
  const { mutateAsync } = tanstack.useMutation(useWrites(net))
  const [shown, show] = useOptimistic(tokens, (before, token: string) => [...before, token])
  const [isPending, start] = useTransition()
  const act = (token: string): void =>
    start(async () => {
      show(token)
      await mutateAsync(token).catch(() => {})
    })
  return { tokens: shown, isPending, act }
}

export const peers: readonly Library[] = [
  peer('useMutation, writing to the cache in onMutate', viaTheCache),
  peer('useMutation, showing variables', viaVariables),
  peer('useMutation, showing useMutationState', viaMutationState),
  peer('useOptimistic, awaiting mutateAsync', viaAnAction),
]
