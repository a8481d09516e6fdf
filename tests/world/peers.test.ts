// A framework or an MSW that is too old, or there twice, is one sentence that names the command: not a module that does
// not load, and not an error from inside of somebody's code.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Project } from './project.ts'
import { createProject } from './project.ts'

/** Versions that npm would refuse: only who forces them, or does not use npm, meets the sentence. */
const forced = { '.npmrc': 'legacy-peer-deps=true\n' }

const inReact = `
  import { createElement } from 'react'
  import { renderToString } from 'react-dom/server'
  import { createSyncClient } from 'tidemark'
  import { SyncProvider, useSyncClient } from 'tidemark/react'
  const Inside = () => String(useSyncClient().status !== undefined)
  const page = createElement(SyncProvider, { client: createSyncClient() }, createElement(Inside))
  console.log(renderToString(page))
`
const inVue = `
  import { createSSRApp, h } from 'vue'
  import { createSyncClient } from 'tidemark'
  import { syncPlugin, useSyncClient } from 'tidemark/vue'
  const Inside = { setup: () => () => h('p', String(useSyncClient().status !== undefined)) }
  createSSRApp(Inside).use(syncPlugin, { client: createSyncClient() })
  console.log('installed')
`
const inMocks = (entry: string) => `
  import { createMockServer } from '${entry}'
  createMockServer()
  console.log('made')
`

interface Case {
  readonly dependencies: Record<string, string>
  readonly code: string
  readonly says: RegExp
  readonly conditions?: readonly string[]
  /** Where Node itself does not find what TanStack imports: as a bundler puts it together. */
  readonly bundled?: boolean
}

const tooOld: Record<string, Case> = {
  'React 17': {
    dependencies: { react: '^17.0.0', 'react-dom': '^17.0.0', '@tanstack/react-query': '5.104.0', esbuild: '*' },
    code: inReact,
    bundled: true,
    says: /^tidemark\/react needs React 18 or newer and found 17\.\S+: run npm install react@latest react-dom@latest\.$/,
  },
  'React Query 4': {
    dependencies: { react: '^18.0.0', 'react-dom': '^18.0.0', '@tanstack/react-query': '^4.0.0' },
    code: inReact,
    says: /^tidemark\/react needs @tanstack\/react-query 5\.104 or newer and found an older one: run npm install @tanstack\/react-query@5\.$/,
  },
  'an early React Query 5': {
    dependencies: { react: '^18.0.0', 'react-dom': '^18.0.0', '@tanstack/react-query': '~5.90.0' },
    code: inReact,
    says: /^tidemark\/react needs @tanstack\/react-query 5\.104 or newer and found an older one: /,
  },
  'Vue 3.3': {
    dependencies: { vue: '~3.3.0', '@tanstack/vue-query': '5.104.0' },
    code: inVue,
    says: /^tidemark\/vue needs Vue 3\.4 or newer and found 3\.3\.\d+: run npm install vue@latest\.$/,
  },
  'Vue Query 4': {
    dependencies: { vue: '^3.4.0', '@tanstack/vue-query': '^4.0.0' },
    code: inVue,
    says: /^tidemark\/vue needs @tanstack\/vue-query 5\.104 or newer and found an older one: run npm install @tanstack\/vue-query@5\.$/,
  },
  'msw 2 in Node': {
    dependencies: { msw: '^2.9.0' },
    code: inMocks('tidemark/mocks/node'),
    says: /^tidemark\/mocks needs msw 3 or newer and found an older one: run npm install --save-dev msw@3\.$/,
  },
  'msw 2 in a browser': {
    dependencies: { msw: '^2.9.0' },
    code: inMocks('tidemark/mocks/browser'),
    conditions: ['--conditions=browser'],
    says: /^tidemark\/mocks needs msw 3 or newer and found an older one: run npm install --save-dev msw@3\.$/,
  },
}

describe.concurrent('a peer that is too old', () => {
  test.each(Object.entries(tooOld))(
    '%s: says what to install',
    async (name, { dependencies, code, conditions, bundled, says }) => {
      const project = await make(name, dependencies)
      expect(await failure(project, code, bundled ? 'bundled' : conditions)).toMatch(says)
    },
  )
})

describe.concurrent('a framework that is there twice', () => {
  test('React: the hooks say so', async () => {
    const project = await make('React twice', {
      react: '^19.0.0',
      'react-dom': '^19.0.0',
      '@tanstack/react-query': '^5.104.0',
    })
    expect((await run(project, inReact)).stdout).toContain('true')
    copy(project, 'react')
    expect(await failure(project, inReact)).toMatch(/^React's hooks do not work here: .* npm ls react .* once\.$/)
  })

  test('Vue: the plugin says so', async () => {
    const project = await make('Vue twice', {
      vue: '~3.4.0',
      'vue-newer': 'npm:vue@^3.5.0',
      '@tanstack/vue-query': '5.104.0',
    })
    expect((await run(project, inVue)).stdout).toContain('installed')
    copy(project, 'vue-newer', 'vue')
    expect(await failure(project, inVue)).toMatch(
      /^The application is of Vue 3\.4\.\d+ and tidemark\/vue found 3\.5\.\d+: see with npm ls vue that Vue is installed once\.$/,
    )
  })
})

async function make(name: string, dependencies: Record<string, string>): Promise<Project> {
  const project = createProject(name, { dependencies })
  project.write(forced)
  await project.install()
  return project
}

/** Puts a package of the project a second time below ours. */
function copy({ folder }: Project, name: string, as = name): void {
  const target = join(folder, 'node_modules/tidemark/node_modules', as)
  cpSync(join(folder, 'node_modules', name), target, { recursive: true })
}

async function run(project: Project, code: string, how: readonly string[] | 'bundled' = []) {
  project.write({ 'main.mjs': code })
  if (how !== 'bundled') return project.run('node', [...how, 'main.mjs'])
  const built = await project.run('esbuild', ['main.mjs', '--bundle', '--platform=node', '--outfile=main.cjs'])
  if (built.code !== 0) throw new Error(built.output)
  return project.run('node', ['main.cjs'])
}

/** The message that a program ends with. */
async function failure(project: Project, code: string, how?: readonly string[] | 'bundled'): Promise<string> {
  const { code: exit, output } = await run(project, code, how)
  expect(exit).not.toBe(0)
  return /^(?:SyncError|Error|SyntaxError|TypeError)(?: \[\w+\])?: (.*)$/m.exec(output)?.[1] ?? output
}
