// The well-known questions to a global state under concurrent rendering, asked of `useQuery` and `usePending` over a sync
// client: does the screen tear in the end, does it tear for a moment (each on update and on mount), can a render be
// interrupted, can state branch. Ten in all; the answer to two of them is no, as for every store outside of React.
import type { ReactNode } from 'react'
import { memo, startTransition, useDeferredValue, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { defineMutation, entity, queryOptions, syncStream } from 'tidemark'
import { SyncProvider, usePending, useQuery } from 'tidemark/react'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { greet } from '../kit/stream.ts'
import type { World } from '../kit/world.ts'
import { createWorld } from '../kit/world.ts'
import { aTask } from './actions/turns.ts'

interface Count {
  id: string
  value: number
}

const countRow = entity<Count>('count')
const countQuery = queryOptions({
  queryKey: ['count'],
  queryFn: ({ fetch }) => fetch('/count').then((answer): Promise<Count> => answer.json()),
  rows: [countRow, (count) => count],
})
const setCount = defineMutation({
  mutationKey: ['count', 'set'],
  mutationFn: (count: Count, { fetch }) =>
    fetch('/count', { body: JSON.stringify(count) }).then((answer): Promise<Count> => answer.json()),
  optimistic: (view, count) =>
    view.row(countRow, count.id).update((row) => {
      row.value = count.value
    }),
  apply: (base, saved) => base.upsert(countRow, saved),
})

vi.setConfig({ testTimeout: 120_000 }) // a loaded machine may take its time

const CELLS = 20

/** How often cells have rendered. */
let renders = 0

/** So slow that React, which gives the page a turn every few milliseconds, renders the cells in many slices. */
function work(): void {
  renders++
  const end = performance.now() + 3
  while (performance.now() < end);
}

/** What a cell shows: the count, and whether it is pending. */
function useShown(): string {
  const { data } = useQuery(countQuery)
  const isPending = usePending({ entity: countRow, id: 'a' }, (writes) => writes.length > 0)
  return `${data?.value}${isPending ? 'p' : '-'}`
}

function Cell(_: { turn: number }): ReactNode {
  const shown = useShown()
  work()
  return <i>{shown}</i>
}

function DeferredCell(_: { turn: number }): ReactNode {
  const shown = useDeferredValue(useShown())
  return <Slow shown={shown} />
}

const Slow = memo(({ shown }: { shown: string }): ReactNode => {
  work()
  return <i>{shown}</i>
})

const ends: Array<() => unknown> = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  document.body.replaceChildren()
})

interface Opened {
  world: World
  /** Renders all cells again, or mounts them. */
  again: () => void
  mount: () => void
  texts: () => string[]
  /** What the cells showed after each commit. */
  commits: string[][]
  /** Changes what the store shows to this count: a write of this client, or an event of the stream. */
  change: (value: number) => unknown
}

type Change = 'a write' | 'an event'

async function open(kind: Change, OneCell: typeof Cell, isMounted: boolean): Promise<Opened> {
  const world = createWorld({ mutations: [setCount], stream: syncStream({ url: '/sync' }) })
  const box = document.body.appendChild(document.createElement('div'))
  const page = { again() {}, mount() {} }
  const App = () => {
    const [turn, setTurn] = useState(0)
    const [isShown, show] = useState(isMounted)
    const deferred = useDeferredValue(isShown)
    const isThere = OneCell === DeferredCell ? deferred : isShown
    const head = useShown()
    page.again = () => setTurn(turn + 1)
    page.mount = () => show(true)
    return (
      <>
        <i>{head}</i>
        {isThere && Array.from({ length: CELLS }, (_, at) => <OneCell key={String(at)} turn={turn} />)}
      </>
    )
  }
  const root = createRoot(box)
  root.render(
    <SyncProvider client={world.sync}>
      <App />
    </SyncProvider>,
  )
  ends.push(
    () => root.unmount(),
    () => world.sync.close(),
  )
  const texts = () => [...box.querySelectorAll('i')].map((cell) => cell.textContent ?? '')
  await expect.poll(() => world.net.waiting.length * world.net.streams.length, { timeout: 30_000 }).toBeGreaterThan(0)
  const stream = await greet(world)
  while (world.net.waiting.length > 0)
    await world.net.take('GET').answer({ id: 'a', value: 0 }, { headers: { 'sync-cursor': 'e:0' } })
  await expect.poll(texts, { timeout: 30_000 }).toEqual(Array(isMounted ? CELLS + 1 : 1).fill('0-'))
  const commits: string[][] = []
  const observer = new MutationObserver(() => void commits.push(texts()))
  observer.observe(box, { childList: true, subtree: true, characterData: true })
  const put = (value: number) => [
    { op: 'put' as const, type: 'count', id: 'a', version: value, value: { id: 'a', value } },
  ]
  const change = (value: number) =>
    kind === 'a write' ? world.sync.mutate(setCount, { id: 'a', value }) : stream.patch(value, put(value))
  return { world, again: () => page.again(), mount: () => page.mount(), texts, commits, change }
}

