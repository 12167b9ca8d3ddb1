/**
 * Command lines declared once: parsing, help and completion come from one value. Beside it what every command needs:
 * streams as values, tables, JSON, exit codes, progress, colour.
 * @packageDocumentation
 */
export {
  type Command,
  type CommandLine,
  type Example,
  findCommand,
  type Invocation,
  type Parsed,
  parseCommandLine,
} from './command.ts'
export { type CompletionShell, completionShells, isCompletionShell, renderCompletion } from './completion.ts'
export { exitCodes, isInterruption, printError } from './exit.ts'
export { type Flag, type Flags, type FlagValue, type FlagValues, flagValues, variableOf } from './flags.ts'
export { renderCommandHelp, renderHelp, renderShortHelp } from './help.ts'
export { type Io, ioOf, type MemoryIo, memoryIo, type OutputStream, type ProcessLike, type Sink } from './io.ts'
export { nearestWords } from './nearest.ts'
export { type OutputForm, outputFlag, outputForm, outputForms, printJson, printTable, type Table } from './output.ts'
export { type Progress, startProgress } from './progress.ts'
export { runCommandLine } from './run.ts'
export { renderTable } from './table.ts'
export { type Paint, paintFor } from './terminal.ts'
