import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Assignment,
  addReset,
  appendValue,
  literalValue,
  removeAssignments,
  setCommand,
  setValue,
  wrapCommand,
} from './edit.ts'
import { parseUnitFile, renderUnitFile, type UnitFile } from './source.ts'
import { relaxedWords, splitWords } from './words.ts'

const text = (result: ReturnType<typeof setValue>): string => {
  if (!result.ok) throw new Error(result.error.message)
  return renderUnitFile(result.value)
}
const set = (source: string, section: string, key: string, value: string): string =>
  text(setValue(parseUnitFile(source), { section, key, value }))

describe('setValue', () => {
  it('changes the last assignment of a plain key and nothing else', () => {
    expect(set('[Unit]\nDescription=a\n # note\n  Description = b  \r\nWants=x\n', 'Unit', 'Description', 'c')).toBe(
      '[Unit]\nDescription=a\n # note\n  Description = c\r\nWants=x\n',
    )
  })

  it('replaces a continued value as a whole and keeps the comments inside above it', () => {
    expect(set('[Service]\nUser=a \\\n# why\n  b\nNice=1\n', 'Service', 'User', 'c')).toBe(
      '[Service]\n# why\nUser=c\nNice=1\n',
    )
  })

  it('replaces a list from its last reset on', () => {
    const source = '[Service]\nEnvironment=A=1\nEnvironment=\nEnvironment=B=1\nNice=1\nEnvironment=C=1\n'
    expect(set(source, 'Service', 'Environment', 'D=1')).toBe(
      '[Service]\nEnvironment=A=1\nEnvironment=\nEnvironment=D=1\nNice=1\n',
    )
    expect(set('[Service]\nEnvironment=A=1\nEnvironment=\nNice=1', 'Service', 'Environment', 'D=1')).toBe(
      '[Service]\nEnvironment=A=1\nEnvironment=\nEnvironment=D=1\nNice=1',
    )
  })

  it('puts a new key behind the last assignment of the last section of that name', () => {
    expect(set('[Service]\nA=1\n[Unit]\n[Service]\nB=1\n\n# end\n[Install]\n', 'Service', 'User', 'u')).toBe(
      '[Service]\nA=1\n[Unit]\n[Service]\nB=1\nUser=u\n\n# end\n[Install]\n',
    )
  })

  it('puts a new section before [Install] and closing X- sections, and above their comments', () => {
    expect(set('[Unit]\nA=1\n\n# start at boot\n[Install]\nB=1\n\n[X-Fleet]\n', 'Service', 'User', 'u')).toBe(
      '[Unit]\nA=1\n\n[Service]\nUser=u\n\n# start at boot\n[Install]\nB=1\n\n[X-Fleet]\n',
    )
    expect(set('[Unit]\nA=1\n[X-Fleet]\nGlobal=true\n', 'Install', 'WantedBy', 'x.target')).toBe(
      '[Unit]\nA=1\n\n[Install]\nWantedBy=x.target\n\n[X-Fleet]\nGlobal=true\n',
    )
    expect(set('[Unit]\r\nA = 1', 'X-Fleet', 'Global', 'true')).toBe(
      '[Unit]\r\nA = 1\r\n\r\n[X-Fleet]\r\nGlobal = true\r\n',
    )
    expect(set('', 'Unit', 'Description', 'x')).toBe('[Unit]\nDescription=x\n')
  })

  it('ends an open continuation at the end of the file first', () => {
    expect(set('[Unit]\nDescription=a \\', 'Unit', 'Wants', 'x.service')).toBe(
      '[Unit]\nDescription=a \\\n\nWants=x.service\n',
    )
  })

  it.each([
    ['Unit', 'Description', 'a\nb', 'bad-value'],
    ['Unit', 'Description', ' a', 'bad-value'],
    ['Unit', 'Description', 'a\\', 'bad-value'],
    ['Unit', 'Description', '\udc80', 'bad-value'],
    ['Unit', 'A=B', 'x', 'bad-key'],
    ['Unit', '#A', 'x', 'bad-key'],
    ['Un]it', 'A', 'x', 'bad-section'],
  ])('refuses [%s] %s=%j: %s', (section, key, value, kind) => {
    expect(setValue(parseUnitFile(''), { section, key, value })).toMatchObject({ ok: false, error: { kind } })
  })
})

describe('appendValue', () => {
  it('comes below the last one of the same key, as far in', () => {
    const source = '[Service]\n  Environment=A=1\nNice=1\n'
    expect(text(appendValue(parseUnitFile(source), { section: 'Service', key: 'Environment', value: 'B=1' }))).toBe(
      '[Service]\n  Environment=A=1\n  Environment=B=1\nNice=1\n',
    )
  })
})

describe('removeAssignments', () => {
  const source = '[Unit]\nA=1\n\n# about B\nB=1\n\nB=2\n'

  it('leaves comments, and joins blank runs', () => {
    expect(text(removeAssignments(parseUnitFile(source), { section: 'Unit', key: 'B', value: '2' }))).toBe(
      '[Unit]\nA=1\n\n# about B\nB=1\n\n',
    )
    expect(text(removeAssignments(parseUnitFile(source), { section: 'Unit', key: 'B', comments: 'removed' }))).toBe(
      '[Unit]\nA=1\n\n',
    )
  })

  it('says when there is nothing to remove', () => {
    expect(removeAssignments(parseUnitFile(source), { section: 'Unit', key: 'C' })).toMatchObject({
      error: { kind: 'not-found' },
    })
  })
})

