/** What a hook outside of a provider says. */
import { SyncError } from 'tidemark'

/** Begins with TanStack's own words, which people search for. */
export function noClient(): SyncError {
  return new SyncError(
    'usage',
    'No QueryClient set, use QueryClientProvider to set one, or <SyncProvider client={sync}> for a sync client.',
  )
}
