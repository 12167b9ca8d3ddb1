/** Recorded from systemd 252: a command line → commands or the verdict, and what the started process gets. */
import {
  commandArguments,
  type ExecCommand,
  environmentOf,
  expandSpecifiers,
  mergeEnvironments,
  parseEnvironmentFile,
  parseExecLine,
  readAsSystemd,
  type UnitMessage,
} from '@cluster/unit-file'
import { differences } from '../differences.ts'
import { objectIn, type RecordedCase, recordedFiles, textIn } from '../recorded-cases.ts'
import { commandDifferences, messageDifferences, recordedMachine } from '../recorded-units.ts'
import type { Difference, VectorFolder, VectorSet } from '../vector-set.ts'

/** Files whose cases have `value`, and `environment` with `argv`, or not: then `commands` or `loadState`. */
export const execLines: VectorSet = {
  name: 'exec-lines',
  cases: (folder) => [
    ...casesOf(folder, ['unit', 'value', 'environment', 'argv'], compareStart),
    ...casesOf(folder, ['unit', 'value', 'commands'], compareLine),
  ],
}

const casesOf = (
  folder: VectorFolder,
  fields: readonly string[],
  compare: (recorded: RecordedCase) => readonly Difference[],
): ReturnType<VectorSet['cases']> =>
  recordedFiles(folder, fields).flatMap(({ file, cases }) =>
    cases.map((recorded) => ({ name: `${file}: ${textIn(recorded, 'name')}`, run: () => compare(recorded) })),
  )

/** The lines were recorded as the only command of a oneshot service, on line 3. */
function compareLine(recorded: RecordedCase): readonly Difference[] {
  const text = `[Service]\nType=oneshot\nExecStart=${textIn(recorded, 'value')}\n`
  const evaluation = readAsSystemd(text, { unitName: textIn(recorded, 'unit'), specifiers: recordedMachine })
  const commands = evaluation.commands.get('ExecStart') ?? []
  const loadState = recorded['loadState'] ?? 'loaded'
  return [
    ...differences(loadState, evaluation.loadState, 'loadState'),
    ...(loadState === 'loaded' ? shownCommands(recorded['commands'], commands) : []),
    ...(recorded['commands'] === null ? [] : messageDifferences(recorded, evaluation.messages)),
  ]
}

/** `null`: the unit loads, but an argument is not UTF-8 and the bus cannot show it. */
function shownCommands(expected: unknown, commands: readonly ExecCommand[]): readonly Difference[] {
  if (expected !== null) return commandDifferences(expected, commands, 'commands')
  const isHidden = commands.some(({ argv }) => argv.some((word) => /\p{Cs}/u.test(word)))
  return isHidden ? [] : differences(null, commands, 'commands')
}

/** What systemd gives every process of the system manager, as far as a recorded case asks for it. */
const managerEnvironment = environmentOf(['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'])

function compareStart(recorded: RecordedCase): readonly Difference[] {
  const unitName = textIn(recorded, 'unit')
  const line = parseExecLine(textIn(recorded, 'value'), (word) => expandSpecifiers(unitName, word, recordedMachine))
  const given = Object.entries(objectIn(recorded, 'environment')).map(([name, value]) => `${name}=${String(value)}`)
  const file = parseEnvironmentFile(
    recorded['environmentFile'] === undefined ? '' : textIn(recorded, 'environmentFile'),
  )
  const environment = mergeEnvironments(managerEnvironment, environmentOf(given), file.environment)
  const messages: readonly UnitMessage[] = [
    ...line.findings,
    ...file.invalid.map((assignment) => ({
      priority: 'error' as const,
      text: `Ignoring invalid environment assignment '${assignment}': FILE`,
    })),
  ]
  return [
    ...differences(
      recorded['argv'],
      line.commands.map((command) => commandArguments(command, environment)),
      'argv',
    ),
    ...messageDifferences(recorded, messages, { lines: 'other-file' }),
  ]
}
