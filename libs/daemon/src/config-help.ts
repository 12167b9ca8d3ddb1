/** The text of `--help`, from the declaration alone. */
import { type ConfigDeclaration, flagOf, snakeCase } from './config-declaration.ts'

const indent = ' '.repeat(6)
const width = 100

export function renderHelp({ name, summary, options, environmentPrefix, defaultFile }: ConfigDeclaration): string {
  const lines = [
    `${name}: ${summary}`,
    '',
    `Usage: ${name} [--config FILE] [flags]`,
    '',
    `Each option can be given as a flag, as a variable of the environment (${environmentPrefix}…),`,
    `or as a line key = "value" in ${defaultFile}; the first of these that is there counts.`,
    '',
  ]
  for (const [optionName, option] of Object.entries(options)) {
    const key = snakeCase(optionName)
    const value = option.whenBare === undefined ? ` ${option.placeholder}` : ''
    const initial = option.isSecret || option.defaultText === '' ? 'none' : option.defaultText
    lines.push(`  ${flagOf(key)}${value}`)
    lines.push(...wrap(option.help))
    lines.push(`${indent}default ${initial} · ${environmentPrefix}${key.toUpperCase()} · ${key}`)
  }
  lines.push(
    '  --config FILE',
    `${indent}the configuration file`,
    '  --version',
    `${indent}print the version`,
    '  --help',
    `${indent}print this text`,
  )
  return `${lines.join('\n')}\n`
}

function wrap(text: string): readonly string[] {
  const lines: string[] = []
  let line = indent
  for (const word of text.split(/\s+/)) {
    if (line !== indent && line.length + word.length + 1 > width) {
      lines.push(line)
      line = indent
    }
    line += line === indent ? word : ` ${word}`
  }
  return [...lines, line]
}
