// Where a run was made: what somebody else needs to compare figures, and nothing by which a machine could be found.
import { existsSync, readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, loadavg, totalmem, type } from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memory: string
  readonly os: string
  readonly node: string
  /** Processes that wanted to run when the run began; more than the cores, and the figures are of a busy machine. */
  readonly load: number
}

const root = new URL('../../', import.meta.url)

const PRODUCT = [
  '@tanstack/query-core',
  '@tanstack/react-query',
  '@tanstack/vue-query',
  'immer',
  'react',
  'vue',
  'zustand',
]
const PEERS = ['@apollo/client', '@reduxjs/toolkit', '@tanstack/db', '@tanstack/query-core', 'replicache', 'swr']

export function machine(): Machine {
  const release = '/etc/os-release'
  const named = existsSync(release) ? /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync(release, 'utf8'))?.[1] : undefined
  return {
    cpu: cpus()[0]?.model.trim() || arch(),
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    os: named ?? type(),
    node: process.version,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  }
}

export interface Versions {
  /** Tidemark, and what it was measured with. */
  readonly product: Readonly<Record<string, string>>
  readonly peers: Readonly<Record<string, string>>
}

export function versions(): Versions {
  return {
    product: { tidemark: versionAt('package.json'), ...installed('node_modules', PRODUCT) },
    peers: installed('benchmarks/peers/node_modules', PEERS),
  }
}

function installed(folder: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, versionAt(`${folder}/${name}/package.json`)]))
}

function versionAt(path: string): string {
  return (JSON.parse(readFileSync(new URL(path, root), 'utf8')) as { version: string }).version
}
