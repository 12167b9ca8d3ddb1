import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareBytes, createUnitTree, isMask } from './unit-tree.ts'

const tree = createUnitTree([
  { path: '/a/file', content: 'x' },
  { path: '/a/empty', content: '' },
  { path: '/a/null', link: '/dev/null' },
  { path: '/a/up', link: '../b/deep/target' },
  { path: '/b/deep/target', content: 'y' },
  { path: '/c', link: 'b/deep' },
  { path: '/loop1', link: 'loop2' },
  { path: '/loop2', link: '/loop1' },
  { path: '/dangling', link: '/no/where' },
])

describe('createUnitTree', () => {
  it('follows links in the middle and at the end of a path', () => {
    expect(tree.follow('/a/up')).toEqual({ kind: 'file', content: 'y' })
    expect(tree.look('/c/target')).toEqual({ kind: 'file', content: 'y' })
    expect(tree.look('/a/up')).toEqual({ kind: 'link', target: '../b/deep/target' })
    expect(tree.realPath('/c/../deep/target')).toBe('/b/deep/target')
  })

  it('knows where a dangling link leads, and that a circle leads nowhere', () => {
    expect(tree.realPath('/dangling')).toBe('/no/where')
    expect(tree.follow('/dangling')).toBeUndefined()
    expect(tree.realPath('/loop1')).toBeUndefined()
  })

  it('lists directories in the order of bytes', () => {
    expect(tree.list('/a')).toEqual(['empty', 'file', 'null', 'up'])
    expect(tree.list('/c')).toEqual(['target'])
    expect(tree.list('/a/file')).toEqual([])
  })

  it.each([
    ['/a/empty', true],
    ['/a/null', true],
    ['/a/file', false],
    ['/dangling', false],
  ])('%s is a mask: %s', (path, mask) => expect(isMask(tree.follow(path))).toBe(mask))

  it('takes any paths', () => {
    const entry = fc.record({ path: fc.string(), link: fc.string() })
    fc.assert(
      fc.property(fc.array(entry), fc.string(), (entries, path) => {
        const any = createUnitTree(entries)
        for (const look of [any.look, any.follow, any.realPath, any.realParentPath, any.list]) look(path)
      }),
    )
  })
})

it('compares by bytes where UTF-16 has another order', () => {
  expect(['\u{1f600}', '\uff5e', 'é', 'a', 'ab', ''].sort(compareBytes)).toEqual([
    '',
    'a',
    'ab',
    'é',
    '\uff5e',
    '\u{1f600}',
  ])
})
