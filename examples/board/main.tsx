/** The page: one sync client, given to React, to Vue, and to the parts around them, which have no framework. */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createSyncClient, syncStream } from 'tidemark'
import { SyncProvider } from 'tidemark/react'
import { syncPlugin } from 'tidemark/vue'
import { createApp } from 'vue'
import { announce } from './announce'
import { mutations } from './board'
import { showDrawer } from './drawer'
import { createFaultyNetwork } from './faults'
import { keepFocus } from './focus'
import { showInspector } from './inspector'
import { ReactPanel } from './react-panel'
import { makeSheets } from './sheets'
import { createStatusBar } from './status-bar'
import { VuePanel } from './vue-panel'

const network = createFaultyNetwork()
const bar = createStatusBar()
const sync = createSyncClient({
  mutations,
  stream: syncStream({ url: '/api/sync', topics: ['task'] }),
  platform: network.seams,
  onReport: bar.report,
})

makeSheets()
bar.watch(sync)
showDrawer(network, sync)
for (const panel of document.querySelectorAll<HTMLElement>('.panel')) keepFocus(panel)
createRoot(mountOf('react')).render(
  <StrictMode>
    <SyncProvider client={sync}>
      <ReactPanel />
    </SyncProvider>
  </StrictMode>,
)
createApp(VuePanel).use(syncPlugin, { client: sync }).mount(mountOf('vue'))
showInspector(sync)
announce(sync)

function mountOf(id: string): Element {
  const found = document.querySelector(`#${id} .mount`)
  if (found === null) throw new Error(`The page has no panel #${id}.`)
  return found
}
