/** `fleetctl brake`: what the engine holds back after a mass loss, and letting it go. Ours. */
import { exitCodes, outputForm, paintFor, printJson } from '@cluster/cli'
import type { FleetBrake } from '@cluster/fleet-api'
import type { FleetContext, RunCommand } from '../context.ts'
import { unsupported } from '../cordons.ts'
import { printFailure } from '../failure.ts'
import { counted } from '../machine-reasons.ts'
import { wrapped } from '../wrap.ts'

export const run: RunCommand = async (context, { args, flags }) => {
  const { io, fleet, signal } = context
  const [word = 'status', ...others] = args
  if (others.length > 0 || (word !== 'status' && word !== 'release')) {
    io.stderr.write('Say nothing, or release\nExample: fleetctl brake release\n')
    return exitCodes.usage
  }
  const isJson = outputForm(flags.text('output')) === 'json'
  try {
    const brake = await fleet.brake(signal)
    if (brake === 'unsupported') return unsupported(context, 'tell of a brake')
    if (word === 'status') {
      if (isJson) printJson(io, brakeJson(brake))
      else io.stdout.write(brakeLines(context, brake))
      return exitCodes.done
    }
    const outcome = await fleet.releaseBrake(signal)
    if (outcome === 'unsupported') return unsupported(context, 'release a brake')
    const isReleased = outcome === 'done' && brake.kind === 'held'
    if (isJson) printJson(io, { released: isReleased ? brake.lostMachines : [] })
    else if (isReleased) {
      const units = counted(brake.wouldMove, 'unit')
      io.stdout.write(`Released: ${units} may leave ${brake.lostMachines.join(', ')}\n`)
    } else io.stdout.write('The brake does not hold: there is nothing to release\n')
    return exitCodes.done
  } catch (error) {
    return printFailure(context, `Error ${word === 'release' ? 'releasing' : 'reading'} the brake: `, error)
  }
}

function brakeLines({ io, settings }: FleetContext, brake: FleetBrake): string {
  if (brake.kind === 'idle') return 'The brake does not hold.\n'
  const paint = paintFor(io.stdout, io.env, { noColor: settings.boolean('no-color') })
  const width = io.stdout.isTerminal ? (io.stdout.columns ?? 80) : undefined
  return [
    `${paint.bad(`The brake holds since ${new Date(brake.sinceMs).toISOString()}.`)}\n`,
    wrapped(`${brake.text}.`, { width }),
    'Look at these machines. If they are lost: fleetctl brake release\n',
  ].join('')
}

/** Keys are API. */
const brakeJson = (brake: FleetBrake): unknown =>
  brake.kind === 'idle'
    ? { held: false, released: brake.released }
    : {
        held: true,
        since: new Date(brake.sinceMs).toISOString(),
        lostMachines: brake.lostMachines,
        wouldMove: brake.wouldMove,
        moved: brake.moved,
        allowed: brake.allowed,
        placedUnits: brake.placedUnits,
        text: brake.text,
        released: brake.released,
      }
