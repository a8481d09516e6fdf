/** What this window shows, in both panels. Interface state, so it has a Zustand store of its own and no query. */
import { createStore } from 'zustand/vanilla'
import type { Choice } from './lists'

export const choice = createStore<Choice>(() => ({ show: 'all', sort: 'hand' }))

/** A new task is open: whoever adds one wants to see it. */
export function showNew(): void {
  if (choice.getState().show === 'done') choice.setState({ show: 'all' })
}
