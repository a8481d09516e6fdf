// A page that a server has rendered is used before React has hydrated it, in a document of its own: its inline scripts run.
import type { ComponentType } from 'react'
import { lazy, Suspense } from 'react'
import { hydrateRoot } from 'react-dom/client'
import { renderToReadableStream } from 'react-dom/server.browser'
import type { SyncClient } from 'tidemark'
import { createSyncClient } from 'tidemark'
import type { DehydratedState } from 'tidemark/react'
import { dehydrate, HydrationBoundary, SyncProvider, usePending, useQuery, useSyncAction } from 'tidemark/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Todo } from './todos.ts'
import { addTodo, titles, todosQuery } from './todos.ts'

// React says that two of its renderers use one context on this page.
beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}))

const ends: Array<() => unknown> = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  document.body.replaceChildren()
})

const never = () => new Promise<Response>(() => {})

const makeClient = (fetch: () => Promise<Response>): SyncClient =>
  createSyncClient({ mutations: [addTodo], platform: { fetch } })

function Form() {
  const [, add, isPending] = useSyncAction(addTodo, (form: FormData): Todo => {
    const title = String(form.get('title'))
    return { id: title.toLowerCase(), title }
  })
  return (
    <form action={add}>
      <input name="title" />
      {isPending ? 'saving' : 'saved'}
    </form>
  )
}

function List() {
  const { data } = useQuery({ ...todosQuery, staleTime: Number.POSITIVE_INFINITY })
  const pending = usePending({ mutationKey: ['todos'] }, (writes) => writes.length)
  return (
    <p>
      {titles(data)}|{pending}
    </p>
  )
}

const page = (client: SyncClient, state: DehydratedState, SomeList: ComponentType) => (
  <SyncProvider client={client}>
    <HydrationBoundary state={state}>
      <Form />
      <Suspense>
        <SomeList />
      </Suspense>
    </HydrationBoundary>
  </SyncProvider>
)

function submit(box: HTMLElement, title: string): void {
  const input = box.querySelector('input')
  if (input) input.value = title
  box.querySelector('form')?.requestSubmit()
}

/** What a server sends, in a frame. */
async function serve() {
  const server = makeClient(async () => Response.json([{ id: 'a', title: 'A' }]))
  await server.queryClient.prefetchQuery(todosQuery)
  const state = JSON.parse(JSON.stringify(dehydrate(server.queryClient))) as DehydratedState
  const stream = await renderToReadableStream(page(server, state, List))
  await stream.allReady
  const frame = document.body.appendChild(document.createElement('iframe'))
  frame.srcdoc = `<!doctype html><div id="root">${await new Response(stream).text()}</div>`
  await new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }))
  const box = frame.contentDocument?.getElementById('root')
  if (!box) throw new Error('The frame has no page.')
  const read = () => box.querySelector('p')?.textContent
  return { state, box, read }
}

/** Hydrates it, and notes what the list shows whenever that changes. */
function takeOver({ box, state, read }: Awaited<ReturnType<typeof serve>>, SomeList: ComponentType) {
  const client = makeClient(never)
  const errors: string[] = []
  const seen: unknown[] = [read()]
  const look = (): void => {
    if (seen.at(-1) !== read()) seen.push(read())
  }
  const observer = new MutationObserver(look)
  observer.observe(box, { childList: true, subtree: true, characterData: true })
  const options = { onRecoverableError: (error: unknown) => void errors.push(String(error)) }
  const root = hydrateRoot(box, page(client, state, SomeList), options)
  ends.push(
    () => observer.disconnect(),
    () => root.unmount(),
  )
  return { errors, seen, writes: () => client.outbox.getState().entries.map(({ variables }) => variables) }
}

const patient = { timeout: 30_000 }

test('a form that is submitted before React is there makes its write when React has come', async () => {
  const served = await serve()
  submit(served.box, 'B')
  expect(served.box.querySelector('form')?.textContent).toBe('saved')
  const { seen, errors, writes } = takeOver(served, List)
  await expect.poll(served.read, patient).toBe('A,B|1')
  expect(served.box.querySelector('form')?.textContent).toBe('saving')
  expect(writes()).toEqual([{ id: 'b', title: 'B' }])
  expect(seen).toEqual(['A|0', 'A,B|1'])
  expect(errors.filter((error) => !error.includes('Hydration failed'))).toEqual([]) // of the list, as below
})

test('a boundary that hydrates after a write shows it, rendered anew', async () => {
  const served = await serve()
  let give!: (list: { default: typeof List }) => void
  const code = new Promise<{ default: typeof List }>((resolve) => {
    give = resolve
  })
  submit(served.box, 'B')
  const { seen, errors } = takeOver(
    served,
    lazy(() => code),
  )
  await expect.poll(() => served.box.querySelector('form')?.textContent, patient).toBe('saving')
  expect(served.read()).toBe('A|0') // as the server sent it
  expect(errors).toEqual([])
  give({ default: List })
  await expect.poll(served.read, patient).toBe('A,B|1')
  expect(seen).toEqual(['A|0', 'A,B|1'])
  expect(errors.join()).toContain('Hydration failed')
})
