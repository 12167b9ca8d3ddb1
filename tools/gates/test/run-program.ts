/** Runs a program to its end. */
import { spawn } from 'node:child_process'

export type Ended = {
  readonly code: number | undefined
  readonly stdout: string
  /** Both streams as they came. */
  readonly output: string
}

/** What a program said and how it ended; rejects only when it cannot be started. */
export const runToEnd = (program: string, args: readonly string[], cwd: string): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, NX_DAEMON: 'false', NODE_OPTIONS: '' } })
    let [stdout, output] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? undefined, stdout, output }))
  })

/** The standard output of a program that must end well. */
export async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, output } = await runToEnd(program, args, cwd)
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} in ${cwd} ended with ${code}\n${output}`)
  return stdout
}
