// What was measured, for people: added to coverage/proxies.json, and printed as a table. Never asserted.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../coverage', import.meta.url))
const path = `${folder}/proxies.json`

type Row = Record<string, string | number>

export function forget(): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(path, '{}\n')
}

export function record(title: string, rows: Readonly<Record<string, Row>>): void {
  const all = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>) : {}
  writeFileSync(path, `${JSON.stringify({ ...all, [title]: rows }, undefined, 2)}\n`)
  console.info(title)
  console.table(rows)
}

/** Nearest rank. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN
}
