// Runs the tests of the pages: node tests/pages/run.mjs PROGRAM PORT [ONLY]
import assert from 'node:assert/strict'
import { browser, failed, figures, serve, world } from './lib.mjs'
import { customer } from './customer.mjs'
import { invitation } from './invitation.mjs'
import { partner } from './partner.mjs'
import { signedInPage } from './signed-in.mjs'

const [program, port, part, only] = process.argv.slice(2)
const run = await serve(program, port)
const there = world(run.base, run.operator)
const chrome = await browser()
const parts = { invitation, 'signed-in': signedInPage, customer, partner }
try {
  for (const [name, test] of Object.entries(parts)) if (!part || part === name) await test({ chrome, base: run.base, world: there, only })
  for (const secret of there.secrets) assert.ok(!run.printed().includes(secret), 'a key or a token is in the log')
  assert.deepEqual(failed, [])
  assert.equal(figures.violations, 0)
  console.log(`${figures.states} states looked at, axe ran ${figures.axe} times with ${figures.violations} violations; ${chrome.version()}`)
} finally {
  await chrome.close()
  run.stop()
}
