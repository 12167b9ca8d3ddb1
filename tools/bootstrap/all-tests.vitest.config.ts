import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const repository = fileURLToPath(new URL('../..', import.meta.url))

const packages = ['libs', 'apps', 'tools'].flatMap((group) =>
  readdirSync(`${repository}/${group}`)
    .map((name) => `${group}/${name}`)
    .filter((folder) => existsSync(`${repository}/${folder}/package.json`)),
)

/** The tests of all packages in one run, so that they share its start and its worker processes. */
export default defineConfig({
  root: repository,
  test: {
    // Two on two cores, where vitest would take one: many files mostly wait for programs that they have started.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: packages.map((folder) => ({
      extends: `${repository}/vitest.config.ts`,
      root: `${repository}/${folder}`,
      test: { name: folder },
    })),
  },
})
