import { defineConfig } from 'tsup'
import { toolFiles } from '../../tsup.program.config.ts'

export default defineConfig(toolFiles({ bench: 'src/main.ts', 'overlay-machine': 'src/overlay/machine.ts' }))
