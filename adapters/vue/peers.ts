/**
 * What older versions of Vue and TanStack Query lack. Imported by name, a missing one would keep the module from loading
 * before anybody could say why; here it is `undefined` until {@link checkPeers} has said it.
 */
import * as TanStack from '@tanstack/vue-query'
import { SyncError } from 'tidemark'
import * as Vue from 'vue'
import { checkPeer } from '../peers'

export const hasInjectionContext: typeof Vue.hasInjectionContext = Vue.hasInjectionContext
export const toValue: typeof Vue.toValue = Vue.toValue
export const environmentManager: typeof TanStack.environmentManager = TanStack.environmentManager
export const usePrefetchInfiniteQuery: typeof TanStack.usePrefetchInfiniteQuery = TanStack.usePrefetchInfiniteQuery
export const usePrefetchQuery: typeof TanStack.usePrefetchQuery = TanStack.usePrefetchQuery

/** Throws a `usage` error where Vue or TanStack Query is too old, or where the application has another copy of Vue. */
export function checkPeers(app?: Vue.App): void {
  checkPeer({
    entry: 'tidemark/vue',
    name: 'Vue',
    least: '3.4',
    found: Vue.version,
    command: 'npm install vue@latest',
  })
  checkPeer({
    entry: 'tidemark/vue',
    name: '@tanstack/vue-query',
    least: '5.104',
    found: TanStack.dehydrateQuery === undefined ? undefined : '5.104', // the newest name of that version; it has no number
    command: 'npm install @tanstack/vue-query@5',
  })
  if (app === undefined || app.version === Vue.version) return
  const message = `The application is of Vue ${app.version} and tidemark/vue found ${Vue.version}: see with npm ls vue that Vue is installed once.`
  throw new SyncError('usage', message)
}
