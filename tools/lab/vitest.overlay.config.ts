import { defineConfig } from 'vitest/config'

const conditions = ['@cluster/source']

/**
 * The overlay in network namespaces: four files at a time, since each mostly waits, and each makes networks of its own.
 * They take what is built in apps/; `npm test -- e2e` builds first.
 */
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'overlay',
    include: ['e2e-overlay/**/*.e2e.test.ts'],
    maxWorkers: 4,
    testTimeout: 240_000,
    hookTimeout: 60_000,
  },
})
