// Before the tests of `tests/world`: builds if `dist` is older than the sources, packs the package once, and installs the
// package managers. Everything stands in one temporary folder, which is removed at the end.
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { managerPackages } from './managers.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where projects, package managers and the tarball stand. */
    world: string
    /** The packed package, a file that every package manager can install. */
    tarball: string
    /** Where packages come from; Yarn 4 does not read npm's configuration. */
    registry: string
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What the build reads. */
const SOURCES = [
  '{src,adapters,mocks,server}/**/*.{ts,tsx}',
  '{package,tsconfig,tsconfig.build}.json',
  '{tsup.config,scripts/declarations}.ts',
]

export function setup({ provide }: TestProject): () => void {
  if (isStale()) execFileSync('npm', ['run', 'build'], { cwd: root, stdio: 'pipe' })
  const world = mkdtempSync(join(tmpdir(), 'tidemark-world-'))
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', world], {
    cwd: root,
    encoding: 'utf8',
    stdio: 'pipe',
  })
  installManagers(join(world, 'managers'))
  provide('world', world)
  provide('tarball', join(world, packed.trim().split('\n').at(-1) ?? ''))
  provide('registry', execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim())
  return () => rmSync(world, { recursive: true, force: true })
}

function isStale(): boolean {
  const built = ['dist/index.js', 'dist/types/src/index.d.ts'].map((path) => join(root, path))
  if (!built.every((path) => existsSync(path))) return true
  const oldest = Math.min(...built.map((path) => statSync(path).mtimeMs))
  return SOURCES.flatMap((pattern) => globSync(pattern, { cwd: root })).some(
    (path) => statSync(join(root, path)).mtimeMs > oldest,
  )
}

function installManagers(folder: string): void {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: managerPackages }))
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'], {
    cwd: folder,
    stdio: 'pipe',
  })
}
