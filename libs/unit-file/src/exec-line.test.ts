// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how systemd writes variables
import { ok } from '@cluster/prelude'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commandArguments, expandArguments, parseEnvironmentFile } from './exec-environment.ts'
import { parseExecLine } from './exec-line.ts'

const verbatim = (word: string) => ok(word)

describe('command lines', () => {
  it('holds several commands, each with its own prefixes', () => {
    expect(parseExecLine('-/bin/a x ; @/bin/b zero \\; ";" ; +c', verbatim)).toEqual({
      commands: [
        { path: '/bin/a', argv: ['/bin/a', 'x'], flags: ['ignore-failure'] },
        { path: '/bin/b', argv: ['zero', ';', ';'], flags: [] },
        { path: 'c', argv: ['c'], flags: ['privileged'] },
      ],
      findings: [],
      fatal: false,
    })
  })

  it.each([
    ['bin/a', 'error', 'Neither a valid executable name nor an absolute path: bin/a'],
    ['-bin/a', 'warning', 'Neither a valid executable name nor an absolute path, ignoring: bin/a'],
    ['/bin/a/', 'error', 'Executable path specifies a directory: /bin/a/'],
    ['@/bin/a', 'error', 'Empty executable name or zeroeth argument: @/bin/a'],
    ['- /bin/a', 'warning', "Empty path in command line, ignoring: '- /bin/a'"],
    ['/bin/a "x', 'error', 'Unbalanced quoting, ignoring: "/bin/a "x"'],
  ])('%s is refused', (line, priority, text) => {
    expect(parseExecLine(line, verbatim)).toEqual({
      commands: [],
      findings: [{ priority, text }],
      fatal: priority === 'error',
    })
  })

  it('never throws', () => {
    const lines = fc
      .array(fc.constantFrom('-', '@', '!', '/bin/a', ' ', ';', '\\', '"', '%', '$', 'x'))
      .map((parts) => parts.join(''))
    fc.assert(fc.property(lines, (line) => void parseExecLine(line, verbatim)))
  })
})

const environment = new Map([
  ['X', 'one'],
  ['Y', 'two  words'],
  ['Q', '"a b" c'],
])

describe('variables', () => {
  it.each([
    ['$Y', ['two', 'words']],
    ['${Y}', ['two  words']],
    ['$Q', ['a b', 'c']],
    ['a$X', ['a$X']],
    ['a${X}b', ['aoneb']],
    ['$X-b', []],
    ['$NOPE', []],
    ['${NOPE}', ['']],
    ['$$X', ['$X']],
    ['$$${X}', ['$one']],
    ['${X:-d}', ['${X:-d}']],
    ['${X', ['${X']],
  ])('%s becomes %j', (word, words) => expect(expandArguments([word], environment)).toEqual(words))

  it('leaves arguments alone under the colon prefix', () => {
    const [command] = parseExecLine(':/bin/a $X', verbatim).commands
    expect(command && commandArguments(command, environment)).toEqual(['/bin/a', '$X'])
  })
})

describe('environment files', () => {
  it('reads quotes, continuations and comments', () => {
    const text = '# c\nA= plain text # x \nB="q \\"x\\" $Y"\nC=\'s \\n\'\nD=con\\\ntinued\nA2=1\nA2=2\n'
    expect([...parseEnvironmentFile(text).environment]).toEqual([
      ['A', 'plain text # x'],
      ['B', 'q "x" $Y'],
      ['C', 's \\n'],
      ['D', 'continued'],
      ['A2', '2'],
    ])
  })

  it('names what is no assignment and skips lines without one', () => {
    expect(parseEnvironmentFile('export A=1\nB\n=x\n1C=2\nD=4')).toEqual({
      environment: new Map([['D', '4']]),
      invalid: ['export A=1', '1C=2'],
    })
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseEnvironmentFile(bytes)))
  })
})
