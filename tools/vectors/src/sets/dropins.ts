/** Recorded from systemd 252: a tree of files → the merged unit, or what `systemctl enable` and its like make of it. */
import { assert } from '@cluster/prelude'
import {
  createUnitTree,
  type EnabledOutcome,
  enableUnits,
  type InstallOptions,
  type InstallOutcome,
  linkUnits,
  loadUnit,
  maskUnits,
  type UnitTree,
  type UnitTreeEntry,
  unitFileStates,
} from '@cluster/unit-file'
import { differences } from '../differences.ts'
import { objectIn, objectsIn, type RecordedCase, recordedFiles, textIn } from '../recorded-cases.ts'
import type { Difference, VectorFolder, VectorSet } from '../vector-set.ts'
import { contextOf } from './specifiers.ts'

/** Files of the folder whose cases have `files`, and a `command` or a `unit` with what was `expected` of it. */
export const dropins: VectorSet = {
  name: 'dropins',
  cases: (folder) => [...casesOf(folder, 'expected', compareUnit), ...casesOf(folder, 'command', compareCommand)],
}

const casesOf = (
  folder: VectorFolder,
  field: string,
  compare: (recorded: RecordedCase) => readonly Difference[],
): ReturnType<VectorSet['cases']> =>
  recordedFiles(folder, ['files', field]).flatMap(({ file, cases }) =>
    cases.map((recorded) => ({ name: `${file}: ${textIn(recorded, 'name')}`, run: () => compare(recorded) })),
  )

const treeOf = (recorded: RecordedCase): UnitTree => createUnitTree(objectsIn(recorded, 'files').map(entryOf))

function entryOf(file: RecordedCase): UnitTreeEntry {
  const path = textIn(file, 'path')
  if (typeof file['link'] === 'string') return { path, link: file['link'] }
  const bytes = file['textBase64']
  return { path, content: typeof bytes === 'string' ? Buffer.from(bytes, 'base64') : textIn(file, 'text') }
}

/** The machine on which all commands and units were recorded. */
const context = contextOf({
  scope: 'system',
  architecture: 'x86-64',
  machineId: '11112222333344445555666677778888',
  bootId: 'c27e97824e3a4c63b9f3fa5f19ed7ca8',
  hostName: 'web7.example.org',
  prettyHostName: 'Web Seven',
  kernelRelease: '6.1.0-40-amd64',
  osRelease: {
    ID: 'debian',
    VERSION_ID: '12',
    VARIANT_ID: 'edge',
    BUILD_ID: '2024-01-02',
    IMAGE_ID: 'fleetos',
    IMAGE_VERSION: '33',
  },
  user: 'root',
  uid: 0,
  group: 'root',
  gid: 0,
  home: '/root',
  shell: '/bin/bash',
  runtimeDir: '/run',
  stateDir: '/var/lib',
  cacheDir: '/var/cache',
  logsDir: '/var/log',
  configDir: '/etc',
  tmpDir: '/tmp',
  varTmpDir: '/var/tmp',
  credentialsDir: '/run/credentials',
})

function compareUnit(recorded: RecordedCase): readonly Difference[] {
  const loaded = loadUnit(treeOf(recorded), textIn(recorded, 'unit'), { context })
  if (!loaded.ok) return differences(recorded['expected'], loaded.error.message)
  const { evaluation, loadState, id, names, fragment, dropIns, wants, requires, messages } = loaded.value
  const { environment, execStart, ...expected } = objectIn(recorded, 'expected')
  const commands = evaluation?.commands.get('ExecStart') ?? []
  const actual = {
    loadState,
    id,
    names,
    fragment: fragment ?? null,
    dropIns,
    description: evaluation?.description ?? id,
    wants: wants.length === 0 ? undefined : wants,
    requires: requires.length === 0 ? undefined : requires,
    messages: messages.length === 0 ? undefined : messages,
  }
  return [
    ...differences(expected, actual),
    // Only types of units that start processes have these two.
    ...(environment === undefined ? [] : differences(environment, evaluation?.environment ?? [], 'environment')),
    ...(execStart === undefined
      ? []
      : differences(
          execStart,
          commands.map(({ argv }) => argv),
          'execStart',
        )),
  ]
}

function compareCommand(recorded: RecordedCase): readonly Difference[] {
  const outcome = runCommand(treeOf(recorded), textIn(recorded, 'command'))
  const messages = recorded['messages'] ?? []
  return [
    ...differences(recorded['exit'], outcome.exit, 'exit'),
    ...differences(recorded['links'] ?? [], 'links' in outcome ? outcome.links : [], 'links'),
    ...differences(recorded['output'] ?? [], 'states' in outcome ? outcome.states : [], 'output'),
    ...differences(messages, outcome.messages.map(shortenedLike(messages)), 'messages'),
  ]
}

/** Long messages were cut by the recorder, which marks them with ` …`. */
const shortenedLike =
  (recorded: unknown) =>
  (message: string, index: number): string => {
    const expected: unknown = Array.isArray(recorded) ? recorded[index] : undefined
    if (typeof expected !== 'string' || !expected.endsWith(' …')) return message
    return message.startsWith(expected.slice(0, -2)) ? expected : message
  }

function runCommand(tree: UnitTree, command: string): InstallOutcome | EnabledOutcome {
  const [program, verb, ...rest] = shellWords(command)
  assert(program === 'systemctl', `the command begins with systemctl: ${command}`)
  const names = rest.filter((word) => !word.startsWith('--'))
  const options: InstallOptions = { context, lifetime: rest.includes('--runtime') ? 'runtime' : 'permanent' }
  switch (verb) {
    case 'enable':
      return enableUnits(tree, names, options)
    case 'link':
      return linkUnits(tree, names, options)
    case 'mask':
      return maskUnits(tree, names, options)
    case 'is-enabled':
      return unitFileStates(tree, names, options)
    default:
      throw new Error(`systemctl ${verb ?? ''} is not recorded in any known set`)
  }
}

/** Words of a shell command, single and double quotes undone. */
const shellWords = (command: string): readonly string[] =>
  (command.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'))
