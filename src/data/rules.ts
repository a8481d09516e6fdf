/**
 * How the server makes a list, as its `rows` pair declares it: which rows are in it (`where`) and in which order
 * (`orderBy`). The rules are the application's functions: what they throw, and an order that is no number, is a fault of the
 * rule, told apart from everything else that may throw in a fold.
 */
import { messageOf } from '../base/kinds'
import type { Located, RowList } from './entities'

/** A rule that threw, or gave no number, or that the server does not keep to. */
export type RuleFault = Error

const FAULT: unique symbol = Symbol('tidemark.rule')

/** `found`: what the list of these rows has, or does, for a sentence. */
function faultOf({ entity }: RowList, found: string, cause?: unknown): RuleFault {
  return Object.assign(new Error(`the list of "${entity.type}" ${found}`, { cause }), { [FAULT]: true })
}

/** Whether what was thrown is the fault of a rule. */
export function isRuleFault(thrown: unknown): thrown is RuleFault {
  return typeof thrown === 'object' && thrown !== null && FAULT in thrown
}

/** Whether a rule says how this list is made. */
export function isDeclared({ rule }: RowList): boolean {
  return rule !== undefined
}

/** Whether the row is in the list by its rule. */
export function belongs(list: RowList, row: unknown): boolean {
  const { rule, owner } = list
  try {
    return rule?.where === undefined || rule.where(row as never, owner as never)
  } catch (cause) {
    throw faultOf(list, `has a "where" that threw: ${messageOf(cause)}`, cause)
  }
}

/** The order of two rows by the rule of their list; 0 where it has none. */
export function order(list: RowList, a: unknown, b: unknown): number {
  const { rule } = list
  if (rule?.orderBy === undefined) return 0
  let result: number
  try {
    result = rule.orderBy(a as never, b as never)
  } catch (cause) {
    throw faultOf(list, `has an "orderBy" that threw: ${messageOf(cause)}`, cause)
  }
  // Not a number is not equal to itself.
  if (typeof result !== 'number' || Number.isNaN(result))
    throw faultOf(list, `has an "orderBy" that answered ${String(result)} and no number`)
  return result
}

/** The place behind all rows that come before this one or are its equals. Costs the logarithm of their number. */
export function placeIn(list: RowList, rows: readonly unknown[], row: unknown): number {
  if (list.rule?.orderBy === undefined) return rows.length
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (order(list, row, rows[middle]) < 0) high = middle
    else low = middle + 1
  }
  return low
}

/**
 * The first sign that the server does not make its lists as their rules say; `undefined` if it does. One pass. `isOne`: all
 * of the data is of one position, so that the order holds from page to page.
 */
export function faultIn({ lists }: Located, isOne: boolean): RuleFault | undefined {
  const last = new Map<string, unknown>()
  try {
    for (const list of lists) {
      if (!isDeclared(list)) continue
      const { entity, rows, chain } = list
      let before = isOne ? last.get(chain) : undefined
      for (const row of rows) {
        if (!belongs(list, row)) return faultOf(list, `has row ${entity.idOf(row)}, which its "where" does not take`)
        if (before !== undefined && order(list, before, row) > 0) {
          const found = `has row ${entity.idOf(before)} before ${entity.idOf(row)}, which its "orderBy" puts the other way`
          return faultOf(list, found)
        }
        before = row
      }
      last.set(chain, before)
    }
  } catch (fault) {
    if (isRuleFault(fault)) return fault
    throw fault
  }
  return undefined
}
