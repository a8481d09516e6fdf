// @vitest-environment jsdom
// What is special to React: StrictMode, transitions, Activity, Suspense, error boundaries. The rest is in the contract.
import type { ReactNode } from 'react'
import { Activity, Component, StrictMode, Suspense, startTransition, useState, useTransition } from 'react'
import type { Root } from 'react-dom/client'
import { createRoot } from 'react-dom/client'
import { isSyncError, queryOptions } from 'tidemark'
import {
  defaultScheduler,
  notifyManager,
  QueryErrorResetBoundary,
  SyncProvider,
  useMutation,
  usePending,
  useQuery,
  useSuspenseQuery,
  useSyncStatus,
} from 'tidemark/react'
import { afterEach, describe, expect, test } from 'vitest'
import { settle } from './driver.ts'
import type { Todo } from './todos.ts'
import { addTodo, renameTodo, titles, todoRow, todosQuery, todoWorld } from './todos.ts'

const roots: Root[] = []
afterEach(() => {
  for (const root of roots.splice(0)) root.unmount()
  document.body.replaceChildren()
})

function render(node: ReactNode) {
  const box = document.body.appendChild(document.createElement('div'))
  const errors: unknown[] = []
  const note = (error: unknown) => void errors.push(error)
  const root = createRoot(box, { onUncaughtError: note, onCaughtError: note, onRecoverableError: note })
  roots.push(root)
  root.render(node)
  return {
    box,
    errors,
    read: () => box.textContent,
    render: (next: ReactNode) => root.render(next),
    unmount: () => root.unmount(),
  }
}

const a: Todo = { id: 'a', title: 'A' }
const b: Todo = { id: 'b', title: 'B' }

const List = () => <p>{titles(useQuery(todosQuery).data)}</p>

describe('StrictMode', () => {
  test('leaves one running client, which sends each write once', async () => {
    const world = todoWorld()
    const page = render(
      <StrictMode>
        <SyncProvider client={world.sync}>
          <List />
        </SyncProvider>
      </StrictMode>,
    )
    await settle()
    await world.net.take('GET').answer([a])
    world.sync.mutate(addTodo, b)
    await settle()
    expect(page.read()).toBe('A,B')
    expect(world.net.log.filter(({ method }) => method === 'POST')).toHaveLength(1)
    page.unmount()
    await world.net.take('POST').answer(b)
    world.sync.mutate(addTodo, { id: 'c', title: 'C' })
    await settle()
    expect(world.net.waiting).toHaveLength(0)
  })

  test('calls back once', async () => {
    const world = todoWorld()
    const calls: unknown[] = []
    let add!: () => void
    const Adder = () => {
      const { mutate } = useMutation({ ...addTodo, onSuccess: (saved) => void calls.push(saved) })
      add = () => mutate(a, { onSettled: () => void calls.push('settled') })
      return null
    }
    render(
      <StrictMode>
        <SyncProvider client={world.sync}>
          <Adder />
        </SyncProvider>
      </StrictMode>,
    )
    await settle()
    add()
    await settle()
    await world.net.take('POST').answer(a)
    expect(calls).toEqual([a, 'settled'])
  })
})

describe('a provider', () => {
  test('inside another one counts', async () => {
    const outer = todoWorld()
    const inner = todoWorld()
    const Network = () => useSyncStatus(({ network }) => network)
    const page = render(
      <SyncProvider client={outer.sync}>
        <Network />
        <SyncProvider client={inner.sync}>
          <Network />
        </SyncProvider>
      </SyncProvider>,
    )
    await settle()
    await inner.net.network.set('offline')
    await settle()
    expect(page.read()).toBe('onlineoffline')
  })

  test('may be given another client: the new one runs and is shown, the old one stops', async () => {
    const first = todoWorld()
    const second = todoWorld()
    const app = (world: typeof first) => (
      <SyncProvider client={world.sync}>
        <List key={world === first ? 1 : 2} />
      </SyncProvider>
    )
    const page = render(app(first))
    await settle()
    await first.net.take('GET').answer([a])
    page.render(app(second))
    await settle()
    await second.net.take('GET').answer([b])
    await settle()
    expect(page.read()).toBe('B')
    first.sync.mutate(addTodo, b)
    await settle()
    expect(first.net.waiting).toHaveLength(0)
  })
})

