/**
 * What opens and closes: the layers and the faults. Opening goes there, closing comes back, Escape closes. On narrow
 * screens both lie over the lower edge, so one gives way to the other.
 */
import { element } from './dom'

const NARROW = '(max-width: 1080px)'

export function makeSheets(): void {
  const inside = makeSheet('inside', () => makeRoom(faults))
  const faults = makeSheet('faults', () => makeRoom(inside))
  keepClear()
}

/** On narrow screens, only one lies over the lower edge, and tasks are in sight above it. */
function makeRoom(other: { show(isOpen: boolean): void }): void {
  if (!matchMedia(NARROW).matches) return
  other.show(false)
  const panels = document.querySelector('.panels')
  if (panels !== null && panels.getBoundingClientRect().top > innerHeight / 4) panels.scrollIntoView()
}

function makeSheet(name: string, onOpen: () => void) {
  const sheet = element(name)
  const toggle = element(`${name}-toggle`)
  const show = (isOpen: boolean) => {
    sheet.hidden = !isOpen
    toggle.setAttribute('aria-expanded', String(isOpen))
    if (isOpen) onOpen()
  }
  const open = () => {
    show(true)
    element(`${name}-title`).focus()
  }
  const close = () => {
    show(false)
    toggle.focus()
  }
  toggle.addEventListener('click', () => (sheet.hidden ? open() : close()))
  element(`${name}-close`).addEventListener('click', close)
  sheet.addEventListener('keydown', ({ key }) => key === 'Escape' && close())
  return { show }
}

/** What sticks to an edge never covers what is scrolled to. */
function keepClear(): void {
  const { style } = document.documentElement
  const edges = ['status', 'inside', 'faults'].map(element)
  const nav = document.querySelector('nav')
  if (nav !== null) edges.push(nav)
  const measure = () => {
    let [top, bottom] = [0, 0]
    for (const edge of edges) {
      const { position, top: from } = getComputedStyle(edge)
      if (edge.hidden || (position !== 'sticky' && position !== 'fixed')) continue
      if (from === 'auto') bottom = Math.max(bottom, edge.offsetHeight)
      else top = Math.max(top, edge.offsetHeight)
    }
    style.setProperty('--clear-top', `${top}px`)
    style.setProperty('--clear-bottom', `${bottom}px`)
  }
  const sizes = new ResizeObserver(measure)
  for (const edge of edges) sizes.observe(edge)
  window.addEventListener('resize', measure)
}
