// The page that every library renders: a form with an Action, and two pages that show the document, one at a time.
import type { ReactNode } from 'react'
import { Profiler, startTransition, useInsertionEffect, useState } from 'react'
import type { By } from './steps.ts'

export interface Shown {
  tokens: readonly string[] | undefined
  isPending: boolean
}

export interface PageProps {
  act: (token: string) => void
  /** What the component with the Action says of it. */
  isActing: boolean
  /** A hook, called by the pages. */
  useRow: () => Shown
  controls: Controls
}

/** How a test drives the page; set when it is mounted. */
export interface Controls {
  act(token: string, by: By): void
  navigate(): void
  /** After each commit. */
  onCommit?: (() => void) | undefined
}

export const createControls = (): Controls => ({ act() {}, navigate() {} })

export function Page({ act, isActing, useRow, controls }: PageProps): ReactNode {
  const [page, setPage] = useState(0)
  const [form, setForm] = useState<HTMLFormElement | null>(null)
  useInsertionEffect(() => {
    controls.act = (token, by) => {
      const input = form?.querySelector('input')
      if (input) input.value = token
      if (by === 'form') form?.requestSubmit()
      else if (by === 'event') form?.querySelector('button')?.click()
      else startTransition(() => act(token))
    }
    controls.navigate = () => startTransition(() => setPage((before) => before + 1))
  })
  const Row = page % 2 === 0 ? List : Detail
  return (
    <Profiler id="page" onRender={() => controls.onCommit?.()}>
      <form ref={setForm} action={(data) => act(String(data.get('token')))}>
        <input name="token" />
        <button type="button" onClick={(event) => act(readToken(event.currentTarget.form))} />
      </form>
      <output>
        <Row page={page} useRow={useRow} />|{isActing ? 'p' : '-'}
      </output>
    </Profiler>
  )
}

const readToken = (form: HTMLFormElement | null): string => String(new FormData(form ?? undefined).get('token'))

interface RowProps {
  page: number
  useRow: () => Shown
}

function List({ page, useRow }: RowProps): ReactNode {
  const { tokens, isPending } = useRow()
  return `${page}|${tokens?.join(' ')}|${isPending ? 'p' : '-'}`
}

function Detail({ page, useRow }: RowProps): ReactNode {
  const { tokens, isPending } = useRow()
  return <b>{`${page}|${tokens?.join(' ')}|${isPending ? 'p' : '-'}`}</b>
}
