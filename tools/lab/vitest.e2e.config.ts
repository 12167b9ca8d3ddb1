import { defineConfig } from 'vitest/config'

const conditions = ['@cluster/source']

/**
 * Scenarios on real machines: one after the other, in one cluster that is booted once.
 * They take what is built in apps/; `npm test -- e2e` builds first.
 */
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'e2e',
    include: ['e2e/**/*.e2e.test.ts'],
    // Promises that etcd does not make.
    exclude: process.env['CLUSTER_LAB_STORE'] === 'etcd' ? ['e2e/own-store.e2e.test.ts'] : [],
    globalSetup: ['e2e/boot-cluster.ts'],
    fileParallelism: false,
    maxWorkers: 1,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
