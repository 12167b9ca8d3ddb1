import { it } from 'vitest'
import { expectReadmeExample } from '../../../test-support/readme-example.ts'

it('the example in the README runs and prints what the README says', () => expectReadmeExample(import.meta.url))
