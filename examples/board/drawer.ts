/** The drawer of faults: switches of the network that `faults.ts` puts in front of the client, and what goes over it. */
import type { SyncClient } from 'tidemark'
import { element, make } from './dom'
import type { Faults, FaultyNetwork, OneShot, WireLine } from './faults'

const ARROWS: Record<WireLine['kind'], string> = { sent: '→', answered: '←', refused: '←', lost: '×', pushed: '⇠' }

export function showDrawer({ faults, wire, cutStream }: FaultyNetwork, sync: SyncClient): void {
  const drawer = element('faults')
  const count = element('faults-count')
  const offline = element<HTMLInputElement>('fault-offline')
  const shots = [...drawer.querySelectorAll<HTMLButtonElement>('[data-fault]')].map((button) => ({
    button,
    name: button.dataset['fault'] as OneShot,
  }))
  const list = element('wire')

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
  wire.subscribe((lines, before) => {
    const newest = lines.slice(0, before[0] === undefined ? lines.length : lines.indexOf(before[0]))
    list.prepend(...newest.map(wireLine)) // who has scrolled down reads on
    while (list.childElementCount > lines.length) list.lastElementChild?.remove()
  })
}

function wireLine({ at, kind, text }: WireLine): HTMLElement {
  const time = make('time', '', new Date(at).toLocaleTimeString([], { hour12: false }))
  return make('li', '', time, make('span', kind, `${ARROWS[kind]} ${text}`))
}
