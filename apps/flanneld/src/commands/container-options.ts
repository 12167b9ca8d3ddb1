/** `flanneld docker-opts`, `podman-opts`, `nspawn-opts`: what programs that start containers must be told. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { outputForm, printJson } from '@cluster/cli'
import {
  parseSubnetEnv,
  parseVariables,
  podmanWords,
  renderDockerOptions,
  renderNspawnFiles,
  type SubnetEnv,
} from '@cluster/subnet'
import type { Context, Run } from '../command.ts'
import { FlanneldError } from '../errors.ts'
import { readSubnetFile } from '../subnet-file.ts'

type Flags = Parameters<Run>[1]['flags']

/** As mk-docker-opts.sh: a file that is not there gives no options and is no error. */
export const dockerOptions: Run = async (context, { flags }) => {
  const text = await readSubnetFile(fileNamed(context, flags))
  const rendered = renderDockerOptions(
    text === undefined ? undefined : parseVariables(text),
    {
      individual: flags.boolean('i'),
      combined: flags.boolean('c'),
      withoutIpMasq: flags.boolean('m'),
      combinedKey: flags.text('k'),
    },
    context.io.env,
  )
  if (!rendered.ok) {
    throw new FlanneldError('flanneld/subnet-file', rendered.error.text, { hint: rendered.error.hint })
  }
  const json = (): unknown => Object.fromEntries(parseVariables(rendered.value))
  await give(context, flags, rendered.value, json)
  return 0
}

export const podmanOptions: Run = async (context, { flags }) => {
  const words = podmanWords(await subnetEnv(context, flags))
  await give(context, flags, `${words.join(' ')}\n`, () => words)
  return 0
}

export const nspawnOptions: Run = async (context, { flags }) => {
  const files = renderNspawnFiles(await subnetEnv(context, flags))
  const folder = flags.text('d')
  if (outputForm(flags.text('output')) === 'json') printJson(context.io, files)
  else if (folder === '') for (const { path, text } of files) context.io.stdout.write(`# ${path}\n${text}\n`)
  for (const { path, text } of folder === '' ? [] : files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return 0
}

async function give({ io }: Context, flags: Flags, text: string, json: () => unknown): Promise<void> {
  const file = flags.text('d')
  if (file !== '') await writeFile(file, text)
  else if (outputForm(flags.text('output')) === 'json') printJson(io, json())
  else io.stdout.write(text)
}

const fileNamed = ({ networks }: Context, flags: Flags): string =>
  flags.given('f') ? flags.text('f') : (networks[0]?.subnetFile ?? flags.text('f'))

async function subnetEnv(context: Context, flags: Flags): Promise<SubnetEnv> {
  const file = fileNamed(context, flags)
  const text = await readSubnetFile(file)
  if (text === undefined) {
    throw new FlanneldError('flanneld/subnet-file', `${file} is not there`, {
      hint: 'start flanneld, which writes it, or name it with -f',
    })
  }
  const read = parseSubnetEnv(text)
  if (read.ok) return read.value
  throw new FlanneldError('flanneld/subnet-file', `${file}: ${read.error.text}`, { hint: read.error.hint })
}
