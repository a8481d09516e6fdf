// The packed package goes into everybody's project, with every package manager: exit 0, and no warning that was not
// there before. Where a manager can, it only resolves, which is what fails; the small projects are installed and run.
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { ManagerName } from './managers.ts'
import { managers } from './managers.ts'
import type { Project } from './project.ts'
import { createProject } from './project.ts'

interface Surroundings {
  readonly dependencies: Readonly<Record<string, string>>
  /** What its user imports; without it the project is only resolved, where the manager can. */
  readonly imports?: readonly string[]
  /** What its user had to say before the project could be installed at all, without us. */
  readonly files?: Readonly<Record<string, string>>
}

/** pnpm 12 ends with an error while nobody has decided on the scripts of these. */
const builds = { 'pnpm-workspace.yaml': 'allowBuilds:\n  vue-demi: false\n  msw: false\n' }

const react = { react: '^19.0.0', 'react-dom': '^19.0.0' }

const projects: Readonly<Record<string, Surroundings>> = {
  'an empty folder': { dependencies: {}, imports: ['tidemark', 'tidemark/server'] },
  'a React project': {
    dependencies: { ...react, '@tanstack/react-query': '^5.104.0' },
    imports: ['tidemark', 'tidemark/react'],
  },
  'a React project without TanStack Query': { dependencies: react },
  'a React 18 project': {
    dependencies: { react: '^18.3.0', 'react-dom': '^18.3.0', '@tanstack/react-query': '^5.104.0' },
  },
  'a Vue project': {
    dependencies: { vue: '^3.4.0', '@tanstack/vue-query': '^5.104.0' },
    imports: ['tidemark', 'tidemark/vue'],
    files: builds,
  },
  'a Vue project without TanStack Query': { dependencies: { vue: '^3.4.0' } },
  'a React project with msw 2': {
    dependencies: { ...react, '@tanstack/react-query': '^5.104.0', msw: '^2.9.0' },
    imports: ['tidemark', 'tidemark/react'],
    files: builds,
  },
  'a Hono server': { dependencies: { hono: '^4.0.0', '@hono/node-server': '^2.0.0' } },
  'a Next project': { dependencies: { ...react, next: '^16.0.0', '@tanstack/react-query': '^5.104.0' } },
  'a Nuxt project': {
    dependencies: { nuxt: '^4.0.0', vue: '^3.5.0', '@tanstack/vue-query': '^5.104.0' },
    files: { '.npmrc': 'allow-remote=all\n' }, // npm 12 refuses Nuxt without it
  },
}

/** These install for real what has `imports`; the others resolve. */
const REAL: readonly ManagerName[] = ['npm 10', 'npm 12', 'pnpm', 'yarn 1', 'yarn 4']

describe.concurrent.each(Object.keys(managers) as ManagerName[])('%s installs the package', (manager) => {
  test.each(Object.entries(projects))('into %s', async (name, { dependencies, imports, files = {} }) => {
    const project = createProject(`${manager} ${name}`, { dependencies })
    const lockOnly = imports === undefined || !REAL.includes(manager)
    project.write(files)
    const before = await project.install({ manager, lockOnly, packages: [] })
    const { output } = await project.install({ manager, lockOnly })
    const known = new Set(warningsOf(before.output))
    expect(warningsOf(output).filter((line) => !known.has(line))).toEqual([])
    if (!lockOnly) expect(await load(project, imports, manager)).toEqual(imports)
  })
})

/** Lines that warn. A package's script that the user has not decided on is a matter of that package: ours has none. */
function warningsOf(output: string): string[] {
  const lines = stripVTControlCharacters(output)
    .split('\n')
    .map((line) => line.trim())
  const warning = /\bwarn\b|ERESOLVE|EBADENGINE|peer dep|unmet|incorrect|YN00(02|60|86)|✕/i
  return lines.filter((line) => warning.test(line) && !/install-scripts/.test(line))
}

/** Imports each name in the project; answers those that loaded. */
async function load(project: Project, names: readonly string[], manager: ManagerName): Promise<unknown> {
  project.write({
    'load.mjs': `
      const loaded = []
      for (const name of ${JSON.stringify(names)}) if (Object.keys(await import(name)).length > 0) loaded.push(name)
      console.log(JSON.stringify(loaded))
    `,
  })
  // Yarn 4 has no node_modules: Node must be told by Yarn where packages are.
  const { code, output, stdout } =
    manager === 'yarn 4'
      ? await project.manage('yarn 4', ['node', 'load.mjs'])
      : await project.run('node', ['load.mjs'])
  if (code !== 0) throw new Error(output)
  return JSON.parse(stdout)
}