/** Until React has rendered some of the cells and given the page a turn, with others still to come. */
async function midway(): Promise<void> {
  const from = renders
  while (renders < from + 3) await aTask()
  if (renders >= from + CELLS) throw new Error('The render was not sliced.')
}

async function expectAll({ texts }: Opened, shown: string): Promise<void> {
  await expect.poll(texts, { timeout: 30_000 }).toEqual(Array(CELLS + 1).fill(shown))
}

/** Commits in which the cells do not show the same. */
const torn = ({ commits }: Opened): string[][] => commits.filter((texts) => new Set(texts).size > 1)

const shownOf = (kind: Change, value: number): string => `${value}${kind === 'a write' ? 'p' : '-'}`

describe.each<Change>(['a write', 'an event'])('changed by %s while a transition renders', (kind) => {
  const onUpdate = async () => {
    const page = await open(kind, Cell, true)
    startTransition(page.again)
    await midway()
    page.change(1)
    return page
  }
  const onMount = async () => {
    const page = await open(kind, Cell, false)
    startTransition(page.mount)
    await midway()
    page.change(1)
    return page
  }

  test('does not tear in the end on update', async () => expectAll(await onUpdate(), shownOf(kind, 1)))
  test('does not tear in the end on mount', async () => expectAll(await onMount(), shownOf(kind, 1)))

  test('does not tear for a moment on update', async () => {
    const page = await onUpdate()
    await expectAll(page, shownOf(kind, 1))
    expect(torn(page)).toEqual([])
  })

  test('does not tear for a moment on mount', async () => {
    const page = await onMount()
    await expectAll(page, shownOf(kind, 1))
    expect(torn(page)).toEqual([])
  })
})

describe.each<Change>(['a write', 'an event'])('changed by %s while a deferred value renders', (kind) => {
  const onUpdate = async () => {
    const page = await open(kind, DeferredCell, true)
    page.change(1)
    await midway()
    page.change(2)
    return page
  }
  const onMount = async () => {
    const page = await open(kind, DeferredCell, false)
    page.mount()
    await midway()
    page.change(2)
    return page
  }

  test('does not tear in the end on update', async () => expectAll(await onUpdate(), shownOf(kind, 2)))
  test('does not tear in the end on mount', async () => expectAll(await onMount(), shownOf(kind, 2)))
  test('does not tear for a moment on update', async () => {
    const page = await onUpdate()
    await expectAll(page, shownOf(kind, 2))
    // The head is not deferred: the cells must agree with one another.
    expect(torn({ ...page, commits: page.commits.map((texts) => texts.slice(1)) })).toEqual([])
  })

  test('does not tear for a moment on mount', async () => {
    const page = await onMount()
    await expectAll(page, shownOf(kind, 2))
    expect(torn({ ...page, commits: page.commits.map((texts) => texts.slice(1)) })).toEqual([])
  })
})

// What a store outside of React cannot do. `useSyncExternalStore`, which TanStack's hooks and ours stand on, renders a change
// of the store at once and as a whole, also when it was made in a transition: that is why nothing above tears.
describe('changed in a transition', () => {
  test('the render of the change is not interrupted', async () => {
    const page = await open('a write', Cell, true)
    const from = renders
    startTransition(() => void page.change(1))
    await aTask() // a page that renders in slices would have its first turn here
    expect(renders - from).toBeGreaterThanOrEqual(CELLS)
    expect(page.texts()).toEqual(Array(CELLS + 1).fill('1p'))
  })

  test('the change does not branch: an urgent one is shown with it, not before it', async () => {
    const page = await open('a write', Cell, true)
    startTransition(() => void page.change(1))
    page.change(2)
    await expectAll(page, '2p')
    expect(page.commits.map(([first]) => first)).toEqual(['2p'])
    startTransition(() => void page.change(3))
    await aTask()
    page.change(4)
    await expectAll(page, '4p')
    expect(page.commits.map(([first]) => first)).toEqual(['2p', '3p', '4p']) // 3 is shown before 4, which is urgent
  })
})
