/** What a process gets when systemd starts it: variables in its arguments, environment files. Rules: spec/unit-files.md §4.2. */
import { decodeBytes, isCleanText } from './byte-text.ts'
import type { ExecCommand } from './exec-line.ts'
import { stripText } from './source.ts'
import { splitWords, variableWords } from './words.ts'

/** Variables by name. */
export type Environment = ReadonlyMap<string, string>

/** What an environment file holds. */
export type EnvironmentFile = {
  /** Valid assignments, a later one in place of an earlier one of the same name. */
  readonly environment: Environment
  /** Assignments that systemd skips with an error message, as written. */
  readonly invalid: readonly string[]
}

/** Whether systemd takes a name for a variable: letters, digits and `_`, no digit first. */
export const isVariableName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)

/** Whether systemd takes a `NAME=value`: the value is UTF-8 and has no control characters but tab and newline. */
export function isAssignment(text: string): boolean {
  const equals = text.indexOf('=')
  return equals > 0 && isVariableName(text.slice(0, equals)) && isVariableValue(text.slice(equals + 1))
}

const isVariableValue = (value: string): boolean => isCleanText(value) && !/[\0-\x08\x0b-\x1f\x7f]/.test(value)

/** The variables of `NAME=value` texts, in order; a later one replaces the value of an earlier one in place. */
export function environmentOf(assignments: Iterable<string>): Environment {
  const environment = new Map<string, string>()
  for (const assignment of assignments) {
    const equals = assignment.indexOf('=')
    if (equals > 0) environment.set(assignment.slice(0, equals), assignment.slice(equals + 1))
  }
  return environment
}

/** The variables of several sources; later ones win. */
export function mergeEnvironments(...environments: readonly Environment[]): Environment {
  return new Map(environments.flatMap((environment) => [...environment]))
}

/** The arguments that the process of a command gets; all as they are under the `:` prefix. */
export const commandArguments = (command: ExecCommand, environment: Environment): readonly string[] =>
  command.flags.includes('no-env-expand') ? command.argv : expandArguments(command.argv, environment)

/**
 * Arguments with variables put in, once: `$NAME` as a whole word is split into words, `${NAME}` anywhere is put in as it
 * is, `$$` is `$`; an unset variable is nothing.
 */
export function expandArguments(argv: readonly string[], environment: Environment): readonly string[] {
  return argv.flatMap((word) => {
    if (!word.startsWith('$') || word[1] === '{' || word[1] === '$') return [expandBraces(word, environment)]
    const words = splitWords(environment.get(word.slice(1)) ?? '', variableWords)
    return words.ok ? words.value : []
  })
}

function expandBraces(word: string, environment: Environment): string {
  let result = ''
  let copied = 0
  for (let index = 0; index < word.length; index += 1) {
    if (word[index] !== '$') continue
    const next = word[index + 1]
    if (next === '$') {
      result += word.slice(copied, index + 1)
      copied = index + 2
      index += 1
    } else if (next === '{') {
      // a colon is of a form that commands do not have: the text stays, and is looked through from there
      const end = word.slice(index).search(/[}:]/)
      if (end === -1) break
      if (word[index + end] === '}') {
        result += word.slice(copied, index) + (environment.get(word.slice(index + 2, index + end)) ?? '')
        copied = index + end + 1
      }
      index += end
    } else {
      // what follows a lone `$` starts nothing
      index += 1
    }
  }
  return result + word.slice(copied)
}

/** The variables of an environment file. No variables or specifiers are expanded in it. */
export function parseEnvironmentFile(file: string | Uint8Array): EnvironmentFile {
  const environment = new Map<string, string>()
  const invalid: string[] = []
  for (const [key, value] of readAssignments(typeof file === 'string' ? file : decodeBytes(file))) {
    const assignment = `${key}=${value}`
    if (!isAssignment(assignment)) invalid.push(assignment)
    else environment.set(key, value)
  }
  return { environment, invalid }
}

type State =
  | 'before-key'
  | 'key'
  | 'before-value'
  | 'value'
  | 'value-escape'
  | 'single-quotes'
  | 'double-quotes'
  | 'double-quotes-escape'
  | 'comment'
  | 'comment-escape'

function* readAssignments(text: string): Generator<readonly [key: string, value: string]> {
  let state: State = 'before-key'
  let key = ''
  let value = ''
  /** Length of the value up to which trailing blanks are not cut. */
  let kept = 0
  for (const character of text) {
    const isEnd = character === '\n' || character === '\r'
    const isSpace = isEnd || character === ' ' || character === '\t'
    switch (state) {
      case 'before-key':
        if (character === '#' || character === ';') state = 'comment'
        else if (!isSpace) {
          key = character
          state = 'key'
        }
        break
      case 'key':
        if (isEnd) state = 'before-key'
        else if (character === '=') {
          value = ''
          kept = 0
          state = 'before-value'
        } else key += character
        break
      case 'before-value':
        if (isEnd) {
          yield [stripText(key), value]
          state = 'before-key'
        } else if (character === "'") state = 'single-quotes'
        else if (character === '"') state = 'double-quotes'
        else if (character === '\\') state = 'value-escape'
        else if (!isSpace) {
          value += character
          kept = value.length
          state = 'value'
        }
        break
      case 'value':
        if (isEnd) {
          yield [stripText(key), value.slice(0, kept)]
          state = 'before-key'
        } else if (character === '\\') {
          kept = value.length
          state = 'value-escape'
        } else {
          value += character
          if (!isSpace) kept = value.length
        }
        break
      case 'value-escape':
        if (!isEnd) value += character
        kept = value.length
        state = 'value'
        break
      case 'single-quotes':
        if (character === "'") state = 'before-value'
        else value += character
        break
      case 'double-quotes':
        if (character === '"') state = 'before-value'
        else if (character === '\\') state = 'double-quotes-escape'
        else value += character
        break
      case 'double-quotes-escape':
        if ('"\\`$'.includes(character)) value += character
        else if (character !== '\n') value += `\\${character}`
        state = 'double-quotes'
        break
      case 'comment':
        if (character === '\\') state = 'comment-escape'
        else if (isEnd) state = 'before-key'
        break
      case 'comment-escape':
        state = 'comment'
        break
      default:
        state satisfies never
    }
  }
  if (state === 'value') yield [stripText(key), value.slice(0, kept)]
  else if (state !== 'before-key' && state !== 'key' && state !== 'comment' && state !== 'comment-escape') {
    yield [stripText(key), value]
  }
}
