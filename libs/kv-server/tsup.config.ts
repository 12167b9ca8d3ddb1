import { defineConfig } from 'tsup'
import base from '../../tsup.config.ts'

export default defineConfig({ ...base, entry: ['src/index.ts', 'src/entry.ts', 'src/worker.ts'] })
