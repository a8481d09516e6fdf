/**
 * Reordering with a pointer or the keyboard, for a list whose rows have `data-id` and a `.grip` that is enabled. Plain DOM, so that both
 * panels share it; it changes no element that a framework owns but for `data-` attributes.
 */

/** Asked to put the row at this index of the list as it is shown. */
type Move = (id: string, index: number) => void

/** Returns a function that takes the behaviour away. */
export function makeSortable(list: HTMLElement, move: Move): () => void {
  const life = new AbortController()
  const { signal } = life
  let drag: { row: HTMLElement; pointer: number; index: number } | undefined

  const rows = () => [...list.querySelectorAll<HTMLElement>(':scope > [data-id]')]
  const clear = () => {
    for (const row of rows()) delete row.dataset['drop']
  }
  const end = () => {
    clear()
    delete drag?.row.dataset['dragged']
    drag = undefined
  }
  const rowOf = (event: Event) =>
    (event.target as Element).closest('.grip:enabled')?.closest<HTMLElement>('[data-id]') ?? undefined

  list.addEventListener(
    'pointerdown',
    (event) => {
      const row = rowOf(event)
      if (row === undefined || event.button !== 0) return
      list.setPointerCapture(event.pointerId)
      row.dataset['dragged'] = ''
      drag = { row, pointer: event.pointerId, index: rows().indexOf(row) }
    },
    { signal },
  )
  list.addEventListener(
    'pointermove',
    (event) => {
      if (drag?.pointer !== event.pointerId) return
      const all = rows()
      const from = all.indexOf(drag.row)
      if (from === -1) return end()
      const middles = all.map((row) => row.getBoundingClientRect()).map(({ top, height }) => top + height / 2)
      const above = middles.filter((middle, at) => at !== from && middle < event.clientY).length
      drag.index = above
      clear()
      if (above === from) return
      const target = all.filter((row) => row !== drag?.row)[above]
      if (target !== undefined) target.dataset['drop'] = 'above'
      else if (all.at(-1) !== undefined) (all.at(-1) as HTMLElement).dataset['drop'] = 'below'
    },
    { signal },
  )
  list.addEventListener(
    'pointerup',
    (event) => {
      if (drag?.pointer !== event.pointerId) return
      const { row, index } = drag
      const from = rows().indexOf(row)
      end()
      const id = row.dataset['id']
      if (id !== undefined && from !== index) move(id, index)
    },
    { signal },
  )
  list.addEventListener('pointercancel', end, { signal })
  document.addEventListener('keydown', ({ key }) => key === 'Escape' && end(), { signal })

  list.addEventListener(
    'keydown',
    (event) => {
      const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0
      const row = rowOf(event)
      const id = row?.dataset['id']
      if (row === undefined || id === undefined || step === 0) return
      event.preventDefault()
      move(id, rows().indexOf(row) + step)
    },
    { signal },
  )
  return () => {
    end()
    life.abort()
  }
}
