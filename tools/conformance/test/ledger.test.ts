import { describe, expect, it } from 'vitest'
import { compareAnswers } from '../src/differential/compare.ts'
import { Ledger, numberedValue, numberIn } from '../src/kill/ledger.ts'

describe('the ledger', () => {
  const written = (): Ledger => {
    const ledger = new Ledger()
    ledger.sendPut('/a')
    ledger.acknowledgePut('/a', 1, 10)
    ledger.sendPut('/a')
    return ledger
  }
  it.each([
    ['the acknowledged write', new Map([['/a', numberedValue(1, 3)]]), 10, []],
    ['a later one that was sent', new Map([['/a', numberedValue(2, 3)]]), 11, []],
    ['nothing', new Map(), 10, ['/a: number 1 was acknowledged, and the key is gone']],
    ['half a value', new Map([['/a', '2:3:xx']]), 11, ['/a: its value is not whole: 2:3:xx (6 bytes)']],
    ['what was never sent', new Map([['/a', numberedValue(3, 0)]]), 11, ['/a: number 3 was never sent']],
    [
      'a key of nobody',
      new Map([
        ['/a', numberedValue(1, 3)],
        ['/b', 'x'],
      ]),
      11,
      ['/b was never written'],
    ],
    ['an older index', new Map([['/a', numberedValue(1, 3)]]), 9, ['the index is 9, and 10 was acknowledged']],
  ])('takes %s for what it is', (_, tree, index, wrong) => expect(written().check(tree, index)).toEqual(wrong))

  it('knows removals, answered or not', () => {
    const ledger = written()
    ledger.sendDelete('/a')
    expect(ledger.check(new Map(), 12)).toEqual([])
    ledger.sendPut('/a')
    ledger.acknowledgePut('/a', 3, 13)
    ledger.sendDelete('/a')
    ledger.acknowledgeDelete('/a', 14)
    expect(ledger.check(new Map([['/a', numberedValue(3, 0)]]), 14)).toEqual([
      '/a: its removal was acknowledged, and it holds 3',
    ])
  })

  it('reads back its own values', () =>
    expect([numberIn(numberedValue(7, 9)), numberIn('7:9:x')]).toEqual([7, undefined]))
})

describe('the comparison', () => {
  const answer = (body: string, headers: Record<string, string> = {}) => ({ status: 200, headers, body })
  it('does not mind times and the order of listings, at any level', () => {
    const one = answer('{"nodes":[{"key":"a","ttl":5,"expiration":"x"},{"key":"b","nodes":[{"k":"1]"},{"k":"2"}]}]}\n')
    const other = answer(
      '{"nodes":[{"key":"b","nodes":[{"k":"2"},{"k":"1]"}]},{"key":"a","ttl":4,"expiration":"y"}]}\n',
    )
    expect(compareAnswers(one, other)).toEqual([])
  })
  it.each([
    [answer('{"a":1,"b":2}'), answer('{"b":2,"a":1}'), 'body'],
    [answer('{"ttl":5}'), answer('{"ttl":9}'), 'ttl'],
    [answer('"\\u003c"'), answer('"<"'), 'body'],
    [answer('', { 'x-etcd-index': '1' }), answer('', { 'x-etcd-index': '2' }), 'header x-etcd-index'],
    [answer('', { 'x-raft-index': '1' }), answer(''), 'header x-raft-index is there'],
  ])('sees that %j is not %j', (one, other, at) =>
    expect(compareAnswers(one, other).map((found) => found.at)).toEqual([at]),
  )
})
