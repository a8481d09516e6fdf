// What only memory holds is gone with the page: the demo asks before that happens, and only then.
import type { Dialog } from 'playwright'
import { expect, test } from 'vitest'
import { boardForEach } from './board.ts'

const demo = boardForEach()

test('a reload while an edit waits asks first, and who stays keeps the edit', async () => {
  const window = await demo.open()
  await window.setOffline(true)
  await window.panel('react').rename(demo.seed(0), 'not sent yet')
  const asked = window.page.waitForEvent('dialog')
  await window.page.evaluate(() => setTimeout(() => location.reload()))
  const dialog = await asked
  expect(dialog.type()).toBe('beforeunload')
  await dialog.dismiss()
  const edited = ['not sent yet', ...demo.seeds().slice(1)]
  await window.shows(edited)
  await window.setOffline(false)
  await window.says('queue', 'All saved')
  expect(await demo.board().titles()).toEqual(edited)
})

test('a reload with nothing to lose asks nothing', async () => {
  const window = await demo.open()
  const dialogs: string[] = []
  window.page.on('dialog', (dialog: Dialog) => {
    dialogs.push(dialog.type())
    void dialog.accept()
  })
  await window.page.reload()
  await window.shows(demo.seeds())
  await window.panel('vue').rename(demo.seed(0), 'saved')
  await window.says('queue', 'All saved')
  await window.page.reload()
  await window.shows(['saved', ...demo.seeds().slice(1)])
  expect(dialogs).toEqual([])
})
