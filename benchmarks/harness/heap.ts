// Bytes on the heap: what is left after the garbage is collected. Needs `node --expose-gc`.
import type { Figure } from './types.ts'

export function heapUsed(): number {
  const collect = (globalThis as { gc?: () => void }).gc
  if (collect === undefined) throw new Error('Run it with node --expose-gc.')
  for (let times = 0; times < 4; times++) collect()
  return process.memoryUsage().heapUsed
}

/** Bytes for each of `count` things that `make` makes and keeps. */
export async function bytesOf(count: number, make: () => unknown): Promise<number> {
  const before = heapUsed()
  const kept = await make()
  await new Promise((resolve) => setTimeout(resolve, 20))
  const bytes = (heapUsed() - before) / count
  if (kept === undefined) throw new Error('nothing was made')
  return bytes
}

export const inBytes = (contender: string, value: number): Omit<Figure, 'row' | 'size'> => ({
  contender,
  value,
  unit: 'B',
})
