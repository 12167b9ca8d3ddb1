import { expect, it } from 'vitest'
import { cacheFolder, rootRecipe } from './root.ts'

it('keeps roots outside the repository, where the environment says', () => {
  expect(cacheFolder({ CLUSTER_LAB_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a')
  expect(cacheFolder({ XDG_CACHE_HOME: '/b' })).toBe('/b/cluster-lab')
})

it('gives each release a root of its own, and the same recipe the same root', () => {
  expect(rootRecipe('bookworm')).toEqual(rootRecipe('bookworm'))
  expect(rootRecipe('bookworm').key).not.toBe(rootRecipe('trixie').key)
})
