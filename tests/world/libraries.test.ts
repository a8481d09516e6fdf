// Libraries that hand their hooks a QueryClient of their own, as docs/migrating.md has them: with `sync.queryClient` they
// show base and a developer is told, with `sync.viewClient` they show the pending write.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Project } from './project.ts'
import { createProject } from './project.ts'

/** A page in Node, with one todo on the server and one write that never gets an answer. `PART` makes the tree. */
const page = `
import { JSDOM } from 'jsdom'
const { window } = new JSDOM('<div id="app"></div>', { url: 'http://localhost/' })
Object.assign(globalThis, { window, document: window.document })
const { createElement: h } = await import('react')
const { createRoot } = await import('react-dom/client')
const { createSyncClient, defineMutation, QueryClient } = await import('tidemark')
const { SyncProvider } = await import('tidemark/react')
const { key, tree } = await import('./PART.mjs')

const warnings = []
const rename = defineMutation({
  mutationKey: ['rename'],
  mutationFn: () => new Promise(() => {}),
  optimistic: (view, title) => view.update(key, () => [{ id: '1', title }]),
})
const sync = createSyncClient({
  queryClient: new QueryClient(),
  mutations: [rename],
  platform: { development: true, console: { warn: (message) => warnings.push(String(message)) } },
})
const Titles = ({ todos }) => h('p', null, (todos ?? []).map(({ title }) => title).join())
createRoot(document.querySelector('#app')).render(
  h(SyncProvider, { client: sync }, tree(sync[process.argv[2]], Titles)),
)
const shows = async (text) => {
  for (let i = 0; i < 600 && document.body.textContent !== text; i++) await new Promise((resolve) => setTimeout(resolve, 50))
  return document.body.textContent
}
if ((await shows('old')) !== 'old') throw new Error('It shows: ' + document.body.innerHTML)
sync.mutate(rename, 'new')
await shows(process.argv[3])
for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 0))
console.log(JSON.stringify({ shown: document.body.textContent, warnings }))
process.exit(0)
`

const trpc = `
import { createElement as h } from 'react'
import { httpLink } from '@trpc/client'
import { createTRPCReact, getQueryKey } from '@trpc/react-query'
import { initTRPC } from '@trpc/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'

const t = initTRPC.create({ allowOutsideOfServer: true })
const router = t.router({ todos: t.procedure.query(() => [{ id: '1', title: 'old' }]) })
const handle = (input, init) =>
  fetchRequestHandler({ endpoint: '/trpc', router, req: new Request(input, { method: init.method, headers: init.headers }) })
const trpc = createTRPCReact()
const client = trpc.createClient({ links: [httpLink({ url: 'http://localhost/trpc', fetch: handle })] })

export const key = getQueryKey(trpc.todos, undefined, 'query')
export function tree(queryClient, Titles) {
  const List = () => h(Titles, { todos: trpc.todos.useQuery().data })
  return h(trpc.Provider, { client, queryClient }, h(List))
}
`

/** What a library does that brings TanStack's provider, as react-admin does around its pages. */
const provider = `
import { createElement as h } from 'react'
import { QueryClientProvider, useQuery } from '@tanstack/react-query'

export const key = ['todos']
export function tree(client, Titles) {
  const List = () => h(Titles, { todos: useQuery({ queryKey: key, queryFn: async () => [{ id: '1', title: 'old' }] }).data })
  return h(QueryClientProvider, { client }, h(List))
}
`

describe('a library', () => {
  let project: Project

  beforeAll(async () => {
    project = createProject('libraries', {
      dependencies: {
        react: '^19.0.0',
        'react-dom': '^19.0.0',
        '@tanstack/react-query': '^5.104.0',
        '@trpc/client': '^11.0.0',
        '@trpc/react-query': '^11.0.0',
        '@trpc/server': '^11.0.0',
        typescript: '^5.9.0',
        jsdom: '*',
      },
    })
    await project.install()
    project.write({ 'trpc.mjs': trpc, 'provider.mjs': provider })
    for (const part of ['trpc', 'provider']) project.write({ [`${part}-page.mjs`]: page.replace('PART', part) })
  })

  test.each([
    ['trpc', 'queryClient', 'old', 1],
    ['trpc', 'viewClient', 'new', 0],
    ['provider', 'queryClient', 'old', 1],
    ['provider', 'viewClient', 'new', 0],
  ] as const)('(%s) with sync.%s shows %s', async (part, client, shown, warnings) => {
    const { code, output, stdout } = await project.run('node', [`${part}-page.mjs`, client, shown])
    if (code !== 0) throw new Error(output)
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { shown: string; warnings: string[] }
    const told = [expect.stringMatching(/was given the QueryClient itself/)].slice(0, warnings)
    expect(result).toEqual({ shown, warnings: told })
  })
})
