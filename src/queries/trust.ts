/**
 * Trust, then check: each whole base is looked at once, whether the server makes its lists as their rules say. If not, the
 * server's word stands, and the lists are as if they had no rule until a read agrees.
 */
import { SyncError, sentence } from '../base/errors'
import { canonical } from '../base/key'
import { locate } from '../data/entities'
import type { RuleFault } from '../data/rules'
import { faultIn } from '../data/rules'
import type { Cell, Owned, TrustPart } from './cell'
import type { Core } from './core'

const own = (cell: Cell): Owned<TrustPart> => cell

/** Looks at data that becomes base. `isOne`: all of it is of one position. */
export function check(core: Core, cell: Cell, data: unknown, isOne: boolean): void {
  if (cell.shape?.plain === undefined) return
  const fault = faultIn(locate(data, cell.shape), isOne)
  if (fault !== undefined && cell.fault === undefined) tell(core, cell, fault)
  own(cell).fault = fault?.message
}

/** A rule has failed in use. */
export function distrust(core: Core, cell: Cell, fault: RuleFault): void {
  own(cell).fault = fault.message
  tell(core, cell, fault)
}

/** Said once, until a read has agreed; the same thing is said once. */
function tell({ report }: Core, cell: Cell, { message, cause }: RuleFault): void {
  if (cell.reported === message) return
  own(cell).reported = message
  const { queryKey } = cell.query
  const said = `In query ${canonical(queryKey)} ${message}. It is shown as the server sent it, and read again when a row changes, until a read agrees with the rule.`
  report(new SyncError('usage', sentence(said), { cause, queryKey }))
}
