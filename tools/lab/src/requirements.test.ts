import { expect, it } from 'vitest'
import { missingRequirements } from './requirements.ts'

it('has nothing to say where all is there', () => {
  expect(missingRequirements({ platform: 'linux', isRoot: true, hasProgram: () => true })).toEqual([])
})

it('names everything missing at once, with the packages to install', () => {
  const hasProgram = (name: string): boolean => name !== 'etcd' && name !== 'nsenter' && name !== 'unshare'
  const lines = missingRequirements({ platform: 'linux', isRoot: false, hasProgram }, 'etcd')
  expect(lines).toHaveLength(2)
  expect(lines[0]).toContain('sudo')
  expect(lines[1]).toMatch(/etcd, nsenter, unshare: apt-get install .* etcd-server util-linux$/)
})

it('needs no etcd unless etcd is to be the store', () => {
  const host = { platform: 'linux', isRoot: true, hasProgram: (name: string) => name !== 'etcd' }
  expect(missingRequirements(host)).toEqual([])
  expect(missingRequirements(host, 'etcd')).toEqual([expect.stringContaining('etcd-server')])
})

it('says on another system that Linux is needed, and nothing else', () => {
  const lines = missingRequirements({ platform: 'darwin', isRoot: false, hasProgram: () => false })
  expect(lines).toEqual([expect.stringContaining('darwin')])
})
