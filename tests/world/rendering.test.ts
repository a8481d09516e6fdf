// React over the installed package commits as often as over the installed TanStack Query, counted in one run: with one copy
// of query-core and with two, on the newest React and on the oldest.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Project } from './project.ts'
import { createProject } from './project.ts'

interface Commits {
  readonly commits: number
  readonly text: string
}

interface Counted {
  readonly found: ReadonlyArray<{
    readonly provider: string
    readonly way: string
    readonly all: boolean
    readonly expected: Commits
    readonly counted: Commits
  }>
  readonly own: ReadonlyArray<readonly [commits: number, text: string]>
}

const script = readFileSync(new URL('rendering/commits.mjs', import.meta.url), 'utf8')

function copiesOf(project: Project, ...paths: string[]): string[] {
  return paths.flatMap((path) => {
    try {
      const text = readFileSync(join(project.folder, 'node_modules', path, '@tanstack/query-core/package.json'), 'utf8')
      return [(JSON.parse(text) as { version: string }).version]
    } catch {
      return []
    }
  })
}

describe.each([
  { name: 'React 19, one copy of query-core', react: '^19.0.0', query: '^5.108.0', core: undefined, copies: 1 },
  { name: 'React 19, two copies of query-core', react: '^19.0.0', query: '5.104.0', core: '5.108.0', copies: 2 },
  { name: 'React 18.3, one copy of query-core', react: '~18.3.0', query: '^5.108.0', core: undefined, copies: 1 },
])('$name', ({ name, react, query, core, copies }) => {
  test('commits as often as TanStack Query, and once for each step of an own write', async () => {
    const project = createProject(name, {
      dependencies: {
        react,
        'react-dom': react,
        '@tanstack/react-query': query,
        ...(core === undefined ? {} : { '@tanstack/query-core': core }),
        jsdom: '^31.0.1',
      },
    })
    await project.install()
    project.write({ 'commits.mjs': script })
    expect(copiesOf(project, '', '@tanstack/react-query/node_modules', 'tidemark/node_modules')).toHaveLength(copies)
    const { code, stdout, output } = await project.run('node', ['commits.mjs'], { NODE_ENV: 'development' })
    expect(code, output).toBe(0)
    const { found, own } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Counted
    expect(found).toHaveLength(20)
    for (const { provider, way, all, expected, counted } of found) {
      const what = `${way}, ${provider}, ${all ? 'all fields' : 'data alone'}`
      expect(counted.text, what).toBe(expected.text)
      if (copies === 1) expect(counted.commits, what).toBe(expected.commits)
      // A read begins and ends in one task here: TanStack may render those who watch it apart from the others.
      else expect(counted.commits, what).toBeLessThanOrEqual(expected.commits)
      expect(counted.commits, what).toBeGreaterThan(0)
    }
    expect(own).toEqual([
      [1, '111'],
      [1, '222'],
      [1, '333'],
      [1, '222'],
    ])
  })
})
