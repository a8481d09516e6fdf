import { version as react } from 'react'
import { version as reactDom } from 'react-dom'
import { expect, test } from 'vitest'
import { version as vue } from 'vue'

// The same contract runs in two projects: on the newest frameworks and on the oldest ones that are supported.
test('the frameworks are those that the project is for', () => {
  const older = process.env['OLDER_FRAMEWORKS'] !== undefined
  const minor = (version: string) => version.split('.').slice(0, 2).join('.')
  expect([react, reactDom, vue].map(minor)).toEqual(older ? ['18.3', '18.3', '3.4'] : ['19.3', '19.3', '3.5'])
})