describe('transitions', () => {
  const rowQuery = (id: string) =>
    queryOptions({
      queryKey: ['todo', id],
      queryFn: ({ fetch }) => fetch(`/todo/${id}`).then((r): Promise<Todo> => r.json()),
      rows: [todoRow, (todo) => todo],
    })

  test('what stays on the screen during one follows writes', async () => {
    const world = todoWorld()
    let go!: (id: string) => void
    const Row = ({ id }: { id: string }) => <>{useSuspenseQuery(rowQuery(id)).data.title}</>
    const Page = () => {
      const [id, setId] = useState('a')
      const [isPending, start] = useTransition()
      go = (next) => start(() => setId(next))
      return (
        <p>
          {isPending ? 'going ' : ''}
          <Suspense fallback="waiting">
            <Row id={id} />
          </Suspense>
        </p>
      )
    }
    const page = render(
      <SyncProvider client={world.sync}>
        <Page />
      </SyncProvider>,
    )
    await settle()
    expect(page.read()).toBe('waiting')
    await world.net.take('GET', '/todo/a').answer(a)
    await expect.poll(page.read).toBe('A') // React shows what follows a fallback 300 ms after it
    go('b')
    await settle()
    expect(page.read()).toBe('going A')
    world.sync.mutate(renameTodo, { id: 'a', title: 'A!' })
    await settle()
    expect(page.read()).toBe('going A!')
    await world.net.take('GET', '/todo/b').answer(b)
    await expect.poll(page.read).toBe('B')
  })

  test('no commit shows two states of one query, though a write falls into a slow render', async () => {
    const world = todoWorld()
    const commits: string[][] = []
    const thirty = Array.from({ length: 30 }, (_, n) => n)
    let show!: (on: boolean) => void
    const Slow = () => {
      const { data } = useQuery(todosQuery)
      const until = performance.now() + 3
      while (performance.now() < until);
      return <i>{titles(data)} </i>
    }
    const Page = () => {
      const [isShown, setShown] = useState(false)
      show = (on) => startTransition(() => setShown(on))
      return isShown ? thirty.map((n) => <Slow key={n} />) : <Slow />
    }
    const page = render(
      <SyncProvider client={world.sync}>
        <Page />
      </SyncProvider>,
    )
    await settle()
    await world.net.take('GET').answer([a])
    await settle()
    const texts = () => [...new Set([...page.box.querySelectorAll('i')].map(({ textContent }) => `${textContent}`))]
    const options = { subtree: true, childList: true, characterData: true }
    new MutationObserver(() => void commits.push(texts())).observe(page.box, options)
    show(true)
    await new Promise((resolve) => setTimeout(resolve, 20)) // some of the thirty have rendered
    world.sync.mutate(addTodo, b)
    await expect.poll(() => page.box.querySelectorAll('i').length).toBe(30)
    await settle()
    expect(commits.filter((each) => each.length > 1)).toEqual([])
    expect(texts()).toEqual(['A,B '])
    expect(page.errors).toEqual([])
  })
})

describe("TanStack's notify manager", () => {
  const spy = () => {
    const scheduled: number[] = []
    notifyManager.setScheduler((callback) => {
      scheduled.push(1)
      setTimeout(callback, 0)
    })
    return scheduled
  }
  afterEach(() => notifyManager.setScheduler(defaultScheduler))

  test('keeps a scheduler that the application sets after the first provider', async () => {
    const world = todoWorld()
    const page = render(
      <SyncProvider client={world.sync}>
        <List />
      </SyncProvider>,
    )
    await settle()
    await world.net.take('GET').answer([a])
    const scheduled = spy()
    const second = render(<SyncProvider client={world.sync}>{null}</SyncProvider>)
    await settle()
    world.sync.mutate(addTodo, b)
    expect(scheduled.length).toBeGreaterThan(0)
    await settle()
    expect(page.read()).toBe('A,B')
    second.unmount()
  })
})

