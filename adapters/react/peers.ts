'use client'

/**
 * What older versions of React and TanStack Query lack. Imported by name, a missing one would keep the module from loading
 * before anybody could say why; here it is `undefined` until {@link usePeers} has said it.
 */
import * as TanStack from '@tanstack/react-query'
import * as React from 'react'
import { SyncError } from 'tidemark'
import { faultOf } from '../peers'

export const useSyncExternalStore: typeof React.useSyncExternalStore = React.useSyncExternalStore
export const useInsertionEffect: typeof React.useInsertionEffect = React.useInsertionEffect
export const HydrationBoundary: typeof TanStack.HydrationBoundary = TanStack.HydrationBoundary
export const QueryClientContext: typeof TanStack.QueryClientContext = TanStack.QueryClientContext
export const defaultScheduler: typeof TanStack.defaultScheduler = TanStack.defaultScheduler
export const hashKey: typeof TanStack.hashKey = TanStack.hashKey

declare const process: { env: { NODE_ENV?: string } }

/**
 * The value of TanStack's context. In development it throws a `usage` error where React or TanStack Query is too old, or
 * React is there twice; bundlers drop the sentences from a production build.
 */
export function usePeers(): unknown {
  let fault: string | undefined
  try {
    if (process.env.NODE_ENV !== 'production') fault = tooOld()
  } catch {
    // No bundler, and no process.
  }
  if (fault !== undefined) throw new SyncError('usage', fault)
  try {
    // biome-ignore lint/correctness/useHookAtTopLevel: what is thrown before it is thrown in every render
    return React.useContext(QueryClientContext)
  } catch (cause) {
    const message =
      "React's hooks do not work here: call them inside of a component, and see with npm ls react that React is installed once."
    throw new SyncError('usage', message, { cause })
  }
}

function tooOld(): string | undefined {
  return faultOf(
    {
      entry: 'tidemark/react',
      name: 'React',
      least: '18',
      found: React.version,
      command: 'npm install react@latest react-dom@latest',
    },
    {
      entry: 'tidemark/react',
      name: '@tanstack/react-query',
      least: '5.104',
      found: TanStack.dehydrateQuery === undefined ? undefined : '5.104', // the newest name of that version; it has no number
      command: 'npm install @tanstack/react-query@5',
    },
  )
}
