/**
 * What older versions of Vue and TanStack Query lack. Imported by name, a missing one would keep the module from loading
 * before anybody could say why; here it is `undefined` until {@link checkPeers} has said it.
 */
import * as TanStack from '@tanstack/vue-query'
import { SyncError } from 'tidemark'
import * as Vue from 'vue'
import { faultOf } from '../peers'

export const hasInjectionContext: typeof Vue.hasInjectionContext = Vue.hasInjectionContext
export const toValue: typeof Vue.toValue = Vue.toValue
export const environmentManager: typeof TanStack.environmentManager = TanStack.environmentManager

declare const process: { env: { NODE_ENV?: string } }

/**
 * In development it throws a `usage` error where Vue or TanStack Query is too old, or where the application has another
 * copy of Vue; bundlers drop the sentences from a production build.
 */
export function checkPeers(app?: Vue.App): void {
  let fault: string | undefined
  try {
    if (process.env.NODE_ENV !== 'production') fault = tooOld() ?? twice(app)
  } catch {
    // No bundler, and no process.
  }
  if (fault !== undefined) throw new SyncError('usage', fault)
}

function twice(app: Vue.App | undefined): string | undefined {
  if (app === undefined || app.version === Vue.version) return undefined
  return `The application is of Vue ${app.version} and tidemark/vue found ${Vue.version}: see with npm ls vue that Vue is installed once.`
}

function tooOld(): string | undefined {
  return faultOf(
    {
      entry: 'tidemark/vue',
      name: 'Vue',
      least: '3.4',
      found: Vue.version,
      command: 'npm install vue@latest',
    },
    {
      entry: 'tidemark/vue',
      name: '@tanstack/vue-query',
      least: '5.104',
      found: TanStack.dehydrateQuery === undefined ? undefined : '5.104', // the newest name of that version; it has no number
      command: 'npm install @tanstack/vue-query@5',
    },
  )
}
