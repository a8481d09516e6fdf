// Runs a suite in React and in Vue, and takes down afterwards what it mounted.
import { afterEach, describe } from 'vitest'
import type { Component, Driver, Host, Mounted } from './driver.ts'
import { reactDriver } from './react-driver.ts'
import { vueDriver } from './vue-driver.ts'

export interface Page {
  readonly name: string
  /** Mounts components side by side. */
  show(host: Host, ...components: Component[]): Mounted
  act: Driver['act']
  createQueryClient: Driver['createQueryClient']
}

export function inBoth(what: string, suite: (page: Page) => void): void {
  describe.each([reactDriver, vueDriver])(`${what}, in $name`, (driver) => {
    const mounted: Mounted[] = []
    afterEach(() => {
      for (const each of mounted.splice(0)) each.unmount()
      document.body.replaceChildren()
    })
    suite({
      name: driver.name,
      act: driver.act,
      createQueryClient: driver.createQueryClient,
      show(host, ...components) {
        const made = driver.mount(host, ...components)
        mounted.push(made)
        return made
      },
    })
  })
}
