// The recorded run and the budgets, and what the one says of the other.
import { existsSync, readFileSync } from 'node:fs'
import type { Machine, Versions } from './machine.ts'
import type { Figure, Unit } from './types.ts'

export interface Results {
  readonly date: string
  readonly machine: Machine
  readonly versions: Versions
  /** What each row measures, for the tables. */
  readonly rows: readonly { readonly name: string; readonly title: string; readonly of: string }[]
  readonly figures: readonly Figure[]
}

/** What is to be reached; one of `most` (of a figure, or of its ratio to `to`) holds at one size. */
export interface Budget {
  readonly row: string
  readonly size: number
  /** @defaultValue 'tidemark' */
  readonly contender?: string
  /** The contender whose figure is the measure: `most` is a ratio then. */
  readonly to?: string
  /** The size whose figure is the measure: `most` is how much may be grown since. */
  readonly from?: number
  readonly most: number
}

export interface Verdict {
  readonly budget: Budget
  /** `undefined`: not measured. */
  readonly value: number | undefined
  /** Of a budget that is no ratio. */
  readonly unit: Unit | undefined
  readonly isMet: boolean
}

export const RESULTS = new URL('../results.json', import.meta.url)
const BUDGETS = new URL('../budgets.json', import.meta.url)

export function readResults(): Results | undefined {
  if (!existsSync(RESULTS)) return undefined
  const results = JSON.parse(readFileSync(RESULTS, 'utf8')) as Results
  return { ...results, figures: results.figures.map(revived) }
}

/** JSON has no NaN: a contender that was wrong before its first block has no figure. */
export function revived(figure: Figure): Figure {
  return { ...figure, value: figure.value ?? Number.NaN }
}

export function readBudgets(): readonly Budget[] {
  return JSON.parse(readFileSync(BUDGETS, 'utf8')) as readonly Budget[]
}

export function figureOf(results: Results, row: string, size: number, contender: string): Figure | undefined {
  return results.figures.find((each) => each.row === row && each.size === size && each.contender === contender)
}

export function judge(results: Results, budgets: readonly Budget[]): Verdict[] {
  return budgets.map((budget) => {
    const value = measured(results, budget)
    const isRatio = budget.to !== undefined || budget.from !== undefined
    const { unit } = figureOf(results, budget.row, budget.size, budget.contender ?? 'tidemark') ?? {}
    return { budget, value, unit: isRatio ? undefined : unit, isMet: value !== undefined && value <= budget.most }
  })
}

function measured(results: Results, { row, size, contender = 'tidemark', to, from }: Budget): number | undefined {
  const figure = figureOf(results, row, size, contender)
  if (figure === undefined || figure.wrong !== undefined) return undefined
  if (to === undefined && from === undefined) return figure.value
  const measure = figureOf(results, row, from ?? size, to ?? contender)
  return measure === undefined || measure.wrong !== undefined ? undefined : figure.value / measure.value
}
