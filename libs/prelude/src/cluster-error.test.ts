import { describe, expect, it } from 'vitest'
import { ClusterError, describeError, isClusterError } from './cluster-error.ts'

class StoreError extends ClusterError<'store/gone' | 'store/full'> {
  override readonly name = 'StoreError'
}

describe('isClusterError', () => {
  const error = new StoreError('store/gone', 'the store is gone')
  it('knows a cluster error by its code', () => expect(isClusterError(error, 'store/gone')).toBe(true))
  it('tells codes apart', () => expect(isClusterError(error, 'store/full')).toBe(false))
  it.each([
    [new Error('plain')],
    [Object.assign(new Error('errno'), { code: 'ENOENT' })],
    ['text'],
    [undefined],
    [null],
  ])('takes %s for none', (other) => expect(isClusterError(other)).toBe(false))
  it('knows one that another copy of this package made', () => {
    const foreign = Object.assign(new Error('m'), { code: 'store/gone', hint: undefined })
    expect(isClusterError(foreign, 'store/gone')).toBe(true)
  })
})

describe('describeError', () => {
  it('says what, why and what to do, one line each', () => {
    const cause = new Error('connect ECONNREFUSED 127.0.0.1:2379')
    const error = new StoreError('store/gone', 'no endpoint answered', { hint: 'start the store', cause })
    expect(describeError(error)).toEqual([
      'no endpoint answered',
      'connect ECONNREFUSED 127.0.0.1:2379',
      'start the store',
    ])
  })
  it('says no text twice', () => {
    const error = new Error('open /a: no such file', { cause: new Error('no such file') })
    expect(describeError(error)).toEqual(['open /a: no such file'])
  })
  it('takes the hint nearest to the caller', () => {
    const cause = new StoreError('store/full', 'disk full', { hint: 'inner' })
    expect(describeError(new StoreError('store/gone', 'gone', { hint: 'outer', cause })).at(-1)).toBe('outer')
  })
  it('ends on a circle of causes', () => {
    const first = new Error('first')
    const second = new Error('second', { cause: first })
    first.cause = second
    expect(describeError(first)).toEqual(['first', 'second'])
  })
  it('joins what an empty aggregate collected', () => {
    expect(describeError(new AggregateError([new Error('a'), new Error('b')]))).toEqual(['a; b'])
  })
  it('prints what is not an error', () => expect(describeError('text')).toEqual(['text']))
})
