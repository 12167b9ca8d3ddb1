import { expect, it } from 'vitest'
import { storeKind } from './store-program.ts'

it.each([
  [{}, 'kvd'],
  [{ CLUSTER_LAB_STORE: '' }, 'kvd'],
  [{ CLUSTER_LAB_STORE: 'kvd' }, 'kvd'],
  [{ CLUSTER_LAB_STORE: 'etcd' }, 'etcd'],
])('the environment %j asks for %s', (environment, kind) => expect(storeKind(environment)).toBe(kind))

it('names the stores that there are when another is asked for', () => {
  expect(() => storeKind({ CLUSTER_LAB_STORE: 'zookeeper' })).toThrow(
    expect.objectContaining({ code: 'lab/bad-name', hint: expect.stringContaining('kvd') }),
  )
})
