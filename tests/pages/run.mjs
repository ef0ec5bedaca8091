// Runs the tests of the pages: node tests/pages/run.mjs PROGRAM PORT [ONLY]
import assert from 'node:assert/strict'
import { browser, failed, figures, serve, world } from './lib.mjs'
import { customer } from './customer.mjs'
import { invitation } from './invitation.mjs'
import { partner } from './partner.mjs'
import { signedInPage } from './signed-in.mjs'

const [program, port, part, only] = process.argv.slice(2)
const run = process.env.BASE ? { base: process.env.BASE, operator: process.env.OPERATOR, stop() {} } : await serve(program, port)
const chrome = await browser()
const parts = { invitation, 'signed-in': signedInPage, customer, partner }
try {
  for (const [name, test] of Object.entries(parts)) if (!part || part === name) await test({ chrome, base: run.base, world: world(run.base, run.operator), only })
  assert.deepEqual(failed, [])
  assert.equal(figures.violations, 0)
  console.log(`${figures.states} states looked at, axe ran ${figures.axe} times with ${figures.violations} violations; ${chrome.version()}`)
} finally {
  await chrome.close()
  run.stop()
}
