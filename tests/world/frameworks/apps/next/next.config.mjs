const { CACHE_COMPONENTS, DIST_DIR = '.next' } = process.env

export default {
  cacheComponents: CACHE_COMPONENTS === '1',
  distDir: DIST_DIR,
  turbopack: { root: import.meta.dirname },
}
