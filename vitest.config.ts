import { defineConfig } from 'vitest/config'

const conditions = ['@cluster/source']

/** Tests run from source: `@cluster/source` resolves every workspace package to its `src/`. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
  },
})
