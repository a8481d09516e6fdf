// What the page of the scenarios runs: a client on the browser's own fetch, timers and events.
import type { MutationHandle, PlatformSeams } from 'tidemark'
import { createQueryStore, createSyncClient, defineMutation, entity, queryOptions, syncStream } from 'tidemark'
import type { Note, Plan, Seen } from './notes'

export interface Page {
  start(plan: Plan): Promise<void>
  write(id: string, text: string): void
  /** Sends again what failed. */
  retry(): void
  seen(): Seen
  stop(): void
}

const seen: Seen = {
  view: [],
  base: [],
  steps: [],
  flickers: 0,
  reports: [],
  confirmed: 'pending',
  isReading: true,
  network: '',
  stream: '',
  states: [],
  words: [],
  isRestored: false,
}
let actions: Omit<Page, 'seen'> | undefined

addEventListener('pageshow', ({ persisted }) => {
  seen.isRestored = persisted
})

const page: Page = {
  async start(plan) {
    actions?.stop()
    Object.assign(seen, { steps: [], flickers: 0, reports: [], confirmed: 'pending', states: [], words: [] })
    actions = begin(plan)
    await actions.start(plan)
  },
  write: (id, text) => actions?.write(id, text),
  retry: () => actions?.retry(),
  seen: () => seen,
  stop: () => actions?.stop(),
}
Object.assign(globalThis, { page })

function begin(plan: Plan): Omit<Page, 'seen'> {
  const noteRow = entity<Note>('note')
  const notesQuery = queryOptions({
    queryKey: ['notes'],
    queryFn: ({ fetch }) => fetch('/api/queries/notes').then((answer): Promise<Note[]> => answer.json()),
    rows: [noteRow, (notes) => notes, { where: () => true }],
    staleTime: Number.POSITIVE_INFINITY,
    retryDelay: 50,
  })
  const addNote = defineMutation({
    mutationKey: ['notes', 'add'],
    mutationFn: async (note: Pick<Note, 'id' | 'text'>, context) => {
      const url = `${plan.urls?.[context.attempt - 1] ?? plan.urls?.at(-1) ?? ''}/api/mutations/notes/add`
      const body = JSON.stringify(note)
      if (plan.transport === 'context')
        return context.fetch(url, { body }).then((answer): Promise<Note> => answer.json())
      const headers = { 'content-type': 'application/json', 'idempotency-key': `"${context.idempotencyKey}"` }
      try {
        const answer = await fetch(url, { method: 'POST', body, headers, signal: context.signal })
        return (await answer.json()) as Note
      } catch (error) {
        seen.words.push(String(error))
        throw error
      }
    },
    optimistic: (view, note) => view.insert(notesQuery.queryKey, noteRow, { ...note, times: 1 }),
    apply: (base, saved) => base.upsert(noteRow, saved),
    ...(plan.retry === undefined ? {} : { retry: plan.retry }),
  })
  const sync = createSyncClient({
    mutations: [addNote],
    ...(plan.stream ? { stream: syncStream({ url: '/api/sync', topics: ['note'] }) } : {}),
    ...(plan.timeout === undefined ? {} : { timeout: plan.timeout }),
    platform: { clock: fasterClock(plan.speed), ...(plan.ignoresHint ? { network: alwaysOnline } : {}) },
    onReport: (report) => seen.reports.push(`${report.code}: ${report.message}`),
  })
  const notes = createQueryStore(sync, notesQuery)
  const written = new Set<string>()
  const look = (): void => {
    seen.isReading = notes.getState().fetchStatus !== 'idle'
    seen.view = [...(notes.getState().data ?? [])]
    seen.base = [...(sync.getBase(notesQuery.queryKey) ?? [])]
    for (const id of written) if (seen.view.filter((note) => note.id === id).length !== 1) seen.flickers++
  }
  const noteSteps = (): void => {
    const { entries, failed } = sync.outbox.getState()
    for (const entry of [...entries, ...failed]) {
      const status = failed.includes(entry) ? 'failed' : entry.status
      const isWhy = entry.failure !== undefined && status !== 'sending' && status !== 'confirmed'
      const step = `${status} ${entry.attempt}${isWhy ? ` (${entry.failure.code})` : ''}`
      if (seen.steps.at(-1) !== step) seen.steps.push(step)
    }
  }
  const noteStatus = (): void => {
    const { network, stream } = sync.status.getState()
    Object.assign(seen, { network, stream })
    if (seen.states.at(-1) !== stream) seen.states.push(stream)
  }
  const follow = (handle: MutationHandle | undefined): void => {
    seen.confirmed = 'pending'
    handle?.confirmed.then(
      (note) => {
        seen.confirmed = note === undefined ? 'confirmed without a result' : 'confirmed'
      },
      (error: unknown) => {
        seen.confirmed = `rejected ${String(error)}`
      },
    )
  }
  const ends = [
    notes.subscribe(look),
    sync.outbox.subscribe(noteSteps),
    sync.status.subscribe(noteStatus),
    sync.start(),
  ]
  noteStatus()
  return {
    async start() {
      // Writes begin on a list that is there.
      await new Promise<void>((resolve) => {
        const isThere = (): void => void (notes.getState().isSuccess && resolve())
        ends.push(notes.subscribe(isThere))
        isThere()
      })
      look()
    },
    write(id, text) {
      const handle = sync.mutate(addNote, { id, text })
      look()
      written.add(id)
      follow(handle)
    },
    retry() {
      for (const { id } of sync.outbox.getState().failed) follow(sync.retry(id))
    },
    stop() {
      for (const end of ends) end()
    },
  }
}

function fasterClock(times: number): PlatformSeams['clock'] {
  const began = Date.now()
  return {
    now: () => began + (Date.now() - began) * times,
    after(delay, callback) {
      const timer = setTimeout(callback, delay / times)
      return () => clearTimeout(timer)
    },
    soon: (callback) => queueMicrotask(callback),
  }
}

const alwaysOnline: PlatformSeams['network'] = {
  isOnline: () => true,
  isVisible: () => true,
  subscribe: () => () => {},
}
