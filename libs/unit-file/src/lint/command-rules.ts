/** Commands: UF042 to UF055. Rules: spec/unit-files.md §4.1, §4.2. */
import { parseExecLine } from '../exec-line.ts'
import { escapedWords, splitWords } from '../words.ts'
import type { Complaint, LintContext, LintFix } from './finding.ts'
import {
  isOn,
  type LintedAssignment,
  type LintedFile,
  type LintedUnit,
  ownSection,
  settingOf,
  valuesOf,
} from './linted-unit.ts'
import { removeBlock, replaceRange, replaceValue, valueRange } from './place.ts'
import type { LintRule } from './rule.ts'
import { placedSpecifiers } from './specifiers-in-place.ts'
import { type PlacedCommand, type PlacedWord, placedCommands, wordRange } from './words-in-place.ts'

const fix = (title: string, ...edits: LintFix['edits']): LintFix => ({ title, edits })
const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text)
const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

const commandsOf = ({ assignments }: LintedFile): readonly LintedAssignment[] =>
  assignments.filter(({ option, value }) => option.type === 'command' && value !== '')

/** What systemd itself says of a command line. */
function* unreadableCommands(file: LintedFile, unit: LintedUnit): Iterable<Complaint> {
  for (const { block, key, value } of commandsOf(file)) {
    const first = placedCommands(block)[0]
    const texts = parseExecLine(value, unit.expand).findings.map(({ text }) => text)
    // there is one complaint for each word, and each escape has its own place
    if (texts.some((text) => /unknown escape/.test(text))) yield* unknownEscapes(block)
    for (const text of texts.filter((said) => !/unknown escape/.test(said))) {
      // said by the rule about specifiers
      if (/^Failed to resolve/.test(text)) {
        if (unit.parts?.kind !== 'template' && placedSpecifiers(value).every(({ letter }) => 'IPJf'.includes(letter))) {
          yield {
            id: 'UF031',
            range: valueRange(block),
            message: `specifiers in ${key}= have no value here, and the unit is refused`,
            remedy: 'use %p or %i, which always have one',
          }
        }
      } else if (/^Unbalanced/.test(text)) {
        const quote = /["']/.exec(value)
        yield {
          id: 'UF044',
          range: valueRange(block, quote?.index),
          message: `a quote in ${key}=${shortened(value)} does not end, and the unit is refused`,
          remedy: 'close the quote',
        }
      } else if (first?.program.includes('$') === true) {
        yield {
          id: 'UF051',
          range: wordRange(first.first),
          message: `${first.program}: variables are not put into the path of a program, and the unit is refused`,
          remedy: 'write the path, or start it by /usr/bin/env',
        }
      } else {
        yield {
          id: 'UF042',
          range: first === undefined ? valueRange(block) : wordRange(first.first),
          message: `${key}=${shortened(value)} does not begin with a program: ${text.charAt(0).toLowerCase()}${text.slice(1)}`,
          remedy: 'write the absolute path of the program, or its plain name',
        }
      }
    }
  }
}

function* unknownEscapes(block: LintedAssignment['block']): Iterable<Complaint> {
  const { value } = block
  for (const { index, 0: written } of value.matchAll(/\\(?:x[\da-f]{2}|u[\da-f]{4}|U[\da-f]{8}|[0-3][0-7]{2}|.)/gis)) {
    if (written.length > 2 || /\\[abfnrtvs\\"']/.test(written)) continue
    if (written === '\\;' && /(?:^|\s)\\;(?=\s|$)/.test(value.slice(Math.max(0, index - 1)))) continue
    const instead = written === '\\$' ? '$$' : `\\\\${written.slice(1)}`
    const range = valueRange(block, index, index + 2)
    yield {
      id: 'UF048',
      range,
      message: `${written} is no escape: the backslash stays in the word`,
      remedy: `write ${instead}`,
      fix: written === '\\$' ? fix('write $$', replaceRange(range, '$$')) : undefined,
    }
  }
}

/** Where systemd looks for a program without a path. */
const programFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

function* missingPrograms(file: LintedFile, unit: LintedUnit, { isExecutable }: LintContext): Iterable<Complaint> {
  if (isExecutable === undefined || unit.parts?.kind === 'template') return
  const section = ownSection(unit.type)
  if (['RootDirectory', 'RootImage', 'ExecSearchPath'].some((key) => settingOf(unit, section, key) !== undefined))
    return
  for (const { block, value } of commandsOf(file)) {
    const { commands } = parseExecLine(value, unit.expand)
    for (const [index, command] of placedCommands(block).entries()) {
      const path = commands[index]?.path
      if (path === undefined) continue
      const isThere = path.startsWith('/')
        ? isExecutable(path)
        : programFolders.some((folder) => isExecutable(`${folder}/${path}`))
      if (isThere) continue
      yield {
        id: 'UF043',
        range: wordRange(command.first),
        message: `${path} is no program on this machine`,
        remedy: 'install it, or correct the path',
      }
    }
  }
}

const shells = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'busybox'])

/** The script of `sh -c '…'`; absent where the command is none. */
function scriptOf({ program, args }: PlacedCommand): PlacedWord | undefined {
  const isEnv = baseName(program) === 'env'
  const shell = isEnv ? (args.find(({ word }) => !/^-|=/.test(word))?.word ?? '') : program
  if (!shells.has(baseName(shell))) return undefined
  const at = args.findIndex(({ word }) => /^-[a-z]*c[a-z]*$/.test(word))
  return at === -1 ? undefined : args[at + 1]
}

const isShell = (command: PlacedCommand): boolean => scriptOf(command) !== undefined

const isQuoted = ({ raw }: PlacedWord): boolean => /^["']/.test(raw)

function* shellSyntax(file: LintedFile): Iterable<Complaint> {
  for (const { block } of commandsOf(file)) {
    for (const command of placedCommands(block)) {
      if (isShell(command)) continue
      const found = command.args.find((word) => !isQuoted(word) && isOperator(word.raw))
      if (found !== undefined) {
        yield {
          id: 'UF045',
          range: wordRange(found),
          message: `no shell reads this: ${baseName(command.program)} gets “${found.raw}” as an argument`,
          remedy: "write /bin/sh -c '…', or use what systemd has (StandardOutput=, several ExecStart= of a oneshot)",
        }
      }
      for (const word of command.args) {
        if (isQuoted(word) || !/[^\\;];$/.test(word.raw)) continue
        const range = valueRange(block, word.to - 1, word.to)
        yield {
          id: 'UF049',
          range,
          message: `“${word.raw}” is one word: only a “;” between blanks separates commands`,
          remedy: 'put a blank before the “;”, or write another assignment',
          fix: fix('put a blank before it', replaceRange(range, ' ;')),
        }
      }
    }
  }
}

const isOperator = (raw: string): boolean =>
  /^(?:\|\|?|&&|\d?>>?(?:&\d|[^=]*)|&>.*|<|<<.*)$/.test(raw) || /^(?:\$\(|`)/.test(raw)

/** Variables that systemd sets for commands of its own accord. */
const ownVariables =
  /^(?:MAINPID|HOME|USER|LOGNAME|SHELL|PATH|LANG|LC_\w+|TERM|TZ|TMPDIR|PWD|INVOCATION_ID|NOTIFY_SOCKET|JOURNAL_STREAM|SERVICE_RESULT|EXIT_CODE|EXIT_STATUS|MANAGERPID|SYSTEMD_\w+|LISTEN_\w+|WATCHDOG_\w+|MONITOR_\w+|TRIGGER_\w+|XDG_\w+|REMOTE_\w+|PIDFILE|FDSTORE|MEMORY_PRESSURE_\w+|DBUS_SESSION_BUS_ADDRESS|DISPLAY|WAYLAND_DISPLAY|(?:RUNTIME|STATE|CACHE|LOGS|CONFIGURATION|CREDENTIALS)_DIRECTORY)$/

type Variables = { readonly has: (name: string) => boolean; readonly isWhole: boolean }

/** The variables that a unit sets; not whole where files or sessions may set more. */
function variablesOf(unit: LintedUnit): Variables {
  const section = ownSection(unit.type)
  const names = new Set<string>()
  for (const { value } of valuesOf(unit, section, 'Environment')) {
    const words = splitWords(value, escapedWords)
    for (const word of words.ok ? words.value : []) names.add(word.slice(0, word.indexOf('=')))
  }
  for (const { value } of valuesOf(unit, section, 'PassEnvironment')) {
    for (const name of value.split(/\s+/)) names.add(name)
  }
  const mayHaveMore =
    unit.main === undefined ||
    valuesOf(unit, section, 'EnvironmentFile').length > 0 ||
    settingOf(unit, section, 'PAMName') !== undefined
  return { has: (name) => names.has(name) || ownVariables.test(name), isWhole: !mayHaveMore }
}

function* variables(file: LintedFile, unit: LintedUnit): Iterable<Complaint> {
  const known = variablesOf(unit)
  for (const { block, key } of commandsOf(file)) {
    for (const command of placedCommands(block)) {
      if (command.prefixes.includes(':')) continue
      const script = scriptOf(command)
      for (const word of command.args) {
        if (word === script) yield* scriptVariables(block, word, known)
        else yield* wordVariables(block, key, word, known, { inShell: script !== undefined })
      }
    }
  }
}

type Block = LintedAssignment['block']

function* scriptVariables(block: Block, script: PlacedWord, known: Variables): Iterable<Complaint> {
  const doubled = (at: number, length: number, message: string): Complaint => {
    const range = valueRange(block, script.from + at, script.from + at + length)
    return {
      id: 'UF047',
      range,
      message,
      remedy: 'write $$ where the shell is to see a $',
      fix: fix('write $$', replaceRange({ start: range.start, end: range.start }, '$')),
    }
  }
  const lead = /^["']?\$(?=[^$])/.exec(script.raw)
  if (lead !== null && !/^["']?\$(?:\{\w+\}|\w+["']?$)/.test(script.raw) && /^\$[^{]/.test(script.word)) {
    yield doubled(
      lead[0].length - 1,
      1,
      `systemd takes “${shortened(script.word)}” for one variable: the script vanishes`,
    )
  }
  for (const { index, 0: text, 1: name = '' } of script.raw.matchAll(/(?<!\$)(?:\$\$)*\$\{(\w+)\}/g)) {
    const at = index + text.indexOf('${')
    if (known.has(name)) continue
    const isOfScript = new RegExp(
      `(?:^|[\\s;"'(])(?:read\\s+(?:-\\w+\\s+)*|for\\s+)?${name}(?:=|\\s+in\\b|\\b(?=;))`,
    ).test(script.word)
    if (!known.isWhole && !isOfScript) continue
    yield doubled(
      at,
      text.length,
      `systemd puts its own variable in for \${${name}}, and has none: the script sees nothing`,
    )
  }
}

function* wordVariables(
  block: Block,
  key: string,
  word: PlacedWord,
  known: Variables,
  { inShell }: { readonly inShell: boolean },
): Iterable<Complaint> {
  const text = word.word.replaceAll('$$', '__')
  const whole = /^\$([A-Za-z_]\w*)$/.exec(text)?.[1]
  const used = [...text.matchAll(/\$\{([A-Za-z_]\w*)\}/g)].map(([, name = '']) => name)
  const unset = [...(whole === undefined ? [] : [whole]), ...used].find((name) => !known.has(name))
  if (unset !== undefined && known.isWhole) {
    yield {
      id: 'UF052',
      range: wordRange(word),
      message: `${unset} is set nowhere: ${key}= gets ${whole === undefined ? 'nothing in its place' : 'no such argument'}`,
      remedy: `set it by Environment=${unset}=… or EnvironmentFile=`,
    }
  }
  // a word with blanks is a script of some kind, and a shell looks at its $ itself
  if (inShell || /\s/.test(text)) return
  const glued = /(?:^|[^\\])\$([A-Za-z_]\w*)/.exec(text)
  const name = glued?.[1]
  if (glued === null || name === undefined || whole !== undefined) return
  const at = word.raw.indexOf(`$${name}`)
  const range = at === -1 ? wordRange(word) : valueRange(block, word.from + at, word.from + at + name.length + 1)
  yield {
    id: 'UF046',
    range,
    message: text.startsWith('$')
      ? `“${word.word}” is looked up as one variable and vanishes`
      : `$${name} inside of “${shortened(word.word)}” is not replaced`,
    remedy: `write \${${name}}, or $$${name} for the text`,
    fix: at === -1 ? undefined : fix(`write \${${name}}`, replaceRange(range, `\${${name}}`)),
  }
}

/** Programs whose formats are written with percent signs. */
const formatters: Readonly<Record<string, RegExp>> = {
  date: /^\+/,
  printf: /%/,
  stat: /^(?!-)|^--(?:format|printf)=/,
  find: /%/,
}

function* percentFormats(file: LintedFile): Iterable<Complaint> {
  for (const { block } of commandsOf(file)) {
    for (const command of placedCommands(block)) {
      const script = scriptOf(command)
      const format = formatters[baseName(command.program)]
      for (const word of command.args) {
        const isScript = word === script && /\b(?:date|printf|stat|strftime)\b/.test(word.word)
        const isFormat = format !== undefined && (format.test(word.word) || isQuoted(word))
        if (!isScript && !isFormat) continue
        const places = placedSpecifiers(word.raw).filter(({ letter }) => isTakenForSpecifier(letter))
        const first = places[0]
        if (first === undefined) continue
        if (isScript && !/(?:date[^|;]*\+\S*|printf\s+\S*|(?:stat|strftime)\b.*)%[A-Za-z]/.test(word.word)) continue
        yield {
          id: 'UF050',
          range: valueRange(block, word.from + first.from, word.from + first.from + 2),
          message: `systemd takes %${first.letter} for a specifier before ${baseName(command.program)} sees it`,
          remedy: 'double the percent signs: %%',
          fix: fix(
            'double the percent signs',
            ...places.map(({ from }) => replaceValue(block, '%%', word.from + from, word.from + from + 1)),
          ),
        }
      }
    }
  }
}

/** Specifiers that no one would want in a format; unknown ones have a finding of their own. */
const isTakenForSpecifier = (letter: string): boolean => 'aAbBCdgGHIjJLmMSsTuUVvwWyY'.includes(letter)

function* backgrounds(file: LintedFile): Iterable<Complaint> {
  for (const { block, key } of commandsOf(file)) {
    for (const command of placedCommands(block)) {
      const words = [command.first, ...command.args]
      const launcher = words.find(
        ({ word, raw }) => !/^["']/.test(raw) && /^(?:nohup|screen|tmux|setsid|daemonize)$/.test(baseName(word)),
      )
      const last = command.args.at(-1)
      const found = launcher === words[0] ? launcher : last?.raw === '&' ? last : undefined
      if (found !== undefined) {
        yield {
          id: 'UF053',
          range: wordRange(found),
          message: `“${found.raw}” sends the program into the background, where systemd has it already`,
          remedy: 'run the program itself, in the foreground',
        }
      }
      const isKill = key === 'ExecStop' && /^(?:kill|pkill|killall)$/.test(baseName(command.program))
      if (!isKill) continue
      const plain = /^(?:-(?:s\s+)?(?:SIG)?(?:TERM|15)\s+)?"?\$\{?MAINPID\}?"?$/.test(
        command.args.map(({ raw }) => raw).join(' '),
      )
      yield {
        id: 'UF055',
        range: wordRange(command.first),
        message: `${shortened(block.value)}: systemd itself sends a signal to stop a service, and waits`,
        remedy: plain ? 'leave it out' : 'use KillSignal= for another signal',
        fix: plain ? fix('remove it', removeBlock(block)) : undefined,
      }
    }
  }
}

const flagsWithoutValue =
  /^--(?:rm|detach|interactive|tty|init|privileged|read-only|no-healthcheck|sig-proxy|replace|quiet|oom-kill-disable|publish-all|tls-verify|rmi)(?:=.*)?$|^-[ditPq]+$/

function* detachedContainers(file: LintedFile, unit: LintedUnit): Iterable<Complaint> {
  const type = settingOf(unit, 'Service', 'Type') ?? 'simple'
  if (!/^(?:simple|exec|idle)$/.test(type) || isOn(unit, 'Service', 'RemainAfterExit', false)) return
  for (const { block, key } of commandsOf(file)) {
    if (key !== 'ExecStart') continue
    for (const command of placedCommands(block)) {
      if (!/^(?:docker|podman|nerdctl)$/.test(baseName(command.program))) continue
      const run = command.args.findIndex(({ word }) => word === 'run')
      if (run === -1) continue
      let previous = ''
      for (const placed of command.args.slice(run + 1)) {
        const { word } = placed
        if (/^-[itPq]*d[itPq]*$|^--detach(?:=true)?$/.test(word)) {
          yield {
            id: 'UF054',
            range: wordRange(placed),
            message: `${word}: ${baseName(command.program)} leaves the container in the background and ends, and so does the unit`,
            remedy: 'drop it and add --rm, or describe the container by Quadlet',
          }
          break
        }
        const isValue = previous.startsWith('-') && !previous.includes('=') && !flagsWithoutValue.test(previous)
        if (!word.startsWith('-') && !isValue) break
        previous = word
      }
    }
  }
}

/** What is said of commands. */
export const commandRules: readonly LintRule[] = [
  { kind: 'file', ids: ['UF031', 'UF042', 'UF044', 'UF048', 'UF051'], check: unreadableCommands },
  { kind: 'file', ids: ['UF043'], check: missingPrograms },
  { kind: 'file', ids: ['UF045', 'UF049'], check: shellSyntax },
  { kind: 'file', ids: ['UF046', 'UF047', 'UF052'], check: variables },
  { kind: 'file', ids: ['UF050'], check: percentFormats },
  { kind: 'file', ids: ['UF053', 'UF055'], check: backgrounds },
  { kind: 'file', ids: ['UF054'], check: detachedContainers },
]
