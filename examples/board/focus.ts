/**
 * Keeps the keyboard's place in a panel, whichever framework draws it: when the element that has the focus is moved,
 * disabled or removed, the focus goes back to it, or to what stands where it stood; never to the page's body.
 */

interface Place {
  readonly element: HTMLElement
  readonly id: string | undefined
  /** Of its row, among the rows. */
  readonly index: number
}

const FOCUSABLE = 'a[href], button, input, [tabindex]'
/** Where to go in the same row, by the class of what had the focus. */
const NEXT: Record<string, string> = {
  up: '.up, .down',
  down: '.down, .up',
  grip: '.grip',
  check: '.check',
  danger: '.danger',
}
const TITLE = '.edit, .title'

export function keepFocus(panel: HTMLElement): void {
  let last: Place | undefined

  panel.addEventListener('focusin', ({ target }) => {
    const element = target as HTMLElement
    const row = element.closest<HTMLElement>('[data-id]')
    last = { element, id: row?.dataset['id'], index: row === null ? 0 : rowsOf(panel).indexOf(row) }
  })
  panel.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !panel.contains(relatedTarget)) last = undefined
  })
  document.addEventListener(
    'pointerdown',
    ({ target }) => {
      if (!(target as Element).closest(FOCUSABLE)) last = undefined // the user put the focus away
    },
    { capture: true },
  )

  const observer = new MutationObserver((records) => {
    if (last === undefined || !hasLost(last.element, records)) return
    const next = placeFor(panel, last)
    if (next !== document.activeElement) next?.focus()
  })
  observer.observe(panel, { subtree: true, childList: true, attributeFilter: ['disabled'] })
}

/** Whether nothing has the focus because the document changed. */
function hasLost(element: HTMLElement, records: readonly MutationRecord[]): boolean {
  const { activeElement } = document
  if (activeElement !== null && activeElement !== document.body && !activeElement.matches(':disabled')) return false
  if (!element.isConnected || element.matches(':disabled')) return true
  return records.some(({ removedNodes }) => [...removedNodes].some((node) => node.contains(element)))
}

function placeFor(panel: HTMLElement, { element, id, index }: Place): HTMLElement | undefined {
  if (element.isConnected && !element.matches(':disabled')) return element
  const rows = rowsOf(panel)
  const row = rows.find(({ dataset }) => dataset['id'] === id)
  const name = Object.keys(NEXT).find((className) => element.classList.contains(className))
  const targets =
    row === undefined
      ? [inRow(rows[Math.min(index, rows.length - 1)], TITLE)]
      : [inRow(row, name && NEXT[name]), inRow(row, TITLE)]
  const target = targets.find((found) => found !== undefined) ?? panel.querySelector<HTMLElement>('.field')
  return target ?? panel.querySelector<HTMLElement>('h2') ?? undefined
}

/** The first of the selectors that can take the focus, in their order. */
function inRow(row: HTMLElement | undefined, selectors: string | undefined): HTMLElement | undefined {
  for (const selector of selectors?.split(', ') ?? []) {
    const found = row?.querySelector<HTMLElement>(`${selector}:not(:disabled)`)
    if (found != null && found.getClientRects().length > 0) return found
  }
  return undefined
}

function rowsOf(panel: HTMLElement): HTMLElement[] {
  return [...panel.querySelectorAll<HTMLElement>('[data-id]')]
}
