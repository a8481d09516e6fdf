// The oldest and the newest frameworks and query-core of the ranges, with one copy of query-core and with two: a React and
// a Vue page over one client, in a document, show what was read, a write at once, and its answer.
import { globSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createProject } from './project.ts'

const pages = `
import { JSDOM } from 'jsdom'
const { window } = new JSDOM('<p id="react"></p><p id="vue"></p>', { url: 'http://localhost/' })
for (const name of ['window', 'document', 'Element', 'HTMLElement', 'SVGElement', 'Node', 'Event']) {
  globalThis[name] = name === 'window' ? window : window[name]
}
const { createElement } = await import('react')
const { createRoot } = await import('react-dom/client')
const { createApp, h } = await import('vue')
const { createSyncClient, defineMutation, entity, queryOptions } = await import('tidemark')
const react = await import('tidemark/react')
const vue = await import('tidemark/vue')

const row = entity('todo')
const todos = queryOptions({
  queryKey: ['todos'],
  queryFn: ({ fetch }) => fetch('/todos').then((answer) => answer.json()),
  rows: [row, (list) => list, { where: () => true }],
})
const add = defineMutation({
  mutationKey: ['todos', 'add'],
  mutationFn: (todo, { fetch }) => fetch('/todos', { method: 'POST', body: JSON.stringify(todo) }).then((answer) => answer.json()),
  optimistic: (view, todo) => view.insert(todos.queryKey, row, todo),
  apply: (base, saved) => base.upsert(row, saved),
})
const held = Promise.withResolvers()
const rows = [{ id: '1', title: 'Milk' }]
const fetch = async (_, init) => {
  if (init?.method !== 'POST') return Response.json(rows)
  await held.promise
  rows.push({ ...JSON.parse(init.body), title: 'Rye bread' })
  return Response.json(rows.at(-1))
}
const sync = createSyncClient({ mutations: [add], platform: { fetch } })

const text = (list, state) => list.map(({ title }) => title).join(', ') + ' ' + state
let write
function ReactPage() {
  const { data = [] } = react.useQuery(todos)
  const mutation = react.useMutation(add)
  write = mutation.mutate
  return text(data, mutation.isPending)
}
const VuePage = {
  setup() {
    const { data } = vue.useQuery(todos)
    const pending = vue.usePending()
    return () => h('span', text(data.value ?? [], pending.value.length > 0))
  },
}
createRoot(document.querySelector('#react')).render(createElement(react.SyncProvider, { client: sync }, createElement(ReactPage)))
createApp(VuePage).use(vue.syncPlugin, { client: sync }).mount('#vue')

const seen = []
async function shows(wanted) {
  const read = () => [...document.querySelectorAll('p')].map((box) => box.textContent)
  for (let turn = 0; turn < 5000 && read().some((each) => each !== wanted); turn++) await new Promise((resolve) => setTimeout(resolve, 2))
  seen.push(...read())
}
await shows('Milk false')
write({ id: '2', title: 'Bread' })
await shows('Milk, Bread true')
held.resolve()
await shows('Milk, Rye bread false')
sync.queryClient.setQueryData(todos.queryKey, [])
await shows(' false')
console.log(JSON.stringify(seen))
process.exit(0)
`

const SEEN = ['Milk false', 'Milk, Bread true', 'Milk, Rye bread false', ' false'].flatMap((each) => [each, each])

interface Versions {
  readonly dependencies: Record<string, string>
  readonly copies: number
}

const versions: Record<string, Versions> = {
  'React 18.3, Vue 3.4 and the oldest query-core, once': {
    dependencies: {
      react: '~18.3.0',
      'react-dom': '~18.3.0',
      vue: '~3.4.0',
      '@tanstack/query-core': '5.104.0',
      '@tanstack/react-query': '5.104.0',
      '@tanstack/vue-query': '5.104.0',
    },
    copies: 1,
  },
  'React 19, the newest Vue and query-core, and the older copy that Vue Query brings': {
    dependencies: {
      react: '^19.0.0',
      'react-dom': '^19.0.0',
      vue: '^3.5.0',
      '@tanstack/query-core': '^5.108.0',
      '@tanstack/react-query': '^5.108.0',
      '@tanstack/vue-query': '5.104.0',
    },
    copies: 2,
  },
  'an old query-core for us, and the newer copy that React Query brings': {
    dependencies: {
      react: '^19.0.0',
      'react-dom': '^19.0.0',
      vue: '~3.4.0',
      '@tanstack/query-core': '5.104.0',
      '@tanstack/react-query': '^5.108.0',
      '@tanstack/vue-query': '5.104.0',
    },
    copies: 2,
  },
}

describe.concurrent('pages over one client', () => {
  test.each(Object.entries(versions))('%s', async (name, { dependencies, copies }) => {
    const project = createProject(name.slice(0, 20), { dependencies: { ...dependencies, jsdom: '^26.0.0' } })
    await project.install()
    const found = globSync('node_modules/**/@tanstack/query-core/package.json', { cwd: project.folder })
    expect(found).toHaveLength(copies)
    project.write({ 'pages.mjs': pages })
    const { code, output, stdout } = await project.run('node', ['pages.mjs'])
    expect(code, output).toBe(0)
    expect(JSON.parse(stdout)).toEqual(SEEN)
  })
})
