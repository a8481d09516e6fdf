// The same type tests for an application without `exactOptionalPropertyTypes`; this repository has it on.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('types hold without exactOptionalPropertyTypes, too', { timeout: 60_000 }, () => {
  const project = fileURLToPath(new URL('./tsconfig.inexact.json', import.meta.url))
  const { stdout } = spawnSync('tsc', ['-p', project], { encoding: 'utf8' })
  expect(stdout).toBe('')
})
