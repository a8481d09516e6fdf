// Figures as people read them, and tables of Markdown.
import type { Figure, Unit } from './types.ts'

/** Three digits that count: 0.57, 12.4, 1 340. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  const [whole = '', part] = (value >= 100 ? Math.round(value).toString() : value.toFixed(Math.min(digits, 3))).split(
    '.',
  )
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, ' ')
  return part === undefined || /^0+$/.test(part) ? spaced : `${spaced}.${part}`
}

const STEPS: Readonly<Partial<Record<Unit, readonly [string, number]>>> = { µs: ['ms', 1_000], B: ['KB', 1_024] }

/** A figure with its unit: large ones in the next larger unit. */
export function amount(value: number, unit: Unit): string {
  if (unit === 'calls') return number(value)
  const step = STEPS[unit]
  if (step !== undefined && value >= step[1] * 10) return `${number(value / step[1])} ${step[0]}`
  return `${number(value)} ${unit}`
}

/** How many times the measure a figure is. */
export function ratio(figure: Figure, measure: Figure | undefined): string | undefined {
  if (measure === undefined || measure === figure || !Number.isFinite(figure.value)) return undefined
  return `${number(figure.value / measure.value)} ×`
}

export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [row(head), `|${head.map((_, at) => (at === 0 ? '---' : '--:')).join('|')}|`, ...lines.map(row)].join('\n')
}
