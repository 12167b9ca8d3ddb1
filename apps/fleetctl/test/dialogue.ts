/** One step of a recorded dialogue, read from JSON. */

export type Step = {
  readonly argv?: readonly string[]
  readonly files?: Readonly<Record<string, string | null>>
  readonly links?: Readonly<Record<string, string>>
  readonly remove?: readonly string[]
  /** Body of a request to change metadata of machines. */
  readonly patch?: string
  /** Whether the recording waited for the cluster ahead of the step. */
  readonly settles: boolean
  readonly unordered: boolean
  /** Absent: not compared. */
  readonly stdout?: string
  readonly stderr?: string
  /** `null`: the command was ended from outside. */
  readonly exit: number | null
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function stepsOf(value: unknown): readonly Step[] {
  if (!Array.isArray(value)) throw new Error('steps are a list')
  return value.map((step: unknown) => {
    if (!isObject(step)) throw new Error('a step is an object')
    const request = step['request']
    return {
      exit: typeof step['exit'] === 'number' ? step['exit'] : null,
      settles: step['await'] !== undefined,
      unordered: step['unordered'] === true,
      ...(Array.isArray(step['argv']) ? { argv: step['argv'].map(String) } : {}),
      ...(Array.isArray(step['remove']) ? { remove: step['remove'].map(String) } : {}),
      ...(isObject(step['files']) ? { files: texts(step['files']) } : {}),
      ...(isObject(step['links']) ? { links: strings(step['links']) } : {}),
      ...(isObject(request) ? { patch: String(request['body']) } : {}),
      ...(typeof step['stdout'] === 'string' ? { stdout: step['stdout'] } : {}),
      ...(typeof step['stderr'] === 'string' ? { stderr: step['stderr'] } : {}),
    }
  })
}

const texts = (files: Readonly<Record<string, unknown>>): Readonly<Record<string, string | null>> =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [path, text === null ? null : String(text)]))

const strings = (entries: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, String(value)]))
