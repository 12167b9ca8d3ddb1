/** Recorded from systemd 252: unit, text and machine → the text with specifiers expanded. */
import { expandSpecifiers, type SpecifierContext } from '@cluster/unit-file'
import { differences } from '../differences.ts'
import { objectIn, type RecordedCase, recordedFiles, textIn } from '../recorded-cases.ts'
import type { Difference, VectorSet } from '../vector-set.ts'

/** Files of the folder whose cases have `unit`, `text` and `context`. */
export const specifiers: VectorSet = {
  name: 'specifiers',
  cases: (folder) =>
    recordedFiles(folder, ['unit', 'text', 'context']).flatMap(({ file, cases }) =>
      cases.map((recorded, index) => ({
        name: `${file}: ${typeof recorded['name'] === 'string' ? recorded['name'] : `case ${index + 1}`}`,
        run: () => compare(recorded),
      })),
    ),
}

function compare(recorded: RecordedCase): readonly Difference[] {
  const text = textIn(recorded, 'text')
  const result = expandSpecifiers(textIn(recorded, 'unit'), text, contextOf(objectIn(recorded, 'context')))
  if (result.ok) return differences(recorded['expanded'], result.value, 'expanded')
  const message = `Failed to resolve unit specifiers in '${text}', ignoring: ${result.error.message}`
  return [
    ...differences(recorded['expanded'], null, 'expanded'),
    ...differences(recorded['message'], message, 'message'),
  ]
}

/** A recorded machine; what it does not have is null there. */
export function contextOf(context: RecordedCase): SpecifierContext {
  const { prettyHostName, fragmentPath } = context
  return {
    scope: context['scope'] === 'user' ? 'user' : 'system',
    architecture: textIn(context, 'architecture'),
    machineId: textIn(context, 'machineId'),
    bootId: textIn(context, 'bootId'),
    hostName: textIn(context, 'hostName'),
    kernelRelease: textIn(context, 'kernelRelease'),
    osRelease: Object.fromEntries(
      Object.entries(objectIn(context, 'osRelease')).flatMap(([key, value]) =>
        typeof value === 'string' ? [[key, value]] : [],
      ),
    ),
    user: textIn(context, 'user'),
    uid: Number(context['uid']),
    group: textIn(context, 'group'),
    gid: Number(context['gid']),
    home: textIn(context, 'home'),
    shell: textIn(context, 'shell'),
    runtimeDir: textIn(context, 'runtimeDir'),
    stateDir: textIn(context, 'stateDir'),
    cacheDir: textIn(context, 'cacheDir'),
    logsDir: textIn(context, 'logsDir'),
    configDir: textIn(context, 'configDir'),
    tmpDir: textIn(context, 'tmpDir'),
    varTmpDir: textIn(context, 'varTmpDir'),
    credentialsDir: textIn(context, 'credentialsDir'),
    ...(typeof prettyHostName === 'string' ? { prettyHostName } : {}),
    ...(typeof fragmentPath === 'string' ? { fragmentPath } : {}),
  }
}
