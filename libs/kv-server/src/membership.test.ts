import { createStore } from '@cluster/kv-store/v2'
import { describe, expect, it } from 'vitest'
import {
  addMemberCommand,
  clusterIdOf,
  clusterVersionCommand,
  clusterVersionOf,
  isRemovedMember,
  memberIdOf,
  parseMemberId,
  publishMemberCommand,
  readMember,
  readMembers,
  renderMember,
  updateMemberCommand,
} from './membership.ts'

describe('ids', () => {
  const three = ['http://10.0.0.1:2380', 'http://10.0.0.2:2380', 'http://10.0.0.3:2380']
  const local = [23891, 23892, 23893].map((port) => `http://127.0.0.1:${port}`)

  it.each([
    [[['http://localhost:7001', 'http://localhost:2380']], 'etcd-cluster', ['ce2a822cea30bfca'], '7e27652122e8b2ae'],
    [[['http://localhost:2380']], 'etcd-cluster', ['8e9e05c52164694d'], 'cdf818194e3a8c32'],
    [[['http://127.0.0.1:2380']], 'etcd-cluster', ['b71f75320dc06a6c'], '1c45a069f3a1d796'],
    [
      three.map((url) => [url]),
      'etcd-cluster',
      ['3ebc01aec68d6d70', 'ee274cacce804b21', 'fe9c64eaf3991d47'],
      'cd11e86392339c47',
    ],
    [
      three.map((url) => [url]),
      'tok-1',
      ['e765e731bd1bb1a3', '2c0c6d88bcd586cc', '54c29dbd063cc6d'],
      '60418e96a4f95d7b',
    ],
    [
      local.map((url) => [url]),
      'etcd-cluster',
      ['60f98d3b71ac64f3', 'c0234bda4e532fe', '611c8d2cc8acb42d'],
      '2f0532d7d7614065',
    ],
  ])('of %j with the token %s', (members, clusterToken, ids, clusterId) => {
    const made = members.map((urls) => memberIdOf(urls, { clusterToken }))
    expect([made, clusterIdOf(made)]).toEqual([ids, clusterId])
  })

  it('of a member that is added later take the time in', () => {
    const id = memberIdOf(['http://10.9.8.7:2380'], { clusterToken: '', addedSeconds: 1795219715 })
    expect(id).toBe('6226eb7756e626fd')
  })

  it.each([
    ['1234', '1234'],
    ['00001234', '1234'],
    ['ABCD', 'abcd'],
    ['0', '0'],
    ['000', '0'],
    ['ffffffffffffffff', 'ffffffffffffffff'],
    ['0ffffffffffffffff', 'ffffffffffffffff'],
    ['11112222333344445', undefined],
    ['xyz', undefined],
    ['', undefined],
    ['12/34', undefined],
    ['0x12', undefined],
    ['-1', undefined],
  ])('are read: %j is %s', (text, id) => expect(parseMemberId(text)).toBe(id))
})

describe('members', () => {
  const at = { index: 1, timeMs: 0 }

  it('stand in the store as etcd keeps them', () => {
    const store = createStore()
    store.apply(addMemberCommand('8e9e05c52164694d', ['http://a:1']), at)
    store.apply(publishMemberCommand('8e9e05c52164694d', { name: 'n', clientUrls: ['http://a:2'] }), at)
    store.apply(clusterVersionCommand('2.3.0'), at)
    expect(store.index).toBe(3)
    expect(store.valueOf('/0/members/8e9e05c52164694d/raftAttributes')).toBe('{"peerURLs":["http://a:1"]}')
    expect(store.valueOf('/0/members/8e9e05c52164694d/attributes')).toBe('{"name":"n","clientURLs":["http://a:2"]}')
    expect([store.valueOf('/0/version'), clusterVersionOf(store)]).toEqual(['2.3.0', '2.3.0'])
  })

  it('leave out what is empty', () => {
    expect(publishMemberCommand('1', { name: '', clientUrls: [] })).toMatchObject({ value: '{}' })
  })

  it('are read in the order of their numbers, started or not', () => {
    const store = createStore()
    for (const id of ['e765e731bd1bb1a3', '54c29dbd063cc6d', '2c0c6d88bcd586cc']) {
      store.apply(addMemberCommand(id, [`http://${id}:1`]), at)
    }
    store.apply(publishMemberCommand('2c0c6d88bcd586cc', { name: '\xc3\xa9<"', clientUrls: ['http://c:2'] }), at)
    store.apply(updateMemberCommand('54c29dbd063cc6d', ['http://x:1', 'http://y:1']), at)
    expect(readMembers(store).map(renderMember)).toEqual([
      '{"id":"54c29dbd063cc6d","name":"","peerURLs":["http://x:1","http://y:1"],"clientURLs":[]}',
      '{"id":"2c0c6d88bcd586cc","name":"\xc3\xa9\\u003c\\"","peerURLs":["http://2c0c6d88bcd586cc:1"],"clientURLs":["http://c:2"]}',
      '{"id":"e765e731bd1bb1a3","name":"","peerURLs":["http://e765e731bd1bb1a3:1"],"clientURLs":[]}',
    ])
  })

  it('that are not there or were removed are told apart', () => {
    const store = createStore()
    const removed = { kind: 'create', path: '/0/removed_members/12', value: '', isDirectory: false } as const
    store.apply({ ...removed, deadlineMs: undefined }, at)
    expect([readMember(store, '12'), readMembers(store), clusterVersionOf(store)]).toEqual([undefined, [], undefined])
    expect([isRemovedMember(store, '12'), isRemovedMember(store, '13')]).toEqual([true, false])
  })
})
