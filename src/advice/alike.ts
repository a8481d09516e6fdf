/** Names that differ only in number, case or separators: `todo` and `todos`. Ids (`list:1`, `list:2`) are not alike. */
export function isAlike(a: string, b: string): boolean {
  return a !== b && bare(a) === bare(b)
}

function bare(text: string): string {
  return text
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .replace(/ies\b/g, 'y')
    .replace(/s\b/g, '')
    .trim()
}
