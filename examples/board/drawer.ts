/** The drawer of faults: switches of the network that `faults.ts` puts in front of the client, and what goes over it. */
import type { SyncClient } from 'tidemark'
import type { Faults, FaultyNetwork, OneShot, WireLine } from './faults'

const ARROWS: Record<WireLine['kind'], string> = { sent: '→', answered: '←', refused: '←', lost: '×', pushed: '⇠' }

export function showDrawer({ faults, wire, cutStream }: FaultyNetwork, sync: SyncClient): void {
  const drawer = element('faults')
  const toggle = element('faults-toggle')
  const count = element('faults-count')
  const offline = element<HTMLInputElement>('fault-offline')
  const shots = [...drawer.querySelectorAll<HTMLButtonElement>('[data-fault]')].map((button) => ({
    button,
    name: button.dataset['fault'] as OneShot,
  }))
  const list = element('wire')

  const open = (isOpen: boolean) => {
    drawer.hidden = !isOpen
    toggle.setAttribute('aria-expanded', String(isOpen))
    if (!isOpen) toggle.focus()
  }
  toggle.addEventListener('click', () => open(drawer.hasAttribute('hidden')))
  element('faults-close').addEventListener('click', () => open(false))

  offline.addEventListener('change', () => faults.setState({ offline: offline.checked }))
  element('fault-latency').addEventListener('change', ({ target }) =>
    faults.setState({ latency: Number((target as HTMLInputElement).value) }),
  )
  for (const { button, name } of shots) {
    button.addEventListener('click', () => faults.setState((state) => ({ [name]: !state[name] })))
  }
  element('cut-stream').addEventListener('click', cutStream)
  element('reconnect').addEventListener('click', () => sync.reconnect())

  const render = (state: Faults) => {
    offline.checked = state.offline
    for (const { button, name } of shots) button.setAttribute('aria-pressed', String(state[name]))
    const armed = shots.filter(({ name }) => state[name]).length + Number(state.offline) + Number(state.latency > 0)
    count.hidden = armed === 0
    count.textContent = String(armed)
  }
  faults.subscribe(render)
  render(faults.getState())
  wire.subscribe((lines) => list.replaceChildren(...lines.map(wireLine)))
}

function wireLine({ at, kind, text }: WireLine): HTMLElement {
  const line = document.createElement('li')
  const time = document.createElement('time')
  time.textContent = new Date(at).toLocaleTimeString([], { hour12: false })
  const said = document.createElement('span')
  said.className = kind
  said.textContent = `${ARROWS[kind]} ${text}`
  line.append(time, said)
  return line
}

function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`The page has no #${id}.`)
  return found as T
}
