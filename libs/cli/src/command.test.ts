import { describe, expect, it } from 'vitest'
import { type Command, type CommandLine, parseCommandLine } from './command.ts'

const command = (name: string, flags: Command<null>['flags'] = {}): Command<null> => ({
  name,
  summary: `${name} things`,
  usage: `${name} THING...`,
  description: `Does ${name}.`,
  examples: [],
  flags,
  usageExitCode: 2,
  load: async () => async () => 0,
})

const line: CommandLine<null> = {
  program: 'tool',
  version: '1.2.3',
  summary: 'A tool.',
  environmentPrefix: 'TOOL_',
  usageExitCode: 0,
  flags: {
    endpoint: { kind: 'string', default: 'here', summary: 'Where' },
    strict: { kind: 'boolean', default: true, summary: 'Whether' },
    'wait-time': { kind: 'float', default: 3, summary: 'How long' },
  },
  commands: [
    command('list-a', { fields: { kind: 'string', default: 'a,b', summary: 'Which' } }),
    command('list-b'),
    command('start', {
      'no-block': { kind: 'boolean', default: false, summary: 'Whether' },
      attempts: { kind: 'int', default: 0, summary: 'How often' },
      form: { kind: 'string', default: 'x', choices: ['x', 'y'], summary: 'How' },
      label: { kind: 'string', default: '', repeats: true, summary: 'Which' },
    }),
    command('status'),
    { ...command('secret'), hidden: true },
  ],
}

const run = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const parsed = parseCommandLine(line, argv, env)
  if (parsed.kind !== 'run') throw new Error(`${parsed.kind}: ${JSON.stringify(parsed)}`)
  return { name: parsed.command.name, args: parsed.invocation.args, flags: parsed.invocation.flags }
}

describe('the command', () => {
  it.each([
    [['start', 'a'], 'start', ['a']],
    [['sta'], undefined, []],
    [['star', 'a', 'b'], 'start', ['a', 'b']],
    [['list-a'], 'list-a', []],
    [['--endpoint', 'start', 'status', 'start'], 'status', ['start']],
    [['--strict', 'status'], 'status', []],
    [['start', 'start'], 'start', ['start']],
  ])('of %j is %s', (argv, name, args) => {
    const parsed = parseCommandLine(line, argv)
    if (name === undefined) return expect(parsed.kind).toBe('unknown-command')
    expect(run(argv)).toMatchObject({ name, args })
  })

  it('is suggested when a letter is wrong or the beginning fits several, hidden ones never', () => {
    expect(parseCommandLine(line, ['lst-a'])).toEqual({
      kind: 'unknown-command',
      word: 'lst-a',
      suggestions: ['list-a', 'list-b'],
    })
    expect(parseCommandLine(line, ['s'])).toMatchObject({ suggestions: ['start', 'status'] })
  })
})

describe('flags', () => {
  it('that repeat are joined, of others the last one counts', () => {
    const { flags } = run(['start', '--label', 'a=1', '--label=b=2', '--form', 'y', '--form', 'x'])
    expect([flags.text('label'), flags.text('form')]).toEqual(['a=1,b=2', 'x'])
  })

  it('stand ahead of the command, behind it, and behind its words', () => {
    const { flags, args } = run([
      '--endpoint',
      'there',
      'start',
      'a',
      '--attempts=3',
      'b',
      '--no-block',
      '--strict=false',
    ])
    expect(args).toEqual(['a', 'b'])
    expect([flags.text('endpoint'), flags.number('attempts')]).toEqual(['there', 3])
    expect([flags.boolean('no-block'), flags.boolean('strict')]).toEqual([true, false])
  })

  it('that are switches never take the next word', () => {
    expect(run(['start', '--no-block', 'a']).args).toEqual(['a'])
  })

  it('have defaults and tell whether they were given', () => {
    const { flags } = run(['start', '--attempts', '0'])
    expect([flags.given('attempts'), flags.given('form'), flags.text('form')]).toEqual([true, false, 'x'])
  })

  it('end at --', () => expect(run(['start', '--', '--no-block']).args).toEqual(['--no-block']))

  it('take their value from the environment, unless that is empty or the flag is given', () => {
    expect(run(['status'], { TOOL_ENDPOINT: 'there' }).flags.text('endpoint')).toBe('there')
    expect(run(['status'], { TOOL_ENDPOINT: '' }).flags.text('endpoint')).toBe('here')
    expect(run(['status', '--endpoint', 'x'], { TOOL_ENDPOINT: 'there' }).flags.text('endpoint')).toBe('x')
    expect(run(['status'], { TOOL_WAIT_TIME: '1.5' }).flags.number('wait-time')).toBe(1.5)
  })

  it.each([
    [['start', '--nosuch'], 'unknown flag: --nosuch'],
    [['--nosuch=1', 'start'], 'unknown flag: --nosuch'],
    [['start', '-full'], "unknown shorthand flag: 'f' in -full"],
    [['start', '--endpoint'], 'flag needs an argument: --endpoint'],
    [['start', '--attempts=x'], 'invalid argument "x" for --attempts=x: strconv.ParseInt: parsing "x": invalid syntax'],
    [
      ['--wait-time=abc', 'start'],
      'invalid argument "abc" for --wait-time=abc: strconv.ParseFloat: parsing "abc": invalid syntax',
    ],
    [['start', '--no-block=maybe'], expect.stringContaining('strconv.ParseBool')],
    [['start', '--form', 'z'], 'invalid argument "z" for --form=z: must be one of x, y'],
  ])('%j is refused', (argv, message) => {
    expect(parseCommandLine(line, argv)).toMatchObject({ kind: 'wrong-flag', message })
  })
})

it.each([
  [[], { kind: 'no-command' }],
  [['-v'], { kind: 'version' }],
  [['--version', 'x'], { kind: 'version' }],
  [['status', '--version'], { kind: 'run' }],
  [['-h'], { kind: 'help' }],
  [['--h'], { kind: 'help' }],
  [['help'], { kind: 'help' }],
  [['help', 'start'], { kind: 'help', command: { name: 'start' } }],
  [['start', '--help'], { kind: 'help', command: { name: 'start' } }],
  [['help', 'nosuch'], { kind: 'unknown-help-topic', topic: 'nosuch' }],
])('%j asks for %j', (argv, expected) => expect(parseCommandLine(line, argv)).toMatchObject(expected))
