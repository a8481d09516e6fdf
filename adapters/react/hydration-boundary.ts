'use client'

/** TanStack's `HydrationBoundary`, for state that comes from outside. */
import type { HydrationBoundaryProps } from '@tanstack/react-query'
import type { ReactElement } from 'react'
import { createElement, useMemo } from 'react'
import { SyncError } from 'tidemark'
import { soundState } from '../../src/base/dehydrated'
import { findSyncClient } from '../clients'
import { useQueryClient } from './context'
import { HydrationBoundary as TanStackBoundary } from './peers'

/**
 * TanStack's `HydrationBoundary`: each query's data becomes base, at the position (cursor) that it was read at. What is
 * malformed in `state` is left out and reported as `usage`; the children are rendered all the same.
 */
export function HydrationBoundary({ state, ...props }: HydrationBoundaryProps): ReactElement {
  const client = findSyncClient(useQueryClient(props.queryClient))
  const sound = useMemo(
    () => soundState(state, (message) => client?.report(new SyncError('usage', message))),
    [client, state],
  )
  return createElement(TanStackBoundary, { ...props, state: sound as never })
}
