/// <reference types="vite/client" />
import * as queryCore from '@tanstack/query-core'
import * as reactQuery from '@tanstack/react-query'
import * as vueQuery from '@tanstack/vue-query'
import { describe, expect, test } from 'vitest'
import { entries, namesOf } from './public-names.ts'

const packages: Record<string, object> = {
  '@tanstack/query-core': queryCore,
  '@tanstack/react-query': reactQuery,
  '@tanstack/vue-query': vueQuery,
}
const modules = import.meta.glob<object>([
  '../src/index.ts',
  '../{adapters/*,mocks,server}/index.ts',
  '../mocks/node.ts',
])

// `tidemark/mocks/browser` loads in a browser only: the dist test looks at its names there.
const loadable = entries.filter(({ source }) => modules[`../${source}`] !== undefined)

describe.each(loadable)('$specifier', (entry) => {
  const included = entry.includes === undefined ? [] : Object.keys(packages[entry.includes] ?? {})
  const load = () => modules[`../${entry.source}`]?.() ?? Promise.resolve({})

  test('exports its public names and no others', async () => {
    expect(Object.keys(await load()).sort()).toEqual(namesOf(entry, included))
  })

  test('passes on what it includes as it is, unless the name is ours', async () => {
    const exported = (await load()) as Record<string, unknown>
    const original = (packages[entry.includes ?? ''] ?? {}) as Record<string, unknown>
    const changed = included.filter((name) => !entry.own.includes(name) && exported[name] !== original[name])
    expect(changed).toEqual([])
  })
})