describe('addReset', () => {
  it('takes back a list of a lower file', () => {
    expect(text(addReset(parseUnitFile(''), 'Service', 'ExecStart'))).toBe('[Service]\nExecStart=\n')
  })

  it.each([
    ['Unit', 'After'],
    ['Service', 'RemainAfterExit'],
  ])('refuses [%s] %s, where an empty value takes nothing back', (section, key) => {
    expect(addReset(parseUnitFile(''), section, key)).toMatchObject({ error: { kind: 'cannot-reset' } })
  })
})

it.each([
  ['Service', 'Environment', 'A=100% "x"', '"A=100%% \\"x\\""'],
  ['Unit', 'Description', '"100%"', '"100%%"'],
  ['Unit', 'Unknown', '100% x', '100% x'],
])('[%s] %s means %j when it is written %j', (section, key, meant, written) => {
  expect(literalValue(section, key, meant)).toBe(written)
})

describe('setCommand', () => {
  const file = parseUnitFile('[Service]\nExecStart=/bin/old\nNice=1\n')
  const command = (value: string, columns?: number) =>
    setCommand(file, { section: 'Service', key: 'ExecStart', value }, columns)

  it('wraps between words only', () => {
    expect(text(command('/bin/sh -c "a text that stays whole" --option ; /bin/echo --x', 40))).toBe(
      [
        '[Service]',
        'ExecStart=/bin/sh -c \\',
        '    "a text that stays whole" --option ; \\',
        '    /bin/echo --x',
        'Nice=1\n',
      ].join('\n'),
    )
  })

  it('keeps the words of every command', () => {
    const word = fc.constantFrom('/bin/x', '"a b"', "'c'", ';', '#', 'a\\ ', 'b\\\\', '--long-option=value', '$X', '""')
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 9 }), (words) => {
        const value = words.join(' ').trimEnd()
        const edited = command(value, 20)
        if (!edited.ok) return
        const [joined] = assignmentsOf(edited.value).map((assignment) => assignment.value)
        expect(splitWords(joined ?? '', relaxedWords)).toEqual(splitWords(value, relaxedWords))
      }),
    )
  })

  it('is for commands', () => {
    const user = { section: 'Service', key: 'User', value: 'x' }
    expect(setCommand(file, user)).toMatchObject({ error: { kind: 'bad-key' } })
  })
})

const assignmentsOf = (file: UnitFile): readonly (Assignment & { readonly section: string })[] =>
  file.blocks.flatMap((block) =>
    block.kind === 'assignment' ? [{ section: block.section ?? '', key: block.key, value: block.value }] : [],
  )

describe('of any file', () => {
  const line = fc.constantFrom(
    '[Unit]',
    '[Service]',
    '[Install]',
    '[X-Fleet]',
    'Description=a',
    ' Description = b c ',
    'Environment=A=1',
    'Environment=',
    'Environment=B=1 \\',
    'After=x.service',
    'Conflicts=x',
    '\ufeffDescription=m',
    '# note',
    '; note \\',
    '',
    '  ',
    ' \\',
    'junk',
    '=x',
    'Descr\\',
    'iption=split',
  )
  const end = fc.constantFrom('\n', '\n', '\r\n', '\r', '\0')
  const source = fc
    .tuple(fc.array(fc.tuple(line, end), { maxLength: 12 }), fc.option(line, { nil: '' }))
    .map(([lines, last]) => lines.map(([content, ending]) => content + ending).join('') + last)
  const target = fc.constantFrom<readonly [string, string]>(
    ['Unit', 'Description'],
    ['Service', 'Environment'],
    ['Unit', 'After'],
    ['X-Fleet', 'Conflicts'],
    ['Unit', 'Custom'],
  )
  const value = fc.constantFrom('new', 'A=2', 'a # b', '[x]', '')
  const without = (file: UnitFile, section: string, key: string): unknown =>
    assignmentsOf(file).filter((assignment) => assignment.section !== section || assignment.key !== key)
  const valuesOf = (file: UnitFile, section: string, key: string): readonly string[] =>
    assignmentsOf(file)
      .filter((assignment) => assignment.section === section && assignment.key === key)
      .map((assignment) => assignment.value)

  it('an edit is that change of the parsed file and no other', () => {
    fc.assert(
      fc.property(source, target, value, (content, [section, key], newValue) => {
        const file = parseUnitFile(content)
        const before = valuesOf(file, section, key)
        const assignment = { section, key, value: newValue }

        const appended = appendValue(file, assignment)
        const changed = setValue(file, assignment)
        const gone = removeAssignments(file, { section, key })
        if (!appended.ok || !changed.ok) throw new Error('the value can be written')
        for (const edited of [appended, changed, ...(gone.ok ? [gone] : [])]) {
          expect(without(edited.value, section, key)).toEqual(without(file, section, key))
          expect(parseUnitFile(renderUnitFile(edited.value))).toEqual(edited.value)
        }
        expect(valuesOf(appended.value, section, key)).toEqual([...before, newValue])
        expect(valuesOf(changed.value, section, key).at(-1)).toBe(newValue)
        if (gone.ok) expect(valuesOf(gone.value, section, key)).toEqual([])
        else expect(before).toEqual([])
      }),
      {
        numRuns: 1000,
        examples: [['[Unit]\n \\\n\ufeffDescription=m\n\ufeffDescription=m\n', ['Unit', 'Description'], 'new']],
      },
    )
  })

  it('nothing throws', () => {
    const any = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(any, any, any, any, (content, section, key, newValue) => {
        const file = parseUnitFile(content)
        setValue(file, { section, key, value: newValue })
        appendValue(file, { section, key, value: newValue })
        removeAssignments(file, { section, key, comments: 'removed' })
        addReset(file, section, key)
        literalValue(section, key, newValue)
        wrapCommand(newValue)
      }),
    )
  })
})
