// SWR's hook, on the React of the peers.
import * as react from 'react'
import { createRoot } from 'react-dom/client'
import type { ScopedMutator } from 'swr'
import useSWR, { SWRConfig, useSWRConfig } from 'swr'
import type { ReactLibrary } from '../harness/react.ts'
import type { Change, Row } from '../harness/server.ts'

const swrReact: ReactLibrary = {
  name: 'SWR',
  react: react as unknown as ReactLibrary['react'],
  createRoot: createRoot as ReactLibrary['createRoot'],
  open(server) {
    let mutate: ScopedMutator | undefined
    const value = { provider: () => new Map(), revalidateOnFocus: false, revalidateOnReconnect: false }
    const Reader = ({ children }: { children?: react.ReactNode }) => {
      mutate = useSWRConfig().mutate
      return children
    }
    const with_ = (old: Row[] | undefined, { id, n }: Change) =>
      old?.map((row) => (row.id === id ? { ...row, n } : row))
    return {
      Provider: ({ children }) =>
        react.createElement(SWRConfig, { value }, react.createElement(Reader, null, children)),
      useRows: () => useSWR('rows', () => server.read()).data,
      write: (change) =>
        mutate?.<Row[], Row>('rows', server.send(change) as never, {
          optimisticData: (_, old) => with_(old, change) ?? [],
          populateCache: (saved, old) => with_(old, saved) ?? [],
          rollbackOnError: true,
          revalidate: false,
        }).catch(() => {}),
      close: () => {},
    }
  },
}

export const reactLibraries: readonly ReactLibrary[] = [swrReact]
