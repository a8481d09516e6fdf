// How often React commits over the installed package, beside the installed TanStack Query, in jsdom: prints a list of
// { way, all, expected, counted }. Run in a project that has both; TanStack's figures are taken first.
import * as tanstack from '@tanstack/react-query'
import { JSDOM } from 'jsdom'

const dom = new JSDOM('<!doctype html>', { pretendToBeVisual: true, url: 'http://localhost/' })
for (const name of ['window', 'document', 'HTMLElement', 'HTMLIFrameElement', 'Node', 'Event'])
  globalThis[name] = name === 'window' ? dom.window : dom.window[name]
const { createElement: h, Component, Profiler } = await import('react')
const { createRoot } = await import('react-dom/client')
const tidemark = await import('tidemark/react')
const { createSyncClient, defineMutation, entity } = await import('tidemark')

const COMPONENTS = 50
const KEY = ['rows']
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
let value = 0
let delay

const read = async () => {
  if (delay) await sleep(delay)
  return [{ id: 'a', value }]
}
const row = entity('row')
const query = { queryKey: KEY, queryFn: read, staleTime: Infinity, rows: [row, (rows) => rows, { where: () => true }] }

const ways = {
  setQueryData: (client) => client.setQueryData(KEY, [{ id: 'a', value: 1 }]),
  refetch: (client) => client.refetchQueries({ queryKey: KEY }),
  'slow refetch': (client) => {
    delay = 5
    return client.refetchQueries({ queryKey: KEY })
  },
  invalidate: (client) => client.invalidateQueries({ queryKey: KEY }),
  'setQueryData(null)': (client) => client.setQueryData(KEY, null),
}

async function quiet(seen) {
  for (let before = -1, calm = 0; calm < 3; before = seen.commits) {
    await sleep(15)
    calm = before === seen.commits ? calm + 1 : 0
  }
}

/** A parent that renders its children while there is data, each of which reads the same query. */
function page({ useQuery }, all) {
  const Child = () => {
    const result = useQuery(query)
    if (!result.data) throw new Error('a child was rendered without its parent')
    return h('b', null, result.data[0].value, all ? result.fetchStatus : '')
  }
  const Parent = () => {
    const { data } = useQuery(query)
    return data ? Array.from({ length: COMPONENTS }, (_, at) => h(Child, { key: at })) : h('i', null, 'nothing')
  }
  return h(Parent)
}

class Boundary extends Component {
  state = { failed: false }
  static getDerivedStateFromError = () => ({ failed: true })
  render() {
    return this.state.failed ? 'failed' : this.props.children
  }
}

async function mount(node) {
  const box = document.body.appendChild(document.createElement('div'))
  const seen = { commits: 0 }
  const root = createRoot(box)
  root.render(h(Profiler, { id: 'page', onRender: () => void seen.commits++ }, h(Boundary, null, node)))
  await quiet(seen)
  seen.commits = 0
  return { box, seen, end: () => root.unmount() }
}

async function count(library, provider, way, all) {
  value = 0
  delay = undefined
  const client = new tanstack.QueryClient()
  client.setQueryData(KEY, [{ id: 'a', value: 0 }])
  const { box, seen, end } = await mount(provider(client, page(library, all)))
  value = 1
  await way(client)
  await quiet(seen)
  const result = { commits: seen.commits, text: box.textContent.slice(0, 8) }
  end()
  return result
}

const providers = {
  QueryClientProvider: (client, node) => h(tidemark.QueryClientProvider, { client }, node),
  SyncProvider: (client, node) => h(tidemark.SyncProvider, { client: createSyncClient({ queryClient: client }) }, node),
}

/** A write, its answer, a refusal: one commit each. */
async function ownWrites() {
  const answers = []
  const bump = defineMutation({
    mutationKey: ['bump'],
    mutationFn: () => new Promise((resolve, reject) => answers.push({ resolve, reject })),
    optimistic: (view, next) => view.upsert(row, next),
    apply: (base, saved) => base.upsert(row, saved),
    invalidates: () => [],
  })
  const client = new tanstack.QueryClient()
  client.setQueryData(KEY, [{ id: 'a', value: 0 }])
  const sync = createSyncClient({ queryClient: client, mutations: [bump] })
  const { box, seen, end } = await mount(h(tidemark.SyncProvider, { client: sync }, page(tidemark, false)))
  const commits = []
  const step = async (act) => {
    seen.commits = 0
    act()
    await quiet(seen)
    commits.push([seen.commits, box.textContent.slice(0, 3)])
  }
  await step(() => sync.mutate(bump, { id: 'a', value: 1 }))
  await step(() => answers[0].resolve({ id: 'a', value: 2 }))
  await step(() => sync.mutate(bump, { id: 'a', value: 3 }))
  await step(() => answers[1].reject(Object.assign(new Error('No.'), { status: 422 })))
  end()
  return commits
}

const figures = {}
for (const [name, way] of Object.entries(ways))
  for (const all of [false, true])
    figures[`${name} ${all}`] = await count(
      tanstack,
      (client, node) => h(tanstack.QueryClientProvider, { client }, node),
      way,
      all,
    )
const found = []
for (const [provider, wrap] of Object.entries(providers))
  for (const [name, way] of Object.entries(ways))
    for (const all of [false, true])
      found.push({
        provider,
        way: name,
        all,
        expected: figures[`${name} ${all}`],
        counted: await count(tidemark, wrap, way, all),
      })
console.log(JSON.stringify({ found, own: await ownWrites() }))
process.exit(0)
