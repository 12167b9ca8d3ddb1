import { describe, expect, it } from 'vitest'
import { renderTable } from './table.ts'

// Expected texts are recorded ones: vectors/fleetctl/02-lists.json.
describe('a table', () => {
  it('fills columns with TABs up to the next multiple of eight, the last one not at all', () => {
    const rows = [
      ['UNIT', 'MACHINE', 'ACTIVE', 'SUB'],
      ['g.service', '0123abcd.../10.77.0.1', 'active', 'running'],
      ['loaded.service', '0123abcd.../10.77.0.1', 'inactive', 'dead'],
    ]
    expect(renderTable(rows)).toBe(
      'UNIT\t\tMACHINE\t\t\tACTIVE\t\tSUB\n' +
        'g.service\t0123abcd.../10.77.0.1\tactive\t\trunning\n' +
        'loaded.service\t0123abcd.../10.77.0.1\tinactive\tdead\n',
    )
  })

  it('of a heading alone has one TAB between short names', () => {
    expect(renderTable([['UNIT', 'HASH', 'DSTATE']])).toBe('UNIT\tHASH\tDSTATE\n')
  })

  it('begins a new block where rows without the column come between', () => {
    const rows = [['a', 'b', 'c'], ['x'], ['long enough', 'b', 'c']]
    expect(renderTable(rows)).toBe('a\tb\tc\nx\nlong enough\tb\tc\n')
  })

  it('gives an empty cell the room of one TAB', () => {
    const rows = [
      ['', 'cat', 'Print'],
      ['', 'list-unit-files', 'List'],
    ]
    expect(renderTable(rows)).toBe('\tcat\t\tPrint\n\tlist-unit-files\tList\n')
  })

  it('counts characters, not bytes', () => {
    expect(
      renderTable([
        ['äöüäöü', 'x'],
        ['abcdefg', 'x'],
      ]),
    ).toBe('äöüäöü\tx\nabcdefg\tx\n')
  })

  it('of nothing is nothing', () => expect(renderTable([])).toBe(''))
})
