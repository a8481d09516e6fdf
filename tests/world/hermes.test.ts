// Hermes, React Native's engine, compiles the core: every file of `dist` that `tidemark` loads, with its dependencies, as
// React Native's bundler puts them together. It parses less than V8 does.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createProject } from './project.ts'

/** Where the package of the compiler has the binary for this machine. */
const BINARY = `node_modules/hermes-compiler/hermesc/${{ darwin: 'osx-bin', win32: 'win64-bin' }[process.platform as string] ?? 'linux64-bin'}/hermesc`

test('Hermes compiles the core with its dependencies', async () => {
  const project = createProject('hermes', { dependencies: { esbuild: '*', 'hermes-compiler': '*' } })
  await project.install()
  project.write({ 'main.js': `import * as tidemark from 'tidemark'\nglobalThis.tidemark = tidemark\n` })
  const bundled = await project.run('esbuild', ['main.js', '--bundle', '--format=iife', '--outfile=bundle.js'])
  expect(bundled.code, bundled.output).toBe(0)
  expect(readFileSync(join(project.folder, 'bundle.js'), 'utf8')).toContain('createSyncClient')

  const compiled = await project.run(BINARY, ['-emit-binary', '-out', 'bundle.hbc', 'bundle.js'])
  expect(compiled.output.split('\n').filter((line) => /error:/.test(line))).toEqual([])
  expect(compiled.code, compiled.output).toBe(0)

  project.write({ 'broken.js': 'export default class { #a = 1' })
  expect((await project.run(BINARY, ['-emit-binary', '-out', 'broken.hbc', 'broken.js'])).code).not.toBe(0)
})
