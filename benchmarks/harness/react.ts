// A list in React, and many components on one query: written once, for the hooks and the React of each library.
import type { ComponentType, ReactNode } from 'react'
import type { Change, Row, Server } from './server.ts'
import type { Library, Subject } from './subject.ts'

/** What a component asks of React. */
export interface ReactCopy {
  createElement(type: unknown, props: object | null, ...children: unknown[]): ReactNode
  memo(component: (props: { row: Row }) => ReactNode): unknown
  useLayoutEffect(effect: () => void): void
}

export interface ReactLibrary extends Pick<Library, 'name'> {
  readonly react: ReactCopy
  createRoot(element: HTMLElement): { render(node: ReactNode): void; unmount(): void }
  open(server: Server): ReactSubject
}

export interface ReactSubject extends Pick<Subject, 'close'> {
  readonly Provider: ComponentType<{ children?: ReactNode }>
  /** The library's hook; `undefined` until it has data. */
  useRows(): readonly Row[] | undefined
  write(change: Change): unknown
}

/** What is drawn: `committed` is called by each component that React has committed, with the row that it shows. */
export type Draw = (library: ReactLibrary, subject: ReactSubject, committed: (row: Row) => void) => () => ReactNode

/** One list; a component for each row, which renders again only when its row is another object. */
export const asList: Draw = ({ react }, subject, committed) => {
  const { createElement } = react
  const Item = react.memo(({ row }) => {
    react.useLayoutEffect(() => committed(row))
    return createElement('li', null, row.n)
  })
  return () => {
    const rows = subject.useRows() ?? []
    return createElement(
      'ul',
      null,
      rows.map((row) => createElement(Item, { key: row.id, row })),
    )
  }
}

/** So many components, each with the hook of its own on the same query. */
export const asComponents =
  (count: number): Draw =>
  ({ react }, subject, committed) => {
    const { createElement } = react
    const Part = () => {
      const row = subject.useRows()?.[0]
      react.useLayoutEffect(() => {
        if (row !== undefined) committed(row)
      })
      return createElement('span', null, row?.n)
    }
    return () =>
      createElement(
        'div',
        null,
        Array.from({ length: count }, (_, key) => createElement(Part, { key })),
      )
  }