test('what an Activity hides listens to nothing, and is up to date when it is shown', async () => {
  const world = todoWorld()
  const app = (mode: 'visible' | 'hidden') => (
    <SyncProvider client={world.sync}>
      <Activity mode={mode}>
        <List />
        <Pending />
      </Activity>
    </SyncProvider>
  )
  const Pending = () => <b>{usePending({ entity: todoRow }, (writes) => writes.length)}</b>
  const page = render(app('visible'))
  await settle()
  await world.net.take('GET').answer([a])
  await settle()
  expect(page.read()).toBe('A0')
  page.render(app('hidden'))
  await settle()
  expect(
    world.sync.queryClient
      .getQueryCache()
      .find({ queryKey: ['todos'] })
      ?.getObserversCount(),
  ).toBe(0)
  world.sync.mutate(addTodo, b)
  await settle()
  page.render(app('visible'))
  await settle()
  expect(page.read()).toBe('A,B1')
})

describe('errors', () => {
  class Boundary extends Component<{ children: ReactNode; onReset?: () => void }, { error: Error | null }> {
    override state: { error: Error | null } = { error: null }
    static getDerivedStateFromError = (error: Error) => ({ error })
    override render() {
      const { error } = this.state
      if (error === null) return this.props.children
      const again = () => {
        this.props.onReset?.()
        this.setState({ error: null })
      }
      return (
        <button type="button" onClick={again}>
          {error.message}
        </button>
      )
    }
  }

  test('of a suspended query reach the boundary, and its reset asks again', async () => {
    const world = todoWorld()
    const Titles = () => <>{titles(useSuspenseQuery(todosQuery).data)}</>
    const page = render(
      <SyncProvider client={world.sync}>
        <QueryErrorResetBoundary>
          {({ reset }) => (
            <Boundary onReset={reset}>
              <Suspense fallback="waiting">
                <Titles />
              </Suspense>
            </Boundary>
          )}
        </QueryErrorResetBoundary>
      </SyncProvider>,
    )
    await settle()
    await world.net.take('GET').answer({ title: 'Broken' }, { status: 500 })
    await expect.poll(page.read).toMatch('Broken')
    page.box.querySelector('button')?.click()
    await settle()
    expect(page.read()).toBe('waiting')
    await world.net.take('GET').answer([a])
    await expect.poll(page.read).toBe('A')
  })

  test('of a defined mutation are thrown where throwOnError says so', async () => {
    const world = todoWorld()
    const clicks: Array<() => void> = []
    const Adder = ({ isThrown }: { isThrown: boolean | ((error: Error) => boolean) }) => {
      const { mutate, status } = useMutation({ ...addTodo, throwOnError: isThrown })
      clicks.push(() => mutate({ id: String(isThrown), title: 'A' }))
      return <>{status} </>
    }
    const page = render(
      <SyncProvider client={world.sync}>
        <Boundary>
          <Adder isThrown={true} />
        </Boundary>
        <Boundary>
          <Adder isThrown={(error) => isSyncError(error, 'network')} />
        </Boundary>
      </SyncProvider>,
    )
    await settle()
    for (const click of clicks.splice(0)) click()
    await settle()
    await world.net.take('POST').answer({ title: 'No' }, { status: 422 })
    await settle()
    await world.net.take('POST').answer({ title: 'Neither' }, { status: 422 })
    await settle()
    expect(page.read()).toBe('Noerror ')
  })

  test('of a missing provider are caught by a boundary: the rest of the tree stays', async () => {
    const Lost = () => <>{useSyncStatus(({ network }) => network)}</>
    const page = render(
      <>
        <p>here</p>
        <Boundary>
          <Lost />
        </Boundary>
      </>,
    )
    await settle()
    expect(page.read()).toMatch(/^hereThere is no sync client here: render this inside <SyncProvider/)
  })

  test('of a client that is none name what to pass', async () => {
    const page = render(
      <Boundary>
        <SyncProvider client={{} as never}>never</SyncProvider>
      </Boundary>,
    )
    await settle()
    expect(page.read()).toMatch(/SyncProvider needs a sync client/)
  })
})
