/** Machines and units of fleet's recorded cases as our planners want them. */
import { type AgentState, type CurrentUnit, type Machine, type Unit, unitFromText } from '@cluster/scheduler'
import { isRecorded, type RecordedCase, textIn } from './recorded-cases.ts'

/** `{ name, content, targetState }`; the state `""` stands for a missing key. */
export function unitOf(recorded: RecordedCase): Unit {
  const { targetState: _, ...unit } = unitFromText(textIn(recorded, 'name'), textIn(recorded, 'content'))
  const word = textIn(recorded, 'targetState')
  if (word === 'inactive' || word === 'loaded' || word === 'launched') return { ...unit, targetState: word }
  return word === '' ? unit : { ...unit, unknownTargetState: word }
}

/** `{ id, metadata }`. */
export const machineOf = (recorded: RecordedCase): Machine => ({
  id: textIn(recorded, 'id'),
  metadata: textsIn(recorded['metadata']),
})

/** An object of texts, as those of its values that are texts. */
export function textsIn(value: unknown): Readonly<Record<string, string>> {
  if (!isRecorded(value)) return {}
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : [])),
  )
}

/** `{ unit: [state, hash] }`; an empty hash is unknown. */
export function currentUnits(recorded: unknown): readonly CurrentUnit[] {
  if (!isRecorded(recorded)) return []
  return Object.entries(recorded).map(([name, pair]) => {
    const [state, hash] = Array.isArray(pair) ? pair : []
    return { name, state: agentState(state), ...(typeof hash === 'string' && hash !== '' ? { hash } : {}) }
  })
}

function agentState(word: unknown): AgentState {
  if (word === 'inactive' || word === 'loaded' || word === 'launched') return word
  throw new TypeError(`the recorded case has the state ${JSON.stringify(word)}, which no agent has`)
}
