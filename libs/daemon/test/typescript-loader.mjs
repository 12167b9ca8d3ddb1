// Lets node run the sources as they are, in a process of their own: types are taken off while loading.
import { register } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)
