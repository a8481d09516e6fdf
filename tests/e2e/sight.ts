// What a page looks like to somebody who cannot see well, or touches it: run inside the page, each returns complaints.
import type { Page } from 'playwright'

/** What lies outside of the window, or is cut by its own box. */
export function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement
    const complaints = scrollWidth > clientWidth ? [`the page is ${scrollWidth} px wide in ${clientWidth} px`] : []
    for (const element of document.body.querySelectorAll<HTMLElement>('*')) {
      if (!element.checkVisibility() || element.closest('.said, .unseen, svg') !== null) continue
      const { left, right } = element.getBoundingClientRect()
      const name = `${element.tagName} ${element.className} “${element.textContent?.trim().slice(0, 30)}”`
      if (left < -0.5 || right > clientWidth + 0.5) complaints.push(`${name} lies from ${left} to ${right}`)
      const { overflowX, overflowY } = getComputedStyle(element)
      const isCut =
        (overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1) ||
        (overflowY === 'hidden' && element.scrollHeight > element.clientHeight + 1)
      if (isCut && element.tagName !== 'INPUT') complaints.push(`${name} is cut`)
    }
    return complaints
  })
}

/** What is pressed and smaller than so many pixels on one side. A switch inside a label is pressed through the label. */
export function smallTargets(page: Page, least: number, except = ''): Promise<string[]> {
  return page.evaluate(
    ([least, except]) =>
      [...document.querySelectorAll<HTMLElement>('a[href], button, input')]
        .filter((element) => element.checkVisibility() && !(except !== '' && element.matches(except)))
        .flatMap((element) => {
          const { width, height } = (element.closest('label') ?? element).getBoundingClientRect()
          const name = element.getAttribute('aria-label') ?? element.textContent?.trim() ?? ''
          const isSmall = Math.min(width, height) < least - 0.01
          return isSmall ? [`${element.tagName} “${name}” ${element.id} is ${width} × ${height}`] : []
        }),
    [least, except] as const,
  )
}

/** Texts with a contrast below 4.5 : 1 to what is painted under them. Disabled controls are exempt. */
export function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const pixel = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    if (pixel === null) throw new Error('This browser has no canvas.')
    const channels = (colours: readonly string[]) => {
      pixel.clearRect(0, 0, 1, 1)
      for (const colour of colours) {
        pixel.fillStyle = colour
        pixel.fillRect(0, 0, 1, 1)
      }
      return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3)
    }
    const luminance = (rgb: readonly number[]) => {
      const [r = 0, g = 0, b = 0] = rgb.map((value) => {
        const share = value / 255
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const under = (element: Element | null): string[] =>
      element === null ? ['white'] : [...under(element.parentElement), getComputedStyle(element).backgroundColor]
    const complaints = new Set<string>()
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    let count = 0
    for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
      const element = node.parentElement
      const text = node.textContent?.trim() ?? ''
      if (element === null || text === '' || !element.checkVisibility()) continue
      if (element.closest(':disabled, .said, .unseen, script') !== null) continue
      count++
      const back = under(element)
      const [a, b] = [luminance(channels(back)), luminance(channels([...back, getComputedStyle(element).color]))]
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
      if (contrast < 4.5) complaints.add(`“${text.slice(0, 40)}” has ${contrast.toFixed(2)} : 1`)
    }
    return count > 20 ? [...complaints] : [`only ${count} texts were found`]
  })
}

/** Where the focus is, whether that shows, and what is wrong with it: on nothing, covered, or out of sight. */
export function focused(page: Page): Promise<{ name: string; isMarked: boolean; complaints: string[] }> {
  return page.evaluate(async () => {
    // Two frames: in the first, what the focus changes is measured; in the second, the page scrolls.
    for (let i = 0; i < 3; i++) await new Promise((resolve) => requestAnimationFrame(resolve))
    const element = document.activeElement as HTMLElement | null
    if (element === null || element === document.body)
      return { name: 'body', isMarked: false, complaints: ['nothing has the focus'] }
    const name =
      element.getAttribute('aria-label') ?? (element.id || element.className || element.tagName) + element.innerText
    const seen = element.closest('label') ?? element
    const { left, top, width, height } = seen.getBoundingClientRect()
    const complaints: string[] = []
    if (top < 0 || top + Math.min(height, innerHeight / 2) > innerHeight) complaints.push(`${name} is out of sight`)
    const points = [
      [left + width / 2, top + 4],
      [left + width / 2, top + Math.min(height, 60) - 4],
    ] as const
    for (const [x, y] of points) {
      const hit = document.elementFromPoint(x, y)
      if (hit !== null && (seen.contains(hit) || hit.contains(seen))) continue
      complaints.push(`${name} is covered by ${hit?.tagName} ${hit?.className}`)
    }
    const marks = [element, element.nextElementSibling]
      .filter((candidate) => candidate !== null)
      .map((candidate) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(candidate)
        return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2
      })
    return { name, isMarked: marks.includes(true), complaints }
  })
}
