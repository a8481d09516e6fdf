// The server of the small applications: in memory, slow by one timer.
export interface Note {
  id: string
  title: string
}

export interface Api {
  notes(tag: string): Promise<Note[]>
  note(id: string): Promise<Note>
  history(page: number): Promise<{ lines: string[]; next: number | undefined }>
  add(note: Note): Promise<Note>
  remove(id: string): Promise<void>
}

/** `refuse` makes the next write fail. `asked` are the calls, in order. */
export function createApi(): Api & { asked: string[]; refuse(): void } {
  let rows: Note[] = [
    { id: 'a', title: 'A' },
    { id: 'b', title: 'B' },
  ]
  let refused = false
  const asked: string[] = []
  const answer = async <T>(name: string, make: () => T): Promise<T> => {
    asked.push(name)
    await new Promise((resolve) => setTimeout(resolve, 5))
    return make()
  }
  const write = <T>(name: string, make: () => T): Promise<T> =>
    answer(name, () => {
      if (refused) {
        refused = false
        throw new Error('refused')
      }
      return make()
    })
  return {
    asked,
    refuse() {
      refused = true
    },
    notes: (tag) => answer(`notes ${tag}`, () => (tag === 'all' ? [...rows] : rows.slice(0, 1))),
    note: (id) => answer(`note ${id}`, () => rows.find((row) => row.id === id) ?? { id, title: 'gone' }),
    history: (page) => answer(`history ${page}`, () => ({ lines: [`line ${page}`], next: page < 1 ? 1 : undefined })),
    add: (note) =>
      write('add', () => {
        rows = [...rows, note]
        return note
      }),
    remove: (id) =>
      write(`remove ${id}`, () => {
        rows = rows.filter((row) => row.id !== id)
      }),
  }
}
