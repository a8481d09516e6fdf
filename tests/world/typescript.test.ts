// The declarations of the packed package compile, themselves checked too (`skipLibCheck: false`), under TypeScript 5.9, 6
// and 7: with the oldest frameworks and one query-core for all, and with the newest and the two copies that they bring.
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Project } from './project.ts'
import { createProject } from './project.ts'

const compilers = {
  'typescript-5': 'npm:typescript@~5.9.0',
  'typescript-6': 'npm:typescript@~6.0.0',
  'typescript-7': 'npm:typescript@~7.0.0',
}
const application = readFileSync(new URL('types/application.ts', import.meta.url), 'utf8')

const surroundings = {
  'the oldest frameworks and query-core': {
    '@tanstack/query-core': '5.104.0',
    '@tanstack/react-query': '5.104.0',
    '@tanstack/vue-query': '5.104.0',
    '@types/react': '^18.3.0',
    react: '~18.3.0',
    vue: '~3.4.0',
  },
  'the newest frameworks and query-core': {
    '@tanstack/react-query': '^5.104.0',
    '@tanstack/vue-query': '^5.104.0',
    '@types/react': '^19.0.0',
    react: '^19.0.0',
    vue: '^3.5.0',
  },
}

describe.each(Object.entries(surroundings))('beside %s', (name, frameworks) => {
  let project: Project

  beforeAll(async () => {
    project = createProject(`typescript ${name}`, {
      dependencies: {
        ...frameworks,
        '@types/node': '^24.0.0',
        msw: '^3.0.0',
        ...compilers,
      },
    })
    await project.install()
    project.write({
      'application.ts': application,
      'entries.ts': `
        import * as browser from 'tidemark/mocks/browser'
        import * as node from 'tidemark/mocks/node'
        export const entries = [browser, node]
      `,
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          skipLibCheck: false,
          target: 'es2022',
          module: 'nodenext',
          lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'],
        },
        files: ['application.ts', 'entries.ts'],
      }),
    })
  })

  test.each(Object.keys(compilers))('compiles under %s', async (compiler) => {
    const { stdout } = await project.run('node', [`node_modules/${compiler}/bin/tsc`, '--pretty', 'false'])
    expect(stdout).toBe('')
  })
})
